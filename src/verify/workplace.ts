/** The temporary directories of a verification. They lie in the launch's own directory, which the next launch removes if this process dies. */
import { claude } from "../agents/mod.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import type { LaunchPlan } from "../launch/mod.ts";
import { readForeignText } from "../os/foreign_file.ts";
import {
  makeDir,
  readDir,
  removeTree,
  symlink,
  writeAtomic,
  writeNew,
} from "../os/fs.ts";

/** Name of the plugin that is added to see the variables of hooks. */
export const CANARY = "aenv-verify";
/** Where the agent keeps its logs below the cache directory. */
const AGENT_CACHE = "claude-cli-nodejs";
/** Largest files that are read, bytes. */
const MAX_VARIABLES = 16 * 1024 * 1024;
const MAX_TRIED = 1024 * 1024;
const MAX_LOG = 4 * 1024 * 1024;

/** Places of one run of the agent. */
export interface Workplace {
  /** What runs in a sandbox may replace it. */
  readonly root: AbsPath;
  /** Empty: stands where the user's login would be. */
  readonly login: AbsPath;
  readonly temp: AbsPath;
  readonly cache: AbsPath;
  /** Empty. */
  readonly empty: AbsPath;
  /** The plugin whose hook writes its environment to `dump`. */
  readonly canary: AbsPath;
  readonly dump: AbsPath;
  /** What the hook's attempts said. */
  readonly tried: AbsPath;
}

/**
 * Makes the places below `root`, which must not exist. `userCache` is shown in ours, entry by entry, but for the agent's own
 * part. `attempt` is a command that the hook runs as well.
 */
export function makeWorkplace(
  root: AbsPath,
  userCache: AbsPath | undefined,
  attempt?: readonly string[],
): Workplace {
  const place = {
    root,
    login: join(root, "login"),
    temp: join(root, "tmp"),
    cache: join(root, "cache"),
    empty: join(root, "empty"),
    canary: join(root, CANARY),
    dump: join(root, "variables"),
    tried: join(root, "tried"),
  };
  for (
    const dir of [root, place.login, place.temp, place.cache, place.empty]
  ) makeDir(dir);
  writeCanary(place, attempt);
  if (userCache !== undefined) showCache(userCache, place.cache);
  return place;
}

function writeCanary(
  { canary, dump, tried }: Pick<Workplace, "canary" | "dump" | "tried">,
  attempt: readonly string[] | undefined,
) {
  makeDir(canary);
  makeDir(join(canary, ".claude-plugin"));
  makeDir(join(canary, "hooks"));
  writeNew(
    join(canary, ".claude-plugin", "plugin.json"),
    JSON.stringify({ name: CANARY }),
  );
  const to = shellWord(dump);
  const show = `env -0 > ${to} 2>/dev/null || env > ${to}`;
  const command = attempt === undefined
    ? show
    : `${show}; ${attempt.map(shellWord).join(" ")} > ${shellWord(tried)} || :`;
  const hooks = {
    SessionStart: [{ hooks: [{ type: "command", command }] }],
  };
  writeNew(join(canary, "hooks", "hooks.json"), JSON.stringify({ hooks }));
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Servers may need their caches (a package runner would fetch everything anew), the agent's logs need a place of their own. */
function showCache(user: AbsPath, ours: AbsPath): void {
  for (const { name } of readDir(user) ?? []) {
    if (name !== AGENT_CACHE) symlink(join(ours, name), join(user, name));
  }
}

/** The environment that the canary's hook had; undefined when it did not run. */
export function readVariables(
  { root, dump }: Workplace,
): Record<string, string> | undefined {
  const text = readForeignText(dump, {
    below: parent(root),
    maxBytes: MAX_VARIABLES,
  });
  if (text === undefined || text === "") return undefined;
  const entries = text.split(text.includes("\0") ? "\0" : "\n");
  return Object.fromEntries(
    entries.filter((entry) => entry.includes("=")).map((entry) => {
      const cut = entry.indexOf("=");
      return [entry.slice(0, cut), entry.slice(cut + 1)];
    }),
  );
}

/** What the attempts of the canary's hook said; undefined when it did not run. */
export function readTried({ root, tried }: Workplace): string | undefined {
  return readForeignText(tried, { below: parent(root), maxBytes: MAX_TRIED });
}

/** Why servers failed, from the agent's logs of this session: server's log name → reasons. */
export function readServerErrors(
  { root, cache }: Workplace,
  session: string,
): Map<string, string[]> {
  const out = new Map<string, string[]>();
  const base = join(cache, AGENT_CACHE);
  for (const project of readDir(base) ?? []) {
    for (const { name } of readDir(join(base, project.name)) ?? []) {
      if (!name.startsWith("mcp-logs-")) continue;
      const dir = join(base, project.name, name);
      const errors = (readDir(dir) ?? []).flatMap((file) =>
        errorsIn(logText(join(dir, file.name), parent(root)), session)
      );
      out.set(name.slice("mcp-logs-".length), errors);
    }
  }
  return out;
}

/** As far as it can be read: whatever runs there may have made anything of it. */
function logText(path: AbsPath, below: AbsPath): string {
  try {
    return readForeignText(path, { below, maxBytes: MAX_LOG }) ?? "";
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return "";
  }
}

function errorsIn(log: string, session: string): string[] {
  return log.split("\n").filter((line) => line.includes('"error"'))
    .map((line) => claude.asRecord(parseJson(line)))
    .filter((entry) => entry["sessionId"] === session)
    .map((entry) => String(entry["error"] ?? "").trim());
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** A server's name as the agent's log directories have it. */
export function logName(server: string): string {
  return server.replace(/[^A-Za-z0-9]/g, "-");
}

/** A list of hosts that are reached without a proxy, with this machine added. */
export function withLoopback(hosts: string | undefined): string {
  return [...(hosts ?? "").split(","), "127.0.0.1"].filter((h) => h !== "")
    .join(",");
}

/** Adds variables to the generated settings file, where they beat those of other files, and takes the login helper out. */
export function putIntoSettings(
  plan: LaunchPlan,
  variables: Readonly<Record<string, string>>,
): void {
  const file = plan.files.find(({ path }) =>
    path.endsWith(claude.SETTINGS_FILE)
  );
  if (file === undefined) return;
  const settings = claude.asRecord(JSON.parse(file.content));
  const env = { ...claude.asRecord(settings["env"]), ...variables };
  writeAtomic(
    file.path,
    JSON.stringify({ ...settings, apiKeyHelper: "", env }, undefined, 2) + "\n",
  );
}

/** Removes what the agent kept for our plugin and this session in the env's config directory. */
export function cleanSlot(configDir: AbsPath, session: string): void {
  removeTree(join(configDir, "plugins", "data", `${CANARY}-inline`));
  if (/^[0-9a-f-]{36}$/.test(session)) {
    removeTree(join(configDir, "session-env", session));
  }
}
