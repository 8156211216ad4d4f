/** A home with envs, and commands run in it without the router. */
import type { Command, Outcome } from "../../src/cli/command.ts";
import { hostWith } from "../../src/os/host.ts";
import "./open_libc.ts";
import { TempDir } from "./temp.ts";

/** A home with one named env and one project env. */
export class CommandHome extends TempDir {
  readonly notices: string[] = [];
  readonly #env: Record<string, string>;
  #cwd: string;

  constructor(manifest: string) {
    super();
    for (
      const dir of ["home/.aenv/envs/e", "home/data", "repo/sub", "shared"]
    ) {
      Deno.mkdirSync(`${this.path}/${dir}`, { recursive: true });
    }
    Deno.writeTextFileSync(
      `${this.path}/home/.aenv/envs/e/aenv.toml`,
      manifest,
    );
    Deno.writeTextFileSync(`${this.path}/repo/aenv.toml`, manifest);
    this.#env = {
      HOME: `${this.path}/home`,
      PATH: "/usr/bin:/bin",
      AENV: "e",
      AENV_HOME: `${this.path}/home/.aenv`,
    };
    this.#cwd = this.path;
  }

  /** Goes to a directory of the project, whose manifest counts there. */
  inRepo(dir: string): this {
    this.#env["AENV"] = `${this.path}/repo/aenv.toml`;
    this.#cwd = `${this.path}/repo/${dir}`;
    return this;
  }

  /** Another variable of the caller. */
  set(name: string, value: string): void {
    this.#env[name] = value;
  }

  /** Runs a command as the router would, with what it finds in `args` that begins with a dash as options: `--name` without a value, `--name=value` with one. */
  async run(command: Command, ...args: string[]): Promise<Outcome> {
    const [flags, words] = [true, false].map((isFlag) =>
      args.filter((arg) => arg.startsWith("--") === isFlag)
    ) as [string[], string[]];
    const options = Object.fromEntries(
      flags.map((flag) => {
        const [name, value] = flag.slice(2).split("=");
        return [name!, value ?? true];
      }),
    );
    const host = hostWith({
      env: this.#env,
      cwd: () => this.#cwd as ReturnType<ReturnType<typeof hostWith>["cwd"]>,
      isTerminal: () => false,
      notice: (text) => this.notices.push(text),
    });
    return await command.run({ args: words, options }, host, { table: [] });
  }

  manifest(dir = "home/.aenv/envs/e"): string {
    return Deno.readTextFileSync(`${this.path}/${dir}/aenv.toml`);
  }
}
