/** A user with aenv, an env `work` that exposes its secrets, and a real keyring. */

import { aenvBinary } from "../support/aenv.ts";
import { SessionBus, type SessionBusOptions } from "../support/keyring.ts";
import { type Finished, run } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";

/** What one call may differ in. */
export interface Call {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Use with `await using`. */
export class SecretsWorld implements AsyncDisposable {
  readonly #temp = new TempDir();
  readonly bus: SessionBus;
  readonly home: string;
  /** All that any call printed. */
  printed = "";

  private constructor(bus: SessionBus) {
    this.bus = bus;
    this.home = `${this.#temp.path}/home`;
    Deno.mkdirSync(this.home);
  }

  static async open(options: SessionBusOptions = {}): Promise<SecretsWorld> {
    const world = new SecretsWorld(await SessionBus.start(options));
    await world.must(["init", "--no-default"]);
    world.writeEnv("work", []);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus[Symbol.asyncDispose]();
    this.#temp[Symbol.dispose]();
  }

  /** Writes the manifest of an env that exposes these keys. */
  writeEnv(name: string, keys: readonly string[]): void {
    const dir = `${this.home}/.aenv/envs/${name}`;
    Deno.mkdirSync(dir, { recursive: true });
    const env = keys.map((key, i) => `V${i} = "\${secret:${key}}"`).join(", ");
    Deno.writeTextFileSync(
      `${dir}/aenv.toml`,
      `[env]
name = "${name}"
[secrets]
expose = "env"
[mcp.tool]
command = "tool"
env = { ${env} }
`,
    );
  }

  get env(): Record<string, string> {
    return { HOME: this.home, PATH: "/usr/bin:/bin", ...this.bus.env };
  }

  /** Runs `aenv ARGS`. */
  async run(args: readonly string[], call: Call = {}): Promise<Finished> {
    const done = await run(aenvBinary(), args, {
      env: { ...this.env, ...call.env },
      cwd: call.cwd ?? this.home,
      stdin: call.stdin ?? "",
    });
    this.printed += done.stdout + done.stderr;
    return done;
  }

  /** Runs `aenv ARGS`. Throws unless it succeeds. */
  async must(args: readonly string[], call: Call = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, call);
    if (code === 0) return stdout;
    throw new Error(`aenv ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  /** Runs a shell script in which `$AENV` is the program, as a user's pipes do. */
  async shell(script: string): Promise<Finished> {
    const env = { ...this.env, AENV_BIN: aenvBinary() };
    const done = await run("/bin/sh", ["-c", script], { env, cwd: this.home });
    this.printed += done.stdout + done.stderr;
    return done;
  }

  /** Keeps a value in `work`. */
  async keep(key: string, value: string): Promise<void> {
    await this.must(["secrets", "add", key, "-E", "work"], { stdin: value });
  }

  /** What a program that is run in `work` finds in a variable; nothing of it counts as printed by aenv. */
  async exposed(variable: string): Promise<string> {
    const args = [
      "exec",
      "-E",
      "work",
      "--",
      "sh",
      "-c",
      `printf %s "$${variable}"`,
    ];
    const { code, stdout, stderr } = await run(aenvBinary(), args, {
      env: this.env,
      cwd: this.home,
    });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }

  /** Rows of `secrets list`: key → state. */
  async states(): Promise<Record<string, string>> {
    const text = await this.must(["secrets", "list", "-E", "work", "--json"]);
    const rows = JSON.parse(text) as { key: string; state: string }[];
    return Object.fromEntries(rows.map(({ key, state }) => [key, state]));
  }

  /** The value that another program finds under a key, as hexadecimal digits; undefined when it finds none. */
  async inKeyring(key: string): Promise<string | undefined> {
    const script =
      `secret-tool lookup application aenv key ${key} | od -An -v -tx1`;
    const { stdout } = await this.bus.run("sh", ["-c", script]);
    return stdout === "" ? undefined : stdout.replace(/\s/g, "");
  }
}
