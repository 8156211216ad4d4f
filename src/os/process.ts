/** Other processes: running them, and telling whether one still lives. */
import { ioError } from "./io_error.ts";
import { readBytes } from "./fs.ts";

/** How to run a program. */
export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; the caller's is never inherited by accident. */
  readonly env: Readonly<Record<string, string>>;
  /** `inherit` shares our descriptors; output is captured unless given. */
  readonly stdin?: "inherit" | "null";
  readonly output?: "capture" | "inherit";
  /** Milliseconds after which the program is killed. */
  readonly timeout?: number;
}

/** How a program ended. */
export interface RunResult {
  /** Exit code; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs `program` (an absolute path) and waits until it and its output have ended. Throws `IO` when it cannot be started. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const child = spawn(program, args, options);
  const outputs = options.output === "inherit"
    ? []
    : [new Output(child.stdout), new Output(child.stderr)];
  let ended = false;
  let timedOut = false;
  const timer = options.timeout === undefined ? undefined : setTimeout(() => {
    timedOut = true;
    if (!ended) child.kill("SIGKILL");
    // A process that the program started may hold the pipes for as long as it likes.
    for (const output of outputs) output.cancel();
  }, options.timeout);
  try {
    const { code } = await child.status;
    ended = true;
    const [stdout = "", stderr = ""] = await Promise.all(
      outputs.map((output) => output.text),
    );
    return { code, stdout, stderr, timedOut };
  } finally {
    clearTimeout(timer);
  }
}

function spawn(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Deno.ChildProcess {
  const output = options.output === "inherit" ? "inherit" : "piped";
  try {
    return new Deno.Command(program, {
      args: [...args],
      env: { ...options.env },
      clearEnv: true,
      stdin: options.stdin ?? "null",
      stdout: output,
      stderr: output,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
  } catch (error) {
    throw ioError("run", program, error);
  }
}

/** Reads a pipe to its end, or until it is cancelled. */
class Output {
  readonly text: Promise<string>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
    this.text = this.#readAll();
  }

  cancel(): void {
    void this.#reader.cancel();
  }

  async #readAll(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    while (true) {
      const { done, value } = await this.#reader.read();
      if (done) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
    }
  }
}

/**
 * When the process with this id started, as an opaque text that no later process with the same id shares; undefined when there
 * is no such process, or it has ended and nobody has asked how. Linux: field 22 of proc_pid_stat(5). macOS: `ps -o lstart`.
 */
export function processStart(pid: number): string | undefined {
  if (Deno.build.os === "linux") {
    const fields = procStat(pid);
    return /[ZX]/.test(fields?.[0] ?? "X") ? undefined : fields?.[19];
  }
  return psColumn(pid, "lstart")?.replace(/[^A-Za-z0-9]+/g, "_");
}

/** The process that a process belongs to; undefined when there is no such process. */
export function parentOf(pid: number): number | undefined {
  const text = Deno.build.os === "linux"
    ? procStat(pid)?.[1]
    : psColumn(pid, "ppid");
  return text === undefined ? undefined : Number(text);
}

/** Whether a process was stopped and can be continued. */
export function isStopped(pid: number): boolean {
  const state = Deno.build.os === "linux"
    ? procStat(pid)?.[0]
    : psColumn(pid, "stat");
  return /^[Tt]/.test(state ?? "");
}

/** The fields of proc_pid_stat(5) from the third on; undefined when there is no such process. */
function procStat(pid: number): string[] | undefined {
  // The command name, field 2, may hold spaces and parentheses: count from the last one.
  // It is cut to 15 bytes, which need not be whole characters.
  const bytes = readBytes(`/proc/${pid}/stat`);
  const line = bytes && new TextDecoder("latin1").decode(bytes);
  return line?.slice(line.lastIndexOf(")") + 2).split(" ");
}

/** What ps(1) says of a process; undefined when there is none. */
function psColumn(pid: number, column: string): string | undefined {
  if (Deno.build.os === "windows") return undefined;
  const output = new Deno.Command("/bin/ps", {
    args: ["-o", `${column}=`, "-p", String(pid)],
    env: { LC_ALL: "C" },
    clearEnv: true,
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(output.stdout).trim();
  return text === "" ? undefined : text;
}

/** Waits for some milliseconds, or until the signal is aborted. */
export function sleep(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
