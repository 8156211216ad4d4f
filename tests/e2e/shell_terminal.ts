/** A real interactive shell in a real terminal: tmux on a socket of its own. */
import type { Shell } from "../../src/shell/mod.ts";
import { waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";

/** How long anything may take before the test fails, in milliseconds. */
const DEADLINE = 90_000;

/** What the start-up file holds before our line: a prompt `P<status>> ` in the plainest form of each shell. */
const PLAIN_PROMPT: Readonly<Record<Shell, string>> = {
  bash: "PS1='P$?> '",
  zsh: "PROMPT='P%?> '",
  fish: `set -g fish_greeting
function fish_title; end
function fish_prompt
    builtin printf 'P%s> ' $status
end`,
};

const PROMPT_LINE = /^(\[[^\]]*\] )?P(\d+)> /gm;

/** What one command line printed, and the prompt that followed. */
export interface Answer {
  readonly output: string;
  /** `[name] ` or nothing. */
  readonly marker: string;
  /** The exit status that the prompt saw. */
  readonly status: number;
}

/** How a terminal is started. */
export interface TerminalOptions {
  readonly shell: Shell;
  /** An empty directory of the test's: becomes HOME. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Directory to start in; HOME unless given. */
  readonly cwd?: string;
  /** Lines of the start-up file before ours. */
  readonly before?: string;
  /** Replaces our line. */
  readonly init?: string;
  /** Lines behind ours. */
  readonly after?: string;
}

/** A shell that is being typed into. */
export class Terminal implements AsyncDisposable {
  readonly #dir = new TempDir("aenv-tmux-");
  #prompts = 0;
  readonly #shell: Shell;

  private constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Starts the shell and waits for its first prompt. */
  static async open(options: TerminalOptions): Promise<Terminal> {
    const { shell, home } = options;
    const terminal = new Terminal(shell);
    await writeRc(options);
    const env = {
      HOME: home,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LC_ALL: "C.UTF-8",
      TERM: "screen",
      XDG_CONFIG_HOME: `${home}/.config`,
      XDG_DATA_HOME: `${home}/.local/share`,
      ...options.env,
    };
    const program = shell === "bash"
      ? ["bash", "--noprofile", "--rcfile", `${home}/.bashrc`, "-i"]
      : shell === "zsh"
      ? ["zsh", "-d", "-i"]
      : ["fish", "-i"];
    await terminal.#tmux([
      "-f",
      "/dev/null",
      ...["set-option", "-g", "history-limit", "20000", ";"],
      ...["new-session", "-d", "-x", "220", "-y", "50"],
      ...["-c", options.cwd ?? home],
      "env",
      "-i",
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...program,
    ]);
    await terminal.prompt();
    return terminal;
  }

  /** Types a line and waits for the prompt that follows. */
  async run(line: string): Promise<Answer> {
    await this.type(line);
    return await this.prompt();
  }

  /** Types a line and Enter. */
  async type(line: string): Promise<void> {
    await this.write(line);
    await this.keys("Enter");
  }

  /** Types text. */
  async write(text: string): Promise<void> {
    if (text !== "") await this.#tmux(["send-keys", "-l", "--", text]);
  }

  /** Sends keys by tmux's names: `Tab`, `C-c`. */
  async keys(...names: string[]): Promise<void> {
    await this.#tmux(["send-keys", ...names]);
  }

  /** Waits for the next prompt. */
  async prompt(): Promise<Answer> {
    const screen = await this.waitFor((text) => {
      const prompts = [...text.matchAll(PROMPT_LINE)];
      const last = prompts.at(-1);
      return prompts.length > this.#prompts && last !== undefined &&
        text.slice(last.index + last[0].length).trim() === "";
    }, `prompt ${this.#prompts + 1}`);
    const prompts = [...screen.matchAll(PROMPT_LINE)];
    const last = prompts.at(-1)!;
    const before = prompts[this.#prompts - 1];
    this.#prompts = prompts.length;
    const typed = before ? screen.indexOf("\n", before.index) + 1 : 0;
    return {
      output: screen.slice(typed, last.index).trimEnd(),
      marker: last[1] ?? "",
      status: Number(last[2]),
    };
  }

  /** Waits until the screen is as `isDone` wants it; returns it. */
  async waitFor(
    isDone: (screen: string) => boolean,
    what: string,
  ): Promise<string> {
    let screen = "";
    try {
      return await waitFor(what, async () => {
        screen = await this.screen();
        return isDone(screen) ? screen : undefined;
      }, DEADLINE);
    } catch (cause) {
      throw new Error(`${this.#shell} shows:\n${screen}`, { cause });
    }
  }

  /** All that was printed so far. */
  async screen(): Promise<string> {
    return await this.#tmux(["capture-pane", "-p", "-J", "-S", "-"]);
  }

  /** Process id of the shell. */
  async pid(): Promise<number> {
    return Number(await this.#tmux(["display-message", "-p", "#{pane_pid}"]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pid = await this.pid();
    await this.#tmux(["kill-server"]);
    // A shell writes its history into HOME when it is hung up on.
    await waitFor("the end of the shell", async () => {
      const alive = await new Deno.Command("kill", {
        args: ["-0", String(pid)],
        stderr: "null",
      }).output();
      return alive.success ? undefined : true;
    });
    this.#dir[Symbol.dispose]();
  }

  async #tmux(args: readonly string[]): Promise<string> {
    const result = await new Deno.Command("tmux", {
      args: ["-u", "-S", `${this.#dir.path}/socket`, ...args],
      env: { TMUX: "", LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    if (!result.success) {
      throw new Error(`tmux ${args[0]}: ${decoder.decode(result.stderr)}`);
    }
    return decoder.decode(result.stdout);
  }
}

async function writeRc(options: TerminalOptions): Promise<void> {
  const { shell, home } = options;
  const file = shell === "fish"
    ? `${home}/.config/fish/config.fish`
    : `${home}/.${shell}rc`;
  const lines = [
    PLAIN_PROMPT[shell],
    options.before ?? "",
    options.init ?? "",
    options.after ?? "",
  ];
  await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeTextFile(file, lines.join("\n") + "\n");
}
