/** Standard output and standard error. */
import { writeAll } from "./host.ts";
import { ioError, osCode } from "./io_error.ts";

/** Writes the whole text to standard output; a reader that went away is not an error. Throws `IO`, for a full disk. */
export function writeOut(text: string): void {
  writeUnlessClosed(Deno.stdout, "standard output", text);
}

/** Writes the whole text to standard error. */
export function writeError(text: string): void {
  writeUnlessClosed(Deno.stderr, "standard error", text);
}

function writeUnlessClosed(
  stream: { writeSync(data: Uint8Array): number },
  name: string,
  text: string,
): void {
  try {
    writeAll(stream, text);
  } catch (error) {
    const isClosed = osCode(error) === "EPIPE" ||
      error instanceof Deno.errors.BrokenPipe;
    if (!isClosed) throw ioError("write", name, error);
  }
}
