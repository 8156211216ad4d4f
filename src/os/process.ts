/** Other processes: running them, and telling whether one still lives. */
import { ioError } from "./io_error.ts";
import { readText } from "./fs.ts";

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

/** Runs `program` (an absolute path) and waits. Throws `IO` when it cannot be started. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const captured = options.output !== "inherit";
  const command = new Deno.Command(program, {
    args: [...args],
    env: { ...options.env },
    clearEnv: true,
    stdin: options.stdin ?? "null",
    stdout: captured ? "piped" : "inherit",
    stderr: captured ? "piped" : "inherit",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let timedOut = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const child = command.spawn();
    if (options.timeout !== undefined) {
      timer = setTimeout(() => {
        timedOut = true;
        child.kill("SIGKILL");
      }, options.timeout);
    }
    if (!captured) {
      const status = await child.status;
      return { code: status.code, stdout: "", stderr: "", timedOut };
    }
    const output = await child.output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
      timedOut,
    };
  } catch (error) {
    throw ioError("run", program, error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * When the process with this id started, as an opaque text that no later process with the same id shares;
 * undefined when there is no such process. Linux: field 22 of proc_pid_stat(5). macOS: `ps -o lstart`.
 */
export function processStart(pid: number): string | undefined {
  if (Deno.build.os === "linux") {
    // The command name, field 2, may hold spaces and parentheses: count from the last one.
    const line = readText(`/proc/${pid}/stat`);
    return line?.slice(line.lastIndexOf(")") + 2).split(" ")[19];
  }
  if (Deno.build.os === "windows") return undefined;
  const output = new Deno.Command("/bin/ps", {
    args: ["-o", "lstart=", "-p", String(pid)],
    env: { LC_ALL: "C" },
    clearEnv: true,
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(output.stdout).trim();
  return text === "" ? undefined : text.replace(/[^A-Za-z0-9]+/g, "_");
}

/** Waits for some milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
