/** What to type so that a sandbox gives what it does not give. */
import type { Dirs } from "../base/dirs.ts";
import { parent, tilde } from "../base/paths.ts";
import { quote, shellWord } from "../base/text.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import { checkLine, type HostAnswer, type PathAnswer } from "../sandbox/mod.ts";

/** Whose sandbox it is, and how it was named. */
export interface AllowContext {
  readonly env: OpenEnv;
  readonly host: Host;
  readonly dirs: Dirs;
  /** What `-E` named. */
  readonly option: string | undefined;
  /** The MCP server whose own sandbox it is. */
  readonly server: string | undefined;
}

/** For a path that may not be read, written or run; undefined where it may, or where the answer says all. */
export function allowPath(
  { allowed, operation, path, protection, sealed, why }: PathAnswer,
  kind: "file" | "directory" | "missing",
  context: AllowContext,
): string | undefined {
  if (allowed || sealed || protection !== undefined) return undefined;
  const home = context.host.home();
  const isRead = operation === "read" || operation === "list" ||
    operation === "exec";
  const line = {
    path: tilde(path, home),
    access: isRead ? "ro" : "rw",
  } as const;
  const { refusal } = checkLine(line, {
    home,
    aenvHome: context.dirs.root,
    baseDir: context.env.baseDir,
    searchPath: context.host.env["PATH"] ?? "",
  });
  if (refusal !== undefined) {
    return why.includes(refusal)
      ? undefined
      : `Nothing can grant it: ${refusal}`;
  }
  if (operation === "exec") {
    const dir = quote(tilde(parent(path), home));
    return `To allow it: add ${dir} to path_dirs ${under(context)}`;
  }
  if (context.server !== undefined) {
    const text = quote(`${line.path}:${line.access}`);
    return `To allow it: add ${text} to paths ${under(context)}`;
  }
  const words = kind === "missing"
    ? "To allow it, make it, and"
    : "To allow it:";
  const option = context.option && ` -E ${shellWord(context.option)}`;
  const suffix = line.access === "rw" ? ":rw" : "";
  return `${words} aenv mount add ${typed(line.path)}${suffix}${option ?? ""}`;
}

/** For a host that may not be connected to. */
export function allowHost(
  { allowed, entry }: HostAnswer,
  context: AllowContext,
): string | undefined {
  if (allowed || entry === undefined) return undefined;
  return `To allow it: add ${quote(entry)} to network.allow ${under(context)}`;
}

function under({ env, server, host }: AllowContext): string {
  const table = server === undefined ? "sandbox" : `mcp.${server}.sandbox`;
  return `under [${table}] in ${tilde(env.manifestPath, host.home())}`;
}

/** A path as a shell takes it, with its `~`. */
function typed(path: string): string {
  return path.startsWith("~/")
    ? `~/${shellWord(path.slice(2))}`
    : shellWord(path);
}
