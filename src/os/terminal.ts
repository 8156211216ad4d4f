/** Standard output and standard error. */
import { writeAll } from "./host.ts";
import { ioError, osCode } from "./io_error.ts";

/** Writes the whole text to standard output; a reader that went away is not an error: then it returns false. Throws `IO`, for a full disk. */
export function writeOut(text: string): boolean {
  return writeUnlessClosed(Deno.stdout, "standard output", text);
}

/** Writes the whole text to standard error. */
export function writeError(text: string): void {
  writeUnlessClosed(Deno.stderr, "standard error", text);
}

function writeUnlessClosed(
  stream: { writeSync(data: Uint8Array): number },
  name: string,
  text: string,
): boolean {
  try {
    writeAll(stream, text);
    return true;
  } catch (error) {
    const isClosed = osCode(error) === "EPIPE" ||
      error instanceof Deno.errors.BrokenPipe;
    if (!isClosed) throw ioError("write", name, error);
    return false;
  }
}

/** Writes `question` to standard error and reads one line from standard input; undefined when it ends before one. */
export function askLine(question: string): string | undefined {
  writeError(question);
  const bytes: number[] = [];
  const one = new Uint8Array(1);
  while (Deno.stdin.readSync(one) === 1) {
    // A terminal hands over whole lines: byte by byte nothing of the next one is taken.
    if (one[0] === 0x0a) return new TextDecoder().decode(new Uint8Array(bytes));
    bytes.push(one[0]!);
  }
  return undefined;
}

/** How many characters a line of the terminal has; undefined where that cannot be told. */
export function terminalColumns(): number | undefined {
  try {
    const { columns } = Deno.consoleSize();
    return columns > 1 ? columns : undefined;
  } catch (error) {
    if (osCode(error) === undefined) throw error;
    return undefined;
  }
}
