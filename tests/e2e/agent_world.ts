/** A home with aenv, the real Claude Code and a stub of the model API, for tests that launch the agent. */

import { Aenv, bareEnv } from "../support/aenv.ts";
import { type ClaudeProgram, claudePrograms } from "../support/agents.ts";
import { writeJson, writeText } from "../support/claude_items.ts";
import { type Step, StubApi } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";

const FAR_FUTURE_MS = 4_102_444_800_000;

/** How the agent is started: as it is, or through the shim in an env of this isolation. */
export type Launcher = "bare" | "private" | "overlay";

/** The launchers of ours. */
export const ISOLATIONS = ["private", "overlay"] as const;

/** What {@link World.open} takes. */
export interface WorldOptions {
  /** What the model answers. */
  readonly steps?: (world: { readonly root: string }) => readonly Step[];
  /** The newest unless given. */
  readonly agent?: ClaudeProgram;
}

/** A user with a login, a project, and the envs `private` and `overlay`. Use with `await using`. */
export class World implements AsyncDisposable {
  readonly #temp = new TempDir();
  readonly agent: ClaudeProgram;
  readonly stub: StubApi;
  readonly aenv: Aenv;
  /** Holds everything; nothing of it is below HOME but `home`. */
  readonly root: string;
  readonly home: string;
  /** An empty directory below HOME. */
  readonly project: string;
  /** An empty directory for what sessions write down. */
  readonly out: string;

  private constructor({ agent, steps }: WorldOptions) {
    this.root = this.#temp.path;
    this.agent = agent ?? claudePrograms()[0];
    this.stub = new StubApi(steps?.({ root: this.root }));
    this.home = `${this.root}/home`;
    this.project = `${this.home}/work/project`;
    this.out = `${this.root}/out`;
    Deno.mkdirSync(this.out);
    Deno.mkdirSync(this.project, { recursive: true });
    this.aenv = new Aenv({
      home: this.home,
      cwd: this.project,
      agent: this.agent,
      env: { ANTHROPIC_BASE_URL: this.stub.url },
    });
  }

  /** Makes the world: `aenv init`, the envs, the login. */
  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.aenv.must(["init", "--no-default"]);
    for (const isolation of ISOLATIONS) {
      world.writeEnv(isolation, `isolation = "${isolation}"`);
    }
    const login = `${world.home}/.claude/.credentials.json`;
    writeJson(login, {
      claudeAiOauth: {
        accessToken: "sk-ant-oat01-FAKE",
        refreshToken: "sk-ant-ort01-FAKE",
        expiresAt: FAR_FUTURE_MS,
        scopes: ["user:inference", "user:profile"],
        subscriptionType: "max",
      },
    });
    Deno.chmodSync(login, 0o600);
    return world;
  }

  /** Writes a named env's manifest: `lines` follow the name under `[env]`. */
  writeEnv(name: string, lines: string): void {
    writeText(
      `${this.aenv.root}/envs/${name}/aenv.toml`,
      manifestOf(name, lines),
    );
  }

  /** Writes the user's own state file: onboarding done, these directories trusted, and `more`. */
  writeUserState(
    trusted: readonly string[],
    more: Readonly<Record<string, unknown>> = {},
  ): void {
    const projects = trusted.map((directory) => [
      directory,
      { hasTrustDialogAccepted: true },
    ]);
    writeJson(`${this.home}/.claude.json`, {
      ...more,
      hasCompletedOnboarding: true,
      projects: Object.fromEntries(projects),
    });
  }

  /** The whole environment for typing `claude`. */
  envOf(launcher: Launcher): Readonly<Record<string, string>> {
    if (launcher !== "bare") return { ...this.aenv.env, AENV: launcher };
    return {
      ...bareEnv(this.home, this.agent),
      ANTHROPIC_BASE_URL: this.stub.url,
    };
  }

  /** The program that `claude` means. */
  programOf(launcher: Launcher): string {
    return launcher === "bare"
      ? this.agent.path
      : `${this.aenv.root}/shims/claude`;
  }

  /** What a session wrote into `out`. */
  written(name: string): string {
    return Deno.readTextFileSync(`${this.out}/${name}`);
  }

  /** Names of the directories that launches have made and nobody has removed. */
  runs(): readonly string[] {
    return [...Deno.readDirSync(`${this.aenv.root}/runs`)]
      .map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stub[Symbol.asyncDispose]();
    this.#temp[Symbol.dispose]();
  }
}

/** The text of a manifest: `lines` follow the name under `[env]`. */
export function manifestOf(name: string, lines: string): string {
  return `aenv_schema_version = "2"\n\n[env]\nname = "${name}"\n${lines}\n`;
}
