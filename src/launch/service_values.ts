/** Services with their values: what a plan has as templates is filled in here, shortly before the agent starts. */
import { AppError, ExitCode } from "../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  join,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
  resolveFrom,
} from "../base/paths.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote } from "../base/text.ts";
import type { Dirs } from "../base/dirs.ts";
import { claude } from "../agents/mod.ts";
import { type OpenEnv, openEnvSecrets } from "../env/mod.ts";
import { fillReferences } from "../manifest/mod.ts";
import type { Program } from "../os/exec.ts";
import { isExecutable } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { isShut } from "../os/libc.ts";
import type {
  BrokeredServer,
  LateServer,
  RelayedServer,
  SecretValue,
} from "../secrets/mod.ts";
import type { LaunchPlan, PlannedService } from "./types.ts";

type StdioService = Extract<PlannedService, { kind: "stdio" }>;
type RemoteService = Exclude<PlannedService, StdioService>;

/** Everything that a plan's services need to run. Holds values: never print it. */
export interface FilledServices {
  readonly brokered: readonly BrokeredServer[];
  readonly relayed: readonly (RelayedServer | LateServer)[];
}

/** Services whose values are all known. */
interface FilledNow extends FilledServices {
  readonly relayed: readonly RelayedServer[];
}

/**
 * Looks up the values of all services at once and fills them in. Throws what `Secrets.get` throws, `SECRET_INVALID` for a value
 * that does not fit where it goes, `VARIABLE_MISSING`.
 */
export async function fillServices(
  plan: LaunchPlan,
  env: OpenEnv,
  place: { readonly host: Host; readonly dirs: Dirs },
): Promise<FilledNow> {
  if (plan.services.length === 0) return { brokered: [], relayed: [] };
  const keys = plan.services.flatMap(({ secrets }) => secrets) as SecretKey[];
  const values = await valuesOf(keys, env, place);
  const variables = plan.environment;
  const brokered: BrokeredServer[] = [];
  const relayed: RelayedServer[] = [];
  for (const service of plan.services) {
    const filler = new Filler(service, { values, variables, env });
    if (service.kind === "stdio") {
      const given = claude.serverVariables(variables, plan.cwd);
      brokered.push(fillStdio(service, filler, given));
    } else relayed.push(fillRemote(service, filler));
  }
  return { brokered, relayed };
}

/**
 * The same for a program that may never ask for a server: values are looked up when the first one is asked for. What is wrong
 * then keeps that server from starting; the next request looks again.
 */
export function fillLate(
  plan: LaunchPlan,
  env: OpenEnv,
  place: { readonly host: Host; readonly dirs: Dirs },
): FilledServices {
  let looked: Promise<FilledNow> | undefined;
  function all(): Promise<FilledNow> {
    looked ??= fillServices(plan, env, place).catch((error) => {
      looked = undefined;
      throw error;
    });
    return looked;
  }
  const brokered: BrokeredServer[] = [];
  const relayed: LateServer[] = [];
  for (const service of plan.services) {
    const { name } = service;
    if (service.kind === "stdio") {
      const { socket, log } = service;
      let filled: BrokeredServer | undefined;
      brokered.push({
        ...{ name, socket, log },
        ready: async () => {
          filled = (await all()).brokered.find((each) => each.name === name);
        },
        program: () => filled!.program(),
      });
    } else {
      const fill = async () =>
        (await all()).relayed.find((each) => each.name === name)!;
      relayed.push({ name, fill });
    }
  }
  return { brokered, relayed };
}

async function valuesOf(
  keys: readonly SecretKey[],
  env: OpenEnv,
  place: { readonly host: Host; readonly dirs: Dirs },
): Promise<ReadonlyMap<SecretKey, SecretValue>> {
  // A server may be there for its sandbox alone.
  if (keys.length === 0) return new Map();
  // The plan was made after the manifest's trust was checked.
  const secrets = await openEnvSecrets(env, place, { runsCommands: true });
  return await secrets.get(keys);
}

function fillStdio(
  service: StdioService,
  filler: Filler,
  given: Readonly<Record<string, string>>,
): BrokeredServer {
  const { name, socket, log, cwd } = service;
  const command = filler.fill(service.command);
  const args = service.args.map((text) => filler.fill(text));
  const env = { ...given, ...filler.fillTable(service.env) };
  return {
    name,
    socket,
    log,
    program: () => {
      const path = findProgram(command, cwd, env["PATH"] ?? "");
      return startIn(cwd, { path, args, env });
    },
  };
}

/** A program in a directory of its own, by the one program that every system has for it. */
function startIn(cwd: AbsPath, { path, args, env }: Program): Program {
  const [shell, ...rest] = claude.startedIn(cwd, [path, ...args]);
  return { path: shell!, args: rest, env };
}

function findProgram(command: string, cwd: AbsPath, path: string): AbsPath {
  const candidates = command.includes("/")
    ? [resolveFrom(cwd, command)]
    : path.split(PATH_LIST_SEPARATOR).filter(isAbsolutePath)
      .map((dir) => join(parseAbsPath(dir, "a directory of PATH"), command));
  // As in a shell: a directory of PATH that is closed is none to look in.
  const found = candidates.find((path) => !isShut(path) && isExecutable(path));
  if (found !== undefined) return found;
  throw new AppError(
    "AGENT_NOT_STARTED",
    `Cannot run ${quote(command)}: there is no such program`,
  );
}

function fillRemote(service: RemoteService, filler: Filler): RelayedServer {
  const { name, kind } = service;
  const headers = filler.fillTable(service.headers);
  for (const [header, value] of Object.entries(headers)) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw filler.refusal(`header ${quote(header)} cannot hold its value`);
    }
  }
  const text = filler.fill(service.url);
  if (!URL.canParse(text)) {
    throw filler.refusal("with its values, its address is not one");
  }
  return { name, type: kind, url: new URL(text), headers };
}

interface FillerInput {
  readonly values: ReadonlyMap<SecretKey, SecretValue>;
  /** The agent's: it would fill in the same. */
  readonly variables: Readonly<Record<string, string>>;
  readonly env: OpenEnv;
}

/** Fills in the templates of one service. */
class Filler {
  readonly #service: PlannedService;
  readonly #input: FillerInput;

  constructor(service: PlannedService, input: FillerInput) {
    this.#service = service;
    this.#input = input;
  }

  fillTable(
    table: Readonly<Record<string, string>>,
  ): Record<string, string> {
    return Object.fromEntries(
      Object.entries(table).map(([name, text]) => [name, this.fill(text)]),
    );
  }

  fill(template: string): string {
    return fillReferences(template, {
      secret: (key) => this.#secret(key as SecretKey),
      variable: (name, fallback) => this.#variable(name, fallback),
    });
  }

  refusal(state: string): AppError {
    return new AppError(
      "SECRET_INVALID",
      `Cannot start MCP server ${quote(this.#service.name)} of ${
        quote(this.#input.env.label)
      }: ${state}`,
      { exitCode: ExitCode.refused },
    );
  }

  #secret(key: SecretKey): string {
    const text = this.#input.values.get(key)?.text();
    if (text !== undefined) return text;
    throw this.refusal(`the secret ${quote(key)} is not text`);
  }

  #variable(name: string, fallback: string | undefined): string {
    const value = this.#input.variables[name] ?? fallback;
    if (value !== undefined) return value;
    throw new AppError(
      "VARIABLE_MISSING",
      `Cannot start environment ${quote(this.#input.env.label)}: MCP server ${
        quote(this.#service.name)
      } needs the variable ${name}, which the agent does not get`,
      { hint: `Set it under [vars]`, exitCode: ExitCode.refused },
    );
  }
}
