/** One run of the real agent against the stub: what it is given besides the launch's own, and what it shows. */
import { claude } from "../agents/mod.ts";
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { redact } from "../base/redact.ts";
import { quote } from "../base/text.ts";
import type { ObservedSandbox } from "../launch/mod.ts";
import { run } from "../os/process.ts";
import { parseTried, type Tried } from "./attempts.ts";
import { parseEvents } from "./events.ts";
import { type ModelRequest, startStubApi } from "./stub_api.ts";
import type { Observation } from "./types.ts";
import {
  readServerErrors,
  readTried,
  readVariables,
  withLoopback,
  type Workplace,
} from "./workplace.ts";

/** Longest time that servers get to connect: the agent's own limit. Milliseconds. */
export const SERVER_WAIT = 30_000;
/** Longest time a run may take. Milliseconds. */
const RUN_LIMIT = 150_000;
/** Not a key. */
const FAKE_KEY = "sk-ant-api03-aenv-verify-is-no-key";

/** Variables of the caller that carry a login, choose another API or send reports: a verification has none of them. */
const WITHHELD =
  /^(ANTHROPIC_|OTEL_|CLAUDE_CODE_(OAUTH_|API_KEY_|GATEWAY_|ENABLE_GATEWAY_|USE_|SKIP_.*_AUTH$|CUSTOM_OAUTH_|OTEL_|HTTPS?_PROXY$|PROXY_|CLIENT_|DEBUG_|DIAGNOSTICS_FILE$|TMPDIR$|ENABLE_TELEMETRY$|RETRY_)|CLAUDE_DEBUG$)/;
/** Of these, the ones that only choose a model. */
const MODEL_CHOICE =
  /^ANTHROPIC_(MODEL$|DEFAULT_|SMALL_FAST_MODEL|CUSTOM_MODEL_OPTION)/;
/** Switches of settings files that would send the requests elsewhere; blank is off. */
const BLANKED = [
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_CUSTOM_HEADERS",
  "ANTHROPIC_UNIX_SOCKET",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
  "CLAUDE_CODE_USE_MANTLE",
  "CLAUDE_CODE_USE_ANTHROPIC_AWS",
  "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
  "CLAUDE_CODE_USE_GATEWAY",
  "CLAUDE_CODE_ENABLE_TELEMETRY",
];

/** The name of a setting that would send requests elsewhere or with a login of its own; undefined when `settings` has none. */
export function overridden(
  settings: Readonly<Record<string, unknown>>,
): string | undefined {
  if (settings["apiKeyHelper"]) return "apiKeyHelper";
  const names = [...BLANKED, "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"];
  return Object.keys(claude.asRecord(settings["env"]))
    .find((name) => names.includes(name));
}

/** Whether a variable is withheld from the agent, or replaced, for the observation. */
export function isWithheld(name: string): boolean {
  return WITHHELD.test(name) && !MODEL_CHOICE.test(name);
}

/** How to run the agent. */
export interface AgentRun {
  readonly program: AbsPath;
  readonly args: readonly string[];
  /** The launch's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: AbsPath;
  readonly place: Workplace;
  /** The config directory to use instead of the launch's. */
  readonly configDir?: AbsPath;
  /** Called with the stub's address before the agent starts: puts `variables` into the generated settings. */
  readonly prepare?: (variables: Readonly<Record<string, string>>) => void;
  /** What runs it where it has to be confined by something that stays beside it. */
  readonly within?: ObservedSandbox | undefined;
}

/** What a run showed. */
export interface Seen {
  readonly observation: Observation;
  /** The environment of a hook; undefined when no hook ran. */
  readonly variables: Readonly<Record<string, string>> | undefined;
  /** Names of variables that were set for the observation. */
  readonly added: readonly string[];
  /** Requests to the model. */
  readonly turns: readonly ModelRequest[];
  /** Why servers failed, by log name. */
  readonly serverErrors: ReadonlyMap<string, readonly string[]>;
  /** Options of the observation that this version does not have. */
  readonly lacking: readonly string[];
  /** What was tried in the agent's sandbox; undefined when no hook ran. */
  readonly tried: readonly Tried[] | undefined;
}

/** Runs the agent once. Throws `VERIFY_FAILED` when it could not be observed. */
export async function observe(agent: AgentRun): Promise<Seen> {
  const stub = startStubApi();
  try {
    const environment = admitted(
      observedEnvironment(agent, stub.url),
      agent,
      stub.url,
    );
    const ours = settingsVariables(environment, stub.url);
    const added = Object.keys({ ...environment, ...ours }).filter((name) =>
      environment[name] !== agent.environment[name] ||
      Object.hasOwn(ours, name)
    );
    agent.prepare?.(ours);
    const { output, lacking } = await runAgent(agent, environment);
    const observation = parseEvents(output.stdout);
    if (observation === undefined || output.code !== 0) {
      throw unobserved(agent, output);
    }
    return {
      observation,
      variables: readVariables(agent.place),
      added,
      turns: stub.turns,
      serverErrors: readServerErrors(agent.place, observation.session),
      lacking,
      tried: triedIn(agent.place),
    };
  } finally {
    await stub.close();
  }
}

/** The launch's environment without logins, and with what points the agent at the stub and at temporary places. */
export function observedEnvironment(
  agent: Pick<AgentRun, "environment" | "place" | "configDir">,
  url: string,
): Record<string, string> {
  const { place, configDir } = agent;
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(agent.environment)) {
    if (!isWithheld(name)) out[name] = value;
  }
  return {
    ...out,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: FAKE_KEY,
    // The login: a directory without one.
    CLAUDE_SECURESTORAGE_CONFIG_DIR: place.login,
    ANTHROPIC_CONFIG_DIR: place.login,
    NO_PROXY: withLoopback(out["NO_PROXY"] ?? out["no_proxy"]),
    no_proxy: withLoopback(out["no_proxy"] ?? out["NO_PROXY"]),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    // Both: the first is what 2.1.197 knows.
    MCP_CONNECTION_NONBLOCKING: "0",
    CLAUDE_CODE_MCP_STARTUP_WAIT_MS: String(SERVER_WAIT),
    TMPDIR: place.temp,
    XDG_CACHE_HOME: place.cache,
    ...(configDir === undefined ? {} : { CLAUDE_CONFIG_DIR: configDir }),
  };
}

/** What else the agent needs in a sandbox beside which something stays. */
function admitted(
  environment: Record<string, string>,
  { within }: AgentRun,
  url: string,
): Readonly<Record<string, string>> {
  if (within === undefined) return environment;
  const env = within.admit(environment, [Number(new URL(url).port)]);
  return {
    ...env,
    NO_PROXY: withLoopback(env["NO_PROXY"]),
    no_proxy: withLoopback(env["no_proxy"]),
  };
}

function triedIn(place: Workplace): readonly Tried[] | undefined {
  const text = readTried(place);
  return text === undefined ? undefined : parseTried(text) ?? [];
}

/** The same for the generated settings, which beat those of the env and of the project. */
function settingsVariables(
  environment: Readonly<Record<string, string>>,
  url: string,
): Record<string, string> {
  return {
    ...Object.fromEntries(BLANKED.map((name) => [name, ""])),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: FAKE_KEY,
    NO_PROXY: environment["NO_PROXY"] ?? "",
    no_proxy: environment["no_proxy"] ?? "",
  };
}

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs it with the observation's options, leaving out those that this version refuses. */
async function runAgent(
  agent: AgentRun,
  environment: Readonly<Record<string, string>>,
): Promise<{ output: Output; lacking: string[] }> {
  let optional = ["--include-hook-events", "--no-session-persistence"];
  const lacking: string[] = [];
  while (true) {
    const output = await runOnce(agent, environment, [
      ...agent.args,
      `--plugin-dir=${agent.place.canary}`,
      "--output-format=stream-json",
      "--verbose",
      ...optional,
    ]);
    const refused = /unknown option '(--[a-z-]+)'/.exec(output.stderr)?.[1];
    if (
      output.code === 0 || refused === undefined || !optional.includes(refused)
    ) return { output, lacking };
    optional = optional.filter((option) => option !== refused);
    lacking.push(refused);
  }
}

async function runOnce(
  { program, cwd, within }: AgentRun,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<Output> {
  const timeout = RUN_LIMIT;
  return within === undefined
    ? await run(program, args, { env, cwd, timeout })
    : await within.run({ path: program, args, env, timeout });
}

function unobserved(agent: AgentRun, output: Output): AppError {
  const said = [output.stderr, output.stdout].join("\n").split("\n")
    .map((line) => line.trim()).find((line) =>
      line !== "" && !line.startsWith("{")
    );
  const how = output.timedOut
    ? `it did not end within ${RUN_LIMIT / 1000} seconds`
    : output.code !== 0
    ? `it ended with exit code ${output.code}`
    : "it did not report its state";
  return new AppError(
    "VERIFY_FAILED",
    `Cannot observe ${quote(agent.program)}: ${how}${
      said === undefined ? "" : `, saying ${quote(redact(said))}`
    }`,
    { hint: "Try it by hand: aenv run -- -p /context" },
  );
}
