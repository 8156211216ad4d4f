/** Files that MCP servers of a confined env name and its sandbox closes to them: such a server fails, and does not say why. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  join,
  parent,
  resolveFrom,
  tilde,
} from "../base/paths.ts";
import { escapeControl, quote } from "../base/text.ts";
import { hostDirs, type OpenEnv } from "../env/mod.ts";
import { planSandbox } from "../launch/mod.ts";
import type { Host } from "../os/host.ts";
import { decidePath, heldHere, lookAtPath } from "../sandbox/mod.ts";
import { allowPath } from "./sandbox_allow.ts";

/** What a server is started with; its own program may be run in any case. */
export interface StartedServer {
  readonly name: string;
  readonly words: readonly string[];
  readonly cwd: string | undefined;
}

/** Says of each server what it may not read, and what to type. */
export async function tellClosed(
  servers: readonly StartedServer[],
  env: OpenEnv,
  { host, option }: {
    readonly host: Host;
    readonly option: string | undefined;
  },
): Promise<void> {
  if (!env.manifest.sandbox?.enabled) return;
  const named = servers.flatMap(({ name, words, cwd }) =>
    pathsIn([...words, ...(cwd === undefined ? [] : [cwd])], env, host)
      .map((path) => ({ name, path }))
  );
  if (named.length === 0) return;
  const dirs = hostDirs(host);
  const policy = await policyOrNone(env, host);
  if (policy === undefined) return;
  const isHeld = heldHere(policy);
  for (const { name, path } of named) {
    const { real, kind } = lookAtPath(path);
    if (kind !== "file" && kind !== "directory") continue;
    const dir = kind === "file" ? parent(real) : real;
    const operation = kind === "file" ? "read" : "list";
    if (decidePath(policy, real, { operation, isHeld }).allowed) continue;
    // What lies beside a program belongs to it.
    const answer = decidePath(policy, dir, { operation: "list", isHeld });
    const context = { env, host, dirs, option, server: undefined };
    const hint = allowPath(answer, "directory", context);
    const shown = quote(tilde(real, host.home()));
    host.notice(
      `aenv: MCP server ${quote(name)} may not read ${shown} in the sandbox`,
    );
    if (hint !== undefined) host.notice(escapeControl(`  ${hint}`));
  }
}

/** The places among words, as they are or behind a "=", that are there. */
function pathsIn(
  words: readonly string[],
  env: OpenEnv,
  host: Host,
): AbsPath[] {
  const found = words.map((word) => word.replace(/^-[^=]*=/, "")).flatMap(
    (word) =>
      word.startsWith("/")
        ? [resolveFrom(env.baseDir, word)]
        : word.startsWith("~/")
        ? [join(host.home(), word.slice(2))]
        : [],
  );
  return [...new Set(found)];
}

/** Where a launch would be refused, as in HOME, that is said then. */
async function policyOrNone(env: OpenEnv, host: Host) {
  try {
    const request = { env, program: host.self };
    return (await planSandbox(request, host, hostDirs(host))).policy;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
