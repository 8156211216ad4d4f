/** Files that are neither regular files nor directories. */
import { ifExists } from "./io_error.ts";

/** What `path` leads to when it is a special file; undefined for everything else and for nothing. */
export function specialKind(
  path: string,
): "socket" | "device" | "pipe" | undefined {
  return ifExists("look at", path, () => {
    const info = Deno.statSync(path);
    if (info.isSocket) return "socket";
    if (info.isFifo) return "pipe";
    return info.isCharDevice || info.isBlockDevice ? "device" : undefined;
  });
}

/** The terminal on one of the standard descriptors, by its name; undefined where there is none or the system does not tell. */
export function terminalPath(): string | undefined {
  for (const fd of [0, 1, 2]) {
    const target = ifExists(
      "read",
      `/proc/self/fd/${fd}`,
      () => Deno.readLinkSync(`/proc/self/fd/${fd}`),
    );
    if (target !== undefined && /^\/dev\/(pts\/\d+|tty\w*\d)$/.test(target)) {
      return target;
    }
  }
  return undefined;
}
