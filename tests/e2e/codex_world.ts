/** A user with Codex of their own, a project, and an env, driven by a stub of the model API. */
import assert from "node:assert/strict";
import { asUser, chown, type User } from "../enforcement/world.ts";
import { aenvBinary } from "../support/aenv.ts";
import { codexProgram } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { type Finished, run, waitFor } from "../support/process.ts";
import { type CodexStep, StubResponses } from "../support/stub_responses.ts";
import { TempDir } from "../support/temp.ts";

const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";
/** Looks like a key, and is none. */
const API_KEY = `sk-proj-${"0123456789".repeat(4)}`;

/** What {@link CodexWorld.open} takes. */
export interface CodexWorldOptions {
  readonly user: User;
  readonly steps?: (
    world: { readonly home: string; readonly project: string },
  ) => readonly CodexStep[];
  /** Lines of the manifest behind `[env]` and its name. */
  readonly lines?: (stub: StubResponses) => string;
}

/** Use with `await using`. */
export class CodexWorld implements AsyncDisposable {
  readonly #temp = new TempDir("aenv-codex-");
  readonly root = this.#temp.path;
  readonly home = `${this.root}/home`;
  readonly project = `${this.home}/work/project`;
  readonly slot = `${this.home}/.aenv/envs/box`;
  readonly stub: StubResponses;
  readonly #user: User;
  readonly #aenv = `${this.root}/aenv`;
  /** What `codex` is installed in, outside of what belongs to the user. */
  readonly #agent = new TempDir("aenv-codex-agent-");

  private constructor({ user, steps }: CodexWorldOptions) {
    this.#user = user;
    this.stub = new StubResponses(steps?.(this));
    for (const path of [this.root, this.#agent.path]) {
      Deno.chmodSync(path, 0o755);
    }
    Deno.mkdirSync(this.project, { recursive: true });
    // A user without rights may not get at what was built and installed.
    Deno.copyFileSync(aenvBinary(), this.#aenv);
    Deno.chmodSync(this.#aenv, 0o755);
    const modules = codexProgram().directory.replace(/\/\.bin$/, "");
    linkTree(modules, `${this.#agent.path}/node_modules`);
  }

  /** Makes the user's own things and the env `box`. */
  static async open(options: CodexWorldOptions): Promise<CodexWorld> {
    const world = new CodexWorld(options);
    for (const [name, text] of Object.entries(USERS_OWN)) {
      writeText(`${world.home}/${name}`, text);
    }
    world.own();
    await world.must(["init", "--no-default"]);
    const lines = options.lines?.(world.stub) ?? "[sandbox]\nenabled = true";
    writeText(
      `${world.slot}/aenv.toml`,
      `aenv_schema_version = "2"\n\n[env]\nname = "box"\n${lines}\n`,
    );
    writeText(`${world.slot}/codex.toml`, providerOf(world.stub));
    world.own();
    return world;
  }

  /** The real program. */
  get agent(): string {
    return `${this.#agent.path}/node_modules/.bin/codex`;
  }

  /** The user's variables, with a login for Codex and a token that is none of its business. */
  get env(): Readonly<Record<string, string>> {
    return {
      HOME: this.home,
      AENV_HOME: `${this.home}/.aenv`,
      AENV: "box",
      PATH:
        `${this.home}/.aenv/shims:${this.#agent.path}/node_modules/.bin:${SYSTEM_PATH}`,
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
      CODEX_API_KEY: API_KEY,
      GITHUB_TOKEN: `ghp_${"x".repeat(36)}`,
    };
  }

  /** Types a command in the project. */
  async type(
    words: readonly string[],
    options: {
      readonly cwd?: string;
      readonly stdin?: string;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Finished> {
    const [name = "", ...args] = words;
    const shim = `${this.home}/.aenv/shims/${name}`;
    const program = name === "aenv" ? this.#aenv : isThere(shim) ? shim : name;
    return await run(...asUser(this.#user, program, args), {
      cwd: this.project,
      timeoutMs: 120_000,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** What an aenv command prints. Throws unless it succeeds. */
  async must(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.type(["aenv", ...args]);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  }

  /** The text of a file below the project. */
  read(name: string): string {
    return Deno.readTextFileSync(`${this.project}/${name}`);
  }

  /** Gives everything to the user. */
  own(): void {
    chown(this.#user, this.root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stub[Symbol.asyncDispose]();
    // A helper of Codex may outlive it for a moment, and write.
    await waitFor("a home that nobody writes to", () => removed(this.#temp));
    this.#agent[Symbol.dispose]();
  }
}

function removed(temp: TempDir): true | undefined {
  try {
    temp[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof Error && /os error 39/.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}

/** What lies in the user's home, each with a word that no session may see. */
const USERS_OWN: Readonly<Record<string, string>> = {
  ".ssh/id_rsa": "the private key\n",
  ".bashrc": "# mine\n",
  ".gitconfig":
    "[user]\n  name = a\n  email = a@example.invalid\n[init]\n  defaultBranch = main\n",
  ".codex/auth.json":
    '{"auth_mode":"apikey","OPENAI_API_KEY":"USERS-LOGIN-KEY"}\n',
  ".codex/config.toml":
    'model = "USERS-MODEL"\n[mcp_servers.users]\ncommand = "USERS-SERVER"\n',
  ".codex/AGENTS.md": "USERS-INSTRUCTIONS\n",
  ".codex/skills/users/SKILL.md":
    "---\nname: users\ndescription: USERS-SKILL\n---\n",
  ".codex/prompts/users.md": "USERS-PROMPT\n",
  ".agents/skills/agents/SKILL.md":
    "---\nname: agents\ndescription: USERS-AGENTS-SKILL\n---\n",
};

function providerOf({ url }: StubResponses): string {
  // Else Enter counts as a part of what a test types before it.
  return `disable_paste_burst = true
model_provider = "stub"
[model_providers.stub]
name = "stub"
base_url = "${url}/v1"
env_key = "CODEX_API_KEY"
`;
}

/** Names below a package that no session needs, and that are large. */
const LEFT_OUT = /\/codex-resources\/voice$/;

/** A tree with the same files: a copy would be hundreds of megabytes. */
function linkTree(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isDirectory, isSymlink } of Deno.readDirSync(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (LEFT_OUT.test(source)) continue;
    if (isDirectory) linkTree(source, target);
    else if (isSymlink) Deno.symlinkSync(Deno.readLinkSync(source), target);
    else linkFile(source, target);
  }
}

function linkFile(source: string, target: string): void {
  try {
    Deno.linkSync(source, target);
  } catch (error) {
    // On another disk.
    if (!(error instanceof Error) || !error.message.includes("os error 18")) {
      throw error;
    }
    Deno.copyFileSync(source, target);
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
