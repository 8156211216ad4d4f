/** A home with envs for the shell tests, and one interactive shell in it. */
import { rcLine, type Shell, shellInit } from "../../src/shell/mod.ts";
import { aenvBinary } from "../support/aenv.ts";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { Terminal, type TerminalOptions } from "./shell_terminal.ts";

/** The shells under test. */
export const ALL_SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** HOME, aenv home with the envs `work`, `play` and `other`, and room for projects. */
export class ShellWorld implements Disposable {
  readonly #temp = new TempDir("aenv-shell-");
  readonly home: string;
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;

  private constructor(rootName: string) {
    this.home = `${this.#temp.path}/home`;
    this.root = `${this.#temp.path}/${rootName}`;
    Deno.mkdirSync(this.home);
    this.env = {
      HOME: this.home,
      AENV_HOME: this.root,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LC_ALL: "C.UTF-8",
    };
  }

  /** Makes the home with the program's own commands. `rootName` is the aenv home's directory name. */
  static async make(rootName = "aenv-home"): Promise<ShellWorld> {
    const world = new ShellWorld(rootName);
    await world.aenv("init", "--no-default");
    for (const name of ["work", "play", "other"]) await world.aenv("new", name);
    return world;
  }

  /** Runs the program; throws unless it succeeds. Returns its output. */
  async aenv(...args: string[]): Promise<string> {
    const done = await run(aenvBinary(), args, {
      env: this.env,
      cwd: this.home,
    });
    if (done.code === 0) return done.stdout;
    throw new Error(`aenv ${args.join(" ")}: ${done.code} ${done.stderr}`);
  }

  /** A new directory below HOME; `files` are written into it. */
  project(name: string, files: Readonly<Record<string, string>> = {}): string {
    const path = `${this.home}/${name}`;
    Deno.mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${path}/${file}`, text);
    }
    return path;
  }

  /** An executable script in the world; returns its path. */
  script(name: string, text: string): string {
    const path = `${this.#temp.path}/${name}`;
    Deno.writeTextFileSync(path, text, { mode: 0o755 });
    return path;
  }

  /** Writes a file, or makes it `size` bytes of nothing. */
  write(path: string, content: string | { readonly size: number }): void {
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else {
      using file = Deno.openSync(path, { create: true, write: true });
      file.truncateSync(content.size);
    }
  }

  /** Removes a file or a whole directory. */
  remove(path: string): void {
    Deno.removeSync(path, { recursive: true });
  }

  /** Lines of a file in HOME. */
  lines(name: string): string[] {
    return Deno.readTextFileSync(`${this.home}/${name}`).split("\n");
  }

  /** Names in HOME. */
  names(): string[] {
    return [...Deno.readDirSync(this.home)].map((entry) => entry.name);
  }

  /** The text of a file in the world; empty when there is none. */
  read(name: string): string {
    try {
      return Deno.readTextFileSync(`${this.#temp.path}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  /** The file with our script as if `self` were the program; returns the line that reads it. */
  sourceLine(shell: Shell, self: string): string {
    const text = shellInit({
      shell,
      self,
      shims: `${this.root}/shims`,
      root: this.root,
      commands: [],
    });
    return `source ${this.script(`init.${shell}`, text)}`;
  }

  /** Opens an interactive shell whose start-up file has our line. */
  async open(
    shell: Shell,
    options: Partial<TerminalOptions> = {},
  ): Promise<Terminal> {
    return await Terminal.open({
      shell,
      home: this.home,
      init: rcLine(shell, aenvBinary()),
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}
