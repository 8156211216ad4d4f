/** A user who is logged in, with envs of both kinds, and every way to start the agent. */

import { Aenv, bareEnv } from "../support/aenv.ts";
import type { ClaudeProgram } from "../support/agents.ts";
import { credentials } from "../support/oauth_stub.ts";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";

const FAR = 4_000_000_000_000;
/** The settings that the user has. */
export const SETTINGS =
  '{\n    "env": {"FOO": "1"},\n  "cleanupPeriodDays": 30\n}';

/** Use with `using`. */
export class LoginWorld implements Disposable {
  readonly #temp = new TempDir();
  readonly home = this.#temp.path;
  readonly aenv: Aenv;
  readonly agent: ClaudeProgram;
  readonly own = `${this.home}/.claude/.credentials.json`;
  readonly shared = `${this.home}/.aenv/login/claude/.credentials.json`;
  readonly settings = `${this.home}/.claude/settings.json`;
  readonly #cwd = `${this.home}/w`;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    agent: ClaudeProgram,
    env: Readonly<Record<string, string>>,
  ) {
    this.agent = agent;
    this.#env = env;
    for (const dir of [`${this.home}/.claude`, this.#cwd]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    this.aenv = new Aenv({ home: this.home, cwd: this.#cwd, agent, env });
  }

  /** Envs as `aenv new` makes them: their agents are confined. */
  static async make(
    agent: ClaudeProgram,
    options: {
      expiresAt?: number;
      env?: Record<string, string>;
    } = {},
  ): Promise<LoginWorld> {
    const world = new LoginWorld(agent, options.env ?? {});
    const text = credentials(options.expiresAt ?? FAR);
    Deno.writeTextFileSync(world.own, text, { mode: 0o600 });
    Deno.writeTextFileSync(world.settings, SETTINGS);
    await world.aenv.must(["init", "--no-default"]);
    for (const name of ["private", "overlay"]) {
      await world.aenv.must(["new", name]);
      const file = `${world.aenv.root}/envs/${name}/aenv.toml`;
      const manifest = Deno.readTextFileSync(file);
      Deno.writeTextFileSync(
        file,
        manifest.replace('isolation = "private"', `isolation = "${name}"`),
      );
    }
    return world;
  }

  /** Runs the agent in each way. */
  async everywhere(
    args: readonly string[],
  ): Promise<{ way: string; code: number; stdout: string; stderr: string }[]> {
    const ways = ["global", "private", "overlay"];
    const runs = [
      ...ways.map((way) => this.aenv.claude(way, args)),
      this.plain(args),
    ];
    const done = await Promise.all(runs);
    return done.map((one, i) => ({ way: ways[i] ?? "plain", ...one }));
  }

  /** The agent by its path: nothing of ours is near. */
  plain(args: readonly string[]) {
    const env = { ...bareEnv(this.home, this.agent), ...this.#env };
    return run(this.agent.path, args, { env, cwd: this.#cwd });
  }

  /** In which ways the agent finds a login. */
  async loggedIn(): Promise<string[]> {
    const all = await this.everywhere(["auth", "status"]);
    return all.filter(({ stdout }) => /"loggedIn": true/.test(stdout))
      .map(({ way }) => way);
  }

  /** Every credentials file below the home. */
  files(): string[] {
    const found: string[] = [];
    const walk = (dir: string) => {
      for (const { name, isDirectory } of Deno.readDirSync(dir)) {
        if (isDirectory) walk(`${dir}/${name}`);
        else if (name.includes(".credentials.json")) {
          found.push(`${dir}/${name}`);
        }
      }
    };
    walk(this.home);
    return found;
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}
