/** A terminal with a shell in it that a test types into: tmux on a socket of its own. */

import { run, waitFor } from "./process.ts";

/** How long anything may take before the test fails, in milliseconds. */
const DEADLINE_MS = 90_000;

/** The shell's prompt: exit code of the last command, and how many commands there were. */
const PROMPT = /^R(\d+)#(\d+)>$/;

/** How {@link Tmux.open} starts the shell. */
export interface TmuxOptions {
  readonly cwd: string;
  /** The shell's whole environment, but for what tmux itself sets. */
  readonly env: Readonly<Record<string, string>>;
}

/** A bash with job control. Use with `await using`. */
export class Tmux implements AsyncDisposable {
  readonly #directory: string;
  #commands = 1;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens a terminal of 120 by 40 and waits for the first prompt. */
  static async open({ cwd, env }: TmuxOptions): Promise<Tmux> {
    // A socket's path has room for some 100 characters, so it does not go below the test's directory.
    const tmux = new Tmux(await Deno.makeTempDir({ prefix: "tmux-" }));
    const rc = `${tmux.#directory}/bashrc`;
    await Deno.writeTextFile(rc, "PS1='R$?#\\#> '\n");
    const variables = { TERM: "screen-256color", ...env };
    await tmux.#command([
      ...["-f", "/dev/null", "new-session", "-d"],
      ...["-x", "120", "-y", "40", "-c", cwd],
      ...["env", "-i"],
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...["bash", "--noprofile", "--rcfile", rc, "-i"],
    ]);
    await tmux.#prompt();
    return tmux;
  }

  /** Types a command and Enter. */
  async start(command: string): Promise<void> {
    this.#commands += 1;
    await this.type(command);
  }

  /** Types text and Enter. */
  async type(text: string): Promise<void> {
    await this.#command(["send-keys", "-l", "--", text]);
    await this.keys("Enter");
  }

  /** Pastes text, as a terminal does it: marked where the program asked for that. */
  async paste(text: string): Promise<void> {
    await this.#command(["set-buffer", "--", text]);
    await this.#command(["paste-buffer", "-p", "-d"]);
  }

  /** Sends keys by tmux's names: `C-c`, `Escape`. */
  async keys(...names: readonly string[]): Promise<void> {
    await this.#command(["send-keys", ...names]);
  }

  /** Waits until the shell asks for the next command; returns the exit code of the last one. */
  async exitCode(): Promise<number> {
    const code = await this.#prompt();
    await this.#command(["clear-history"]);
    return code;
  }

  /** The lines on the screen, without the empty ones. */
  async screen(): Promise<readonly string[]> {
    const text = await this.#command(["capture-pane", "-p"]);
    return text.split("\n").map((line) => line.trimEnd())
      .filter((line) => line !== "");
  }

  /** Waits until a line matches, and not one of an earlier command's; returns the screen. */
  waitForLine(pattern: RegExp): Promise<readonly string[]> {
    return this.waitForScreen(
      `a line like ${pattern}`,
      (lines) => this.#sinceStart(lines).some((line) => pattern.test(line)),
    );
  }

  /** The lines from where the last command was typed, if that is still on the screen. */
  #sinceStart(lines: readonly string[]): readonly string[] {
    const prompt = new RegExp(`^R\\d+#${this.#commands - 1}>`);
    const at = lines.findLastIndex((line) => prompt.test(line));
    return lines.slice(Math.max(at, 0));
  }

  /** Waits until the screen is as `isDone` wants it; returns it. Throws with the screen. */
  async waitForScreen(
    what: string,
    isDone: (lines: readonly string[]) => boolean,
  ): Promise<readonly string[]> {
    let lines: readonly string[] = [];
    try {
      return await waitFor(what, async () => {
        lines = await this.screen();
        return isDone(lines) ? lines : undefined;
      }, DEADLINE_MS);
    } catch (cause) {
      throw new Error(`${what}: the screen is\n${lines.join("\n")}`, { cause });
    }
  }

  /** Makes the terminal larger or smaller. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#command(["resize-window", "-x", `${columns}`, "-y", `${rows}`]);
  }

  /** Process id of the job in the foreground. */
  async foreground(): Promise<number> {
    return (await stateOf(await this.#shell()))!.foreground;
  }

  /** Hangs up, and waits until the shell and its job are gone: they may still be writing. */
  async [Symbol.asyncDispose](): Promise<void> {
    const processes = [await this.#shell(), await this.foreground()];
    await this.#command(["kill-server"]);
    for (const pid of processes) {
      await waitFor(
        `the end of process ${pid}`,
        async () => await stateOf(pid) === undefined || undefined,
      );
    }
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #shell(): Promise<number> {
    return Number(await this.#command(["display", "-p", "#{pane_pid}"]));
  }

  async #prompt(): Promise<number> {
    const lines = await this.waitForScreen(
      `prompt ${this.#commands}`,
      (lines) => PROMPT.exec(lines.at(-1) ?? "")?.[2] === `${this.#commands}`,
    );
    return Number(PROMPT.exec(lines.at(-1)!)![1]);
  }

  async #command(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run("tmux", [
      ...["-u", "-S", `${this.#directory}/socket`],
      ...args,
    ], {
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LANG: "C.UTF-8" },
      cwd: "/",
    });
    if (code === 0) return stdout;
    throw new Error(`tmux ${args.join(" ")}: exit ${code}\n${stderr}`);
  }
}

interface ProcessState {
  /** The process group in the foreground of its terminal: the id of that group's first process. */
  readonly foreground: number;
}

/** The state of a process; undefined when it has ended, even if nobody asked for its exit code yet. */
async function stateOf(pid: number): Promise<ProcessState | undefined> {
  const text = Deno.build.os === "linux"
    ? await procStat(pid)
    : await ps(pid, "stat=,tpgid=");
  const fields = text.trim().split(/\s+/);
  const [state, foreground] = [fields[0]!, fields.at(-1)!];
  return /^[ZX]?$/.test(state[0] ?? "")
    ? undefined
    : { foreground: Number(foreground) };
}

/** Fields 3 to 8 of /proc/PID/stat: from the state to the terminal's foreground group. */
async function procStat(pid: number): Promise<string> {
  try {
    const text = await Deno.readTextFile(`/proc/${pid}/stat`);
    // The name, in brackets, may hold anything: count from its end.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields.slice(0, 6).join(" ");
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      /\(os error 3\)/.test(String(error));
    if (isGone) return "";
    throw error;
  }
}

/** The program file that a process runs. */
export async function programOf(pid: number): Promise<string> {
  return Deno.build.os === "linux"
    ? await Deno.readLink(`/proc/${pid}/exe`)
    : await Deno.realPath((await ps(pid, "comm=")).trim());
}

async function ps(pid: number, columns: string): Promise<string> {
  const args = ["-o", columns, "-p", `${pid}`];
  return (await run("/bin/ps", args, { env: {}, cwd: "/" })).stdout;
}
