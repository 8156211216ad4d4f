/** Programs that work for long: they can be interrupted, fed, and watched while they run. */
import { concatBytes } from "../base/concat.ts";
import { ioError } from "./io_error.ts";

/** How to run a program. */
export interface CommandOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Text for standard input; empty unless given. */
  readonly input?: string;
  /** Milliseconds after which it is ended. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called twice a second; what it throws ends the program and is thrown. */
  readonly watch?: (() => void) | undefined;
  /** Most bytes kept of each output; a program that writes more is ended. */
  readonly maxOutputBytes: number;
}

/** How a program ended. */
export interface CommandResult {
  /** Exit code; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  /** The bytes that {@link stdout} is the text of. */
  readonly stdoutBytes: Uint8Array<ArrayBuffer>;
  readonly stderr: string;
  /** Why we ended it; undefined when it ended by itself. */
  readonly ended: "timeout" | "output" | undefined;
}

const WATCH_MS = 500;
/** Between asking a program to end and killing it, milliseconds. */
const GRACE_MS = 2000;

/** Runs `program` (an absolute path) to its end. Throws `IO` when it cannot be started, the signal's reason, and what `watch` throws. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const running = new Running(start(program, args, options), options);
  try {
    return await running.finish();
  } finally {
    running.release();
  }
}

function start(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Deno.ChildProcess {
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      env: { ...options.env },
      clearEnv: true,
      stdin: options.input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return child.spawn();
  } catch (error) {
    throw ioError("run", program, error);
  }
}

type Stopped =
  | { readonly reason: "abort" | "timeout" | "output" }
  | { readonly reason: "watch"; readonly error: unknown };

/** One program at work, and everything that may end it. */
class Running {
  readonly #child: Deno.ChildProcess;
  readonly #options: CommandOptions;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #onAbort = () => this.#stop({ reason: "abort" });
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  #hasEnded = false;
  #stopped: Stopped | undefined;

  constructor(child: Deno.ChildProcess, options: CommandOptions) {
    this.#child = child;
    this.#options = options;
    options.signal?.addEventListener("abort", this.#onAbort);
    const onTimeout = () => this.#stop({ reason: "timeout" });
    this.#timers.push(setTimeout(onTimeout, options.timeoutMs));
    if (options.watch) {
      this.#timers.push(setInterval(() => this.#look(), WATCH_MS));
    }
  }

  async finish(): Promise<CommandResult> {
    const [status, stdout, stderr] = await Promise.all([
      this.#child.status.finally(() => this.#afterEnd()),
      this.#collect(this.#child.stdout),
      this.#collect(this.#child.stderr),
      this.#feed(),
    ]);
    const stopped = this.#stopped;
    if (stopped?.reason === "abort") throw this.#options.signal?.reason;
    if (stopped?.reason === "watch") throw stopped.error;
    // What came too fast for the last look.
    this.#options.watch?.();
    const decoder = new TextDecoder();
    return {
      code: status.code,
      stdout: decoder.decode(stdout),
      stdoutBytes: stdout,
      stderr: decoder.decode(stderr),
      ended: stopped?.reason,
    };
  }

  #afterEnd(): void {
    this.#hasEnded = true;
    if (this.#stopped === undefined) return;
    // What the program started may hold the pipes until it notices.
    for (const reader of this.#readers) void reader.cancel();
  }

  release(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #look(): void {
    try {
      this.#options.watch?.();
    } catch (error) {
      this.#stop({ reason: "watch", error });
    }
  }

  /** Asks first: a program may have something to clear away. */
  #stop(why: Stopped): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#kill("SIGTERM");
    this.#timers.push(setTimeout(() => this.#kill("SIGKILL"), GRACE_MS));
  }

  #kill(signal: Deno.Signal): void {
    if (this.#hasEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended a moment ago and we have not been told yet.
      const isGone = error instanceof Deno.errors.NotFound ||
        error instanceof TypeError && /already terminated/.test(error.message);
      if (!isGone) throw error;
    }
  }

  async #feed(): Promise<void> {
    if (this.#options.input === undefined) return;
    const bytes = new TextEncoder().encode(this.#options.input);
    try {
      await ReadableStream.from([bytes]).pipeTo(this.#child.stdin);
    } catch (error) {
      // A program that ended without reading tells by its exit code why.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  async #collect(
    stream: ReadableStream<Uint8Array>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const reader = stream.getReader();
    this.#readers.push(reader);
    const blocks: Uint8Array[] = [];
    let bytes = 0;
    while (true) {
      const { done, value } = await reader.read();
      if (done) return concatBytes(blocks);
      bytes += value.length;
      if (bytes > this.#options.maxOutputBytes) {
        this.#stop({ reason: "output" });
      } else blocks.push(value);
    }
  }
}
