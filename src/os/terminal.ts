/** Standard output and standard error. */
import { writeAll } from "./host.ts";
import { osCode } from "./io_error.ts";

/** Writes the whole text to standard output; a reader that went away is not an error. */
export function writeOut(text: string): void {
  writeUnlessClosed(Deno.stdout, text);
}

/** Writes the whole text to standard error. */
export function writeError(text: string): void {
  writeUnlessClosed(Deno.stderr, text);
}

function writeUnlessClosed(
  stream: { writeSync(data: Uint8Array): number },
  text: string,
): void {
  try {
    writeAll(stream, text);
  } catch (error) {
    if (
      osCode(error) !== "EPIPE" && !(error instanceof Deno.errors.BrokenPipe)
    ) throw error;
  }
}

/** Ends the process. */
export function exit(code: number): never {
  Deno.exit(code);
}
