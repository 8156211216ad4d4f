/** A user with a home, an env and a project, confined by the policy that a real launch would have: from the manifest's text to the kernel. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import { activeEnv, requireNamed } from "../../src/env/mod.ts";
import { planSandbox } from "../../src/launch/mod.ts";
import { hostWith } from "../../src/os/host.ts";
import { passingVariables } from "../../src/sandbox/mod.ts";
import type { SandboxPolicy } from "../../src/sandbox/types.ts";
import { run } from "../support/process.ts";
import "../support/open_libc.ts";
import { TempDir } from "../support/temp.ts";
import type { Answer } from "./runner.ts";
import {
  asUser,
  chown,
  claimAs,
  compiled,
  runnerOf,
  SOMEBODY,
  type User,
} from "./world.ts";

/** How a launch is made besides the usual. */
export interface LaunchParts {
  /** Where the user stands; the project unless given. */
  readonly cwd?: string;
  /** Variables that the user has besides PATH, HOME and USER. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Name of the MCP server whose domain it is; the agent's unless given. */
  readonly server?: string;
  /** The env; what the directory and the variables choose unless given. */
  readonly env?: string;
  /** Where the proxy listens, for a network of hosts. */
  readonly proxyPort?: number;
  /** Variables that the launch sets besides, such as those of the proxy. */
  readonly sets?: Readonly<Record<string, string>>;
  /** Whether a process of ours watches over it; true unless given. */
  readonly supervised?: boolean;
  readonly landlockAbi?: number;
  readonly noNamespaces?: boolean;
  readonly ownSession?: boolean;
}

/** The policy of a launch and the variables of its program. */
export interface Planned {
  readonly policy: SandboxPolicy;
  readonly env: Readonly<Record<string, string>>;
}

const PATH = "/usr/bin:/bin";

/** Use with `using`. */
export class LaunchWorld implements Disposable {
  readonly user: User;
  readonly #dir = new TempDir("aenv-launch-");
  readonly root: string;
  readonly home: string;
  readonly aenvHome: string;
  /** Of the env `e`: its manifest and state. */
  readonly slot: string;
  /** A git repository with a commit. */
  readonly project: string;
  /** The attacker's program: what is started in the agent's place. */
  readonly attacker: string;

  private constructor(user: User) {
    this.user = user;
    this.root = this.#dir.path;
    this.home = `${this.root}/home`;
    this.aenvHome = `${this.home}/.aenv`;
    this.slot = `${this.aenvHome}/envs/e`;
    this.project = `${this.home}/work/project`;
    this.attacker = `${this.root}/agent/attack`;
  }

  /** Makes the user; `sandbox` are the lines of `[sandbox]`. */
  static async make(user: User, sandbox = ""): Promise<LaunchWorld> {
    const world = new LaunchWorld(user);
    Deno.chmodSync(world.root, 0o755);
    world.file("home/.bashrc", "# the shell's file\n");
    world.file("home/.ssh/id_rsa", "the private key\n");
    world.file("home/.aenv/envs/e/claude/settings.json", "{}\n");
    world.file("home/work/project/file", "a file\n");
    world.manifest(sandbox);
    Deno.mkdirSync(`${world.root}/agent`);
    Deno.copyFileSync(await compiled(), world.attacker);
    Deno.chmodSync(world.attacker, 0o755);
    world.git(world.project, "init", "-q", "-b", "main");
    world.git(world.project, "add", "file");
    world.git(world.project, "commit", "-qm", "first");
    world.own();
    return world;
  }

  [Symbol.dispose](): void {
    this.#dir[Symbol.dispose]();
  }

  /** Writes the manifest of the env `e`. */
  manifest(sandbox: string): void {
    const env = `aenv_schema_version = "2"\n\n[env]\nname = "e"\n`;
    const text = `${env}\n[sandbox]\nenabled = true\n${sandbox}\n`;
    this.file("home/.aenv/envs/e/aenv.toml", text);
  }

  /** Writes a file below the world, as the user. Returns its path. */
  file(name: string, text = "", mode = 0o644): string {
    const path = `${this.root}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
    Deno.chmodSync(path, mode);
    return path;
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.root}/${name}`);
  }

  /** Whether anything has this name below the world. */
  has(name: string): boolean {
    try {
      Deno.lstatSync(`${this.root}/${name}`);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  git(dir: string, ...args: string[]): void {
    const who = ["-c", "user.name=a", "-c", "user.email=a@b"];
    const safe = ["-c", "safe.directory=*"];
    const { code, stderr } = new Deno.Command("/usr/bin/git", {
      args: ["-C", dir, ...who, ...safe, ...args],
      clearEnv: true,
      env: { PATH, HOME: this.home, GIT_CONFIG_NOSYSTEM: "1" },
    }).outputSync();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  }

  /** Gives everything to the user. */
  own(): void {
    chown(this.user, this.root);
  }

  #variables({ variables }: LaunchParts): Record<string, string> {
    const name = this.user === "root" ? "root" : "somebody";
    return { PATH, HOME: this.home, USER: name, ...variables };
  }

  /** What is launched, and as whom. */
  request(parts: LaunchParts = {}) {
    const variables = this.#variables(parts);
    const host = hostWith({
      env: variables,
      cwd: () => (parts.cwd ?? this.project) as AbsPath,
      self: this.attacker as AbsPath,
      uid: this.user === "root" ? 0 : Deno.uid() || SOMEBODY,
      os: "linux",
    });
    const name = parts.env ?? (parts.variables?.["AENV"] ? undefined : "e");
    const { env, dirs } = activeEnv(host, name);
    const opened = requireNamed(env, "launch");
    const program = this.attacker as AbsPath;
    const { server } = parts;
    const request = { env: opened, program, ...(server ? { server } : {}) };
    return { request, host, dirs };
  }

  /** What a launch here would be held to. Throws what refuses it. */
  async plan(parts: LaunchParts = {}): Promise<Planned> {
    const variables = this.#variables(parts);
    const { request, host, dirs } = this.request(parts);
    const { policy } = await planSandbox(request, host, dirs);
    for (const path of policy.make) {
      Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    }
    this.own();
    return {
      policy: withProxy(policy, parts.proxyPort),
      env: {
        ...passingVariables(variables, policy.environment),
        ...request.env.manifest.vars,
        ...policy.sets,
        ...parts.sets,
      },
    };
  }

  /** Runs a program in the place of the agent. */
  async run(
    program: string,
    args: readonly string[],
    parts: LaunchParts = {},
    planned?: Planned,
  ): Promise<Answer> {
    const { policy, env } = planned ?? await this.plan(parts);
    return await runnerOf(this.user).ask({
      policy,
      supervised: parts.supervised ?? true,
      landlockAbi: parts.landlockAbi ?? 99,
      noNamespaces: parts.noNamespaces ?? false,
      program: program as AbsPath,
      args,
      env: { ...env, attack: this.attacker },
      cwd: parts.cwd ?? this.project,
      ownSession: parts.ownSession ?? false,
    });
  }

  /** What a shell script says when it is confined; `$attack` is the attacker's program. */
  async shell(script: string, parts?: LaunchParts): Promise<string> {
    const { code, output, errors } = await this.run(
      "/usr/bin/bash",
      ["-c", script],
      parts,
    );
    if (code !== 0) throw new Error(`exit code ${code}: ${output}${errors}`);
    return output.trim();
  }

  /** What a shell script says when it is free, as the same user. */
  async shellFreely(script: string, parts: LaunchParts = {}): Promise<string> {
    const words = asUser(this.user, "/usr/bin/bash", ["-c", script]);
    const { code, stdout, stderr } = await run(...words, {
      cwd: parts.cwd ?? this.project,
      env: { ...this.#variables(parts), attack: this.attacker },
    });
    if (code !== 0) throw new Error(`exit code ${code}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  /**
   * Each of these commands fails when it is confined, and `check` holds after them; each succeeds when it is free, so that
   * it could have failed to fail.
   */
  async refuses(
    commands: Readonly<Record<string, string>>,
    options: LaunchParts & { readonly check?: () => void } = {},
  ): Promise<void> {
    const lines = Object.entries(commands).map(([name, command]) =>
      `if ( ${command} ) >/dev/null 2>&1; then echo '${name}: done'; ` +
      `else echo '${name}: refused'; fi`
    );
    const all = (what: string) =>
      Object.keys(commands).map((name) => `${name}: ${what}`);
    const script = lines.join("\n");
    const confined = await this.shell(script, options);
    assert.deepEqual(confined.split("\n"), all("refused"));
    options.check?.();
    const free = await this.shellFreely(script, options);
    assert.deepEqual(free.split("\n"), all("done"));
  }
}

function withProxy(
  policy: SandboxPolicy,
  port: number | undefined,
): SandboxPolicy {
  const { network } = policy;
  if (network.mode !== "hosts" || port === undefined) return policy;
  return { ...policy, network: { ...network, proxy: { port } } };
}

/** Registers a claim about what a launch is held to; `sandbox` are the lines of `[sandbox]`. */
export function launchClaim(
  name: string,
  check: (world: LaunchWorld) => Promise<void>,
  sandbox = "",
): void {
  claimAs(name, async (user) => {
    using world = await LaunchWorld.make(user, sandbox);
    await check(world);
  });
}
