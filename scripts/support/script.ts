/** What every script shares: words to the terminal, child processes, one way to fail. */

/** A failure that the person at the keyboard can act on; printed without a stack. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

/** What a finished child process left behind. */
export interface Finished {
  readonly success: boolean;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@link capture} and {@link stream} start a child. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Give the child `env` and nothing else. */
  readonly clearEnv?: boolean;
  /** Ends the child with SIGTERM when it fires. */
  readonly signal?: AbortSignal;
}

/** For a `deno` whose output we read: no colours, no Rust backtrace, no foreign package.json. */
export const PLAIN_DENO: Readonly<Record<string, string>> = {
  DENO_NO_PACKAGE_JSON: "1",
  NO_COLOR: "1",
  RUST_BACKTRACE: "0",
  RUST_LIB_BACKTRACE: "0",
};

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Writes one line to stdout. */
export function say(line: string): void {
  writeAll(Deno.stdout, line + "\n");
}

/** Writes one line to stderr. */
export function warn(line: string): void {
  writeAll(Deno.stderr, line + "\n");
}

function writeAll(
  target: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let bytes = ENCODER.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}

/** Runs a program with no stdin and collects its output. Throws `ScriptError` when it cannot be started. */
export async function capture(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const output = await start(program, args, { ...options, output: "piped" })
    .output();
  return {
    success: output.success,
    code: output.code,
    stdout: DECODER.decode(output.stdout),
    stderr: DECODER.decode(output.stderr),
  };
}

/** Runs a program on this terminal and returns its exit code. Throws `ScriptError` when it cannot be started. */
export async function stream(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<number> {
  const child = start(program, args, { ...options, output: "inherit" });
  return (await child.status).code;
}

function start(
  program: string,
  args: readonly string[],
  options: RunOptions & { readonly output: "piped" | "inherit" },
): Deno.ChildProcess {
  const { output, ...common } = options;
  const onWindowsShell = Deno.build.os === "windows" && program === "npm";
  try {
    return new Deno.Command(onWindowsShell ? "npm.cmd" : program, {
      args: [...args],
      ...common,
      stdin: "null",
      stdout: output,
      stderr: output,
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ScriptError(`Cannot run "${program}": not found`, {
      cause: error,
    });
  }
}

/** The repository's root directory, absolute. */
export function repositoryRoot(): string {
  return decodeURIComponent(new URL("../..", import.meta.url).pathname)
    .replace(/^\/([A-Za-z]:)/, "$1").replace(/\/$/, "");
}

/** Runs a script's body and ends the process with its exit code; a `ScriptError` prints as one line. */
export async function runScript(body: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await body());
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    warn(`error: ${error.message}`);
    Deno.exit(1);
  }
}
