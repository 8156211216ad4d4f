/** Trying things that may be forbidden: what the system says, and nothing else. What could be opened is closed at once. */
import { osCode } from "./io_error.ts";

/** What the system said: `done`, or the code of its error (`EACCES`), or `other` for what is neither. */
export type Outcome = string;

const ERRNO_NAMES: Readonly<Record<string, string>> = {
  "1": "EPERM",
  "13": "EACCES",
  "97": "EAFNOSUPPORT",
  "101": "ENETUNREACH",
  "111": "ECONNREFUSED",
};

/** Opens a file, to read or to write; nothing is read or written. */
export function tryOpen(path: string, how: "read" | "write"): Outcome {
  return outcomeOf(() => Deno.openSync(path, { [how]: true }).close());
}

/** Lists a directory. */
export function tryList(path: string): Outcome {
  return outcomeOf(() => {
    for (const _ of Deno.readDirSync(path)) return;
  });
}

/** Reads where a symbolic link leads. */
export function tryReadLink(path: string): Outcome {
  return outcomeOf(() => Deno.readLinkSync(path));
}

/** Connects to an address, and closes. `sent` is sent first, and the first line of the answer returned in the place of `done`. */
export async function tryConnect(
  { address, port }: { readonly address: string; readonly port: number },
  { timeoutMs, sent }: { readonly timeoutMs: number; readonly sent?: string },
): Promise<Outcome> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    using connection = await Deno.connect({
      ...{ hostname: address, port },
      signal: late,
    });
    if (sent === undefined) return "done";
    await connection.write(new TextEncoder().encode(sent));
    const buffer = new Uint8Array(512);
    const count = await connection.read(buffer) ?? 0;
    const text = new TextDecoder().decode(buffer.subarray(0, count));
    return text.split("\r\n", 1)[0]!;
  } catch (error) {
    return late.aborted ? "timeout" : codeOf(error);
  }
}

function outcomeOf(attempt: () => void): Outcome {
  try {
    attempt();
    return "done";
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): Outcome {
  if (!(error instanceof Error)) throw error;
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return (number && ERRNO_NAMES[number]) ?? osCode(error) ?? "other";
}
