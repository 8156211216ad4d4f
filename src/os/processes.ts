/** Other processes of this user. */
import { ifExists, osCode } from "./io_error.ts";

/** A process, and what its environment was when it began. */
export interface RunningProcess {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The processes of this user whose program is called `name` (at most 15 characters). None where the system cannot tell. */
export function processesCalled(name: string): RunningProcess[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc")].flatMap((entry) => {
    if (!/^\d+$/.test(entry.name)) return [];
    if (readProc(entry.name, "comm")?.trimEnd() !== name) return [];
    const text = readProc(entry.name, "environ");
    if (text === undefined) return [];
    return [{ pid: Number(entry.name), env: variables(text) }];
  });
}

function variables(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split("\0").filter((pair) => pair.includes("=")).map((pair) => {
      const cut = pair.indexOf("=");
      return [pair.slice(0, cut), pair.slice(cut + 1)];
    }),
  );
}

/** A file of a process; undefined when it has ended, or belongs to somebody else. */
function readProc(pid: string, file: string): string | undefined {
  const path = `/proc/${pid}/${file}`;
  try {
    return ifExists("read", path, () => Deno.readTextFileSync(path));
  } catch (error) {
    const code = osCode((error as Error).cause);
    // A process that ends between opening and reading has an error without a code.
    const isGone = /\(os error 3\)/.test(String(error));
    if (!isGone && code !== "EACCES" && code !== "EPERM") throw error;
    return undefined;
  }
}
