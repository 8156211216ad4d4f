/** Runs programs with exactly the environment a test gives them. */

/** What a finished program left behind. */
export interface Finished {
  /** Exit code; 128+n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@link run} starts a program. */
export interface RunOptions {
  /** The whole environment: nothing of this process is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Text for stdin; none = an empty stdin. */
  readonly stdin?: string;
  /** Default 180,000: enough where much else runs. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Throws, with the output so far, when it takes longer than `timeoutMs`. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<Finished> {
  const timeoutMs = options.timeoutMs ?? 180_000;
  const child = new Deno.Command(program, {
    args: [...args],
    env: { ...options.env },
    clearEnv: true,
    cwd: options.cwd,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (options.stdin !== undefined) await feed(child, options.stdin);
  const stdout = new Gatherer(child.stdout);
  const stderr = new Gatherer(child.stderr);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  const ended = Promise.all([child.status, stdout.done, stderr.done]);
  const winner = await Promise.race([ended, late]);
  clearTimeout(timer);
  if (winner !== "late") {
    return { code: winner[0].code, stdout: stdout.text, stderr: stderr.text };
  }
  // Grandchildren may hold the pipes for ever, so the readers are cancelled.
  child.kill("SIGKILL");
  await Promise.all([child.status, stdout.cancel(), stderr.cancel()]);
  throw new Error(
    `${program} ${args.join(" ")} took more than ${timeoutMs} ms\n` +
      `stdout: ${stdout.text}\nstderr: ${stderr.text}`,
  );
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

/** Collects a stream while it runs, so that a program that hangs can be quoted. */
class Gatherer {
  text = "";
  readonly done: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
    this.done = this.#gather();
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
    await this.done;
  }

  async #gather(): Promise<void> {
    const decoder = new TextDecoder();
    while (true) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      this.text += decoder.decode(value, { stream: true });
    }
  }
}

/** How long {@link waitFor} sleeps between two looks, in milliseconds: a look may be a process, so the longer it takes, the rarer. */
const SLEEP = { first: 10, longest: 60, growth: 1.2 };

/** Polls `condition` until it gives a value. Throws with `what` after `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  condition: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let sleep = SLEEP.first;
  while (Date.now() < end) {
    const value = await condition();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, sleep));
    sleep = Math.min(SLEEP.longest, sleep * SLEEP.growth);
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`);
}
