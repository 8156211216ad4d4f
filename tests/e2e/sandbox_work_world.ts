/** A user with a confined env and a project, and programs that run there as the agent's tools would. */
import assert from "node:assert/strict";
import { asUser, chown, claimAs, type User } from "../enforcement/world.ts";
import { aenvBinary } from "../support/aenv.ts";
import { type Finished, run } from "../support/process.ts";
import { NpmRegistry } from "../support/sources/npm_registry.ts";
import { TempDir } from "../support/temp.ts";

const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Use with `using`. */
export class WorkWorld implements Disposable {
  readonly #temp = new TempDir("aenv-work-");
  readonly root = this.#temp.path;
  readonly home = `${this.root}/home`;
  readonly project = `${this.home}/work/project`;
  readonly #user: User;
  readonly #aenv = `${this.root}/aenv`;

  private constructor(user: User) {
    this.#user = user;
    Deno.chmodSync(this.root, 0o755);
    Deno.mkdirSync(this.project, { recursive: true });
    // A user without rights may not get at the one that was built.
    Deno.copyFileSync(aenvBinary(), this.#aenv);
    Deno.chmodSync(this.#aenv, 0o755);
  }

  /** Makes the user and the env; `lines` follow `enabled = true`. */
  static async open(user: User, lines = ""): Promise<WorkWorld> {
    const world = new WorkWorld(user);
    world.write(
      ".gitconfig",
      "[user]\n  name = a\n  email = a@example.invalid\n[init]\n  defaultBranch = main\n",
    );
    world.own();
    await world.#must(["init", "--no-default"]);
    await world.#must(["new", "box"]);
    world.write(
      ".aenv/envs/box/aenv.toml",
      `aenv_schema_version = "2"\n\n[env]\nname = "box"\n\n[sandbox]\nenabled = true\n${lines}\n`,
    );
    world.own();
    return world;
  }

  /** Writes a file below the home; `own` gives it to the user. */
  write(name: string, text: string): void {
    const path = `${this.home}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }

  /** Gives everything to the user. */
  own(): void {
    chown(this.#user, this.root);
  }

  /** What the user types to run this inside. */
  command(...words: readonly string[]): [string, readonly string[]] {
    return asUser(this.#user, this.#aenv, ["exec", "--", ...words]);
  }

  /** The user's variables. */
  get env(): Readonly<Record<string, string>> {
    return {
      HOME: this.home,
      AENV_HOME: `${this.home}/.aenv`,
      AENV: "box",
      PATH: `${this.home}/.aenv/shims:${SYSTEM_PATH}`,
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
    };
  }

  /** Runs a bash script inside, in the project; it ends at the first command that fails. */
  async shell(script: string): Promise<Finished> {
    const words = ["bash", "-c", `set -eo pipefail\n${script}`];
    return await run(...this.command(...words), {
      env: this.env,
      cwd: this.project,
      timeoutMs: 120_000,
    });
  }

  /** What such a script prints. Throws unless it succeeds. */
  async prints(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.shell(script);
    assert.equal(code, 0, `exit code ${code}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Runs an aenv command as the user, outside. */
  async aenv(args: readonly string[]): Promise<Finished> {
    const [program, words] = asUser(this.#user, this.#aenv, args);
    const { AENV: _, ...env } = this.env;
    return await run(program, words, { env, cwd: this.project });
  }

  async #must(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.aenv(args);
    assert.equal(code, 0, stderr);
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

/** Registers a claim about work inside, for root and for a user without rights. */
export function workClaim(
  name: string,
  check: (world: WorkWorld) => Promise<void>,
  lines = "",
): void {
  claimAs(name, async (user) => {
    using world = await WorkWorld.open(user, lines);
    await check(world);
  });
}

/** The same with a package registry on this machine, which the user's settings name. `lines` may depend on it. */
export function registryClaim(
  name: string,
  check: (world: WorkWorld, registry: NpmRegistry) => Promise<void>,
  lines: (registry: NpmRegistry) => string,
): void {
  claimAs(name, async (user) => {
    using temp = new TempDir("aenv-registry-");
    await using registry = await NpmRegistry.start(temp.path);
    using world = await WorkWorld.open(user, lines(registry));
    const { caFile } = registry.certificates;
    world.write("work/project/ca.pem", Deno.readTextFileSync(caFile));
    const file = `${world.project}/ca.pem`;
    world.write(".npmrc", `registry=${registry.url}\ncafile=${file}\n`);
    world.own();
    await check(world, registry);
  });
}
