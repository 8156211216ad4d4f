/** A project, its user, and the servers that its plugins come from: a real npm registry, git over https and files. */

import assert from "node:assert/strict";
import { parseLock } from "../../src/manifest/mod.ts";
import { aenvBinary, bareEnv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { type Finished, run } from "../support/process.ts";
import { GitRepository } from "../support/sources/git_repository.ts";
import { NpmRegistry } from "../support/sources/npm_registry.ts";
import { writeTree } from "../support/sources/trees.ts";
import { WebServer } from "../support/sources/web_server.ts";
import { TempDir } from "../support/temp.ts";

/** Files of a plugin with a manifest and a command. */
export function plugin(
  name: string,
  text = `hello from ${name}`,
): Record<string, string> {
  return {
    ".claude-plugin/plugin.json": JSON.stringify({ name }),
    "commands/hello.md": text,
  };
}

/** Files of a skill. */
export function skill(text: string): Record<string, string> {
  return { "SKILL.md": `---\nname: x\ndescription: d\n---\n${text}\n` };
}

/** What a machine is: a user's home, with the aenv home in it. */
export interface Machine {
  readonly home: string;
  readonly root: string;
}

/** Where and how `aenv` is run. */
export interface CallOptions {
  /** The first one unless given. */
  readonly machine?: Machine;
  /** The project unless given. */
  readonly cwd?: string;
  /** In a network namespace that has no interface. */
  readonly offline?: boolean;
}

/** A command that runs another one without a network; it becomes that one. */
function withoutNetwork(command: readonly string[]): string[] {
  const how = Deno.uid() === 0 ? ["-n"] : ["-r", "-n"];
  return ["unshare", ...how, "--", ...command];
}

/** The servers. Use with `await using`. */
export class Servers implements AsyncDisposable {
  readonly #temp: TempDir;
  readonly registry: NpmRegistry;
  readonly web: WebServer;

  private constructor(temp: TempDir, registry: NpmRegistry, web: WebServer) {
    this.#temp = temp;
    this.registry = registry;
    this.web = web;
  }

  static async start(): Promise<Servers> {
    const temp = new TempDir("aenv-servers-");
    for (const name of ["npm", "web"]) Deno.mkdirSync(`${temp.path}/${name}`);
    const [registry, web] = await Promise.all([
      NpmRegistry.start(`${temp.path}/npm`),
      WebServer.start(`${temp.path}/web`),
    ]);
    return new Servers(temp, registry, web);
  }

  /** A new repository that is served as `/git/NAME`. */
  async repository(name: string): Promise<GitRepository> {
    return await GitRepository.create(`${this.web.repositories}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.registry[Symbol.asyncDispose](),
      this.web[Symbol.asyncDispose](),
    ]);
    this.#temp[Symbol.dispose]();
  }
}

/** A project env `app`, committed, and the machines that have it. Use with `using`. */
export class RegistryWorld implements Disposable {
  readonly #temp = new TempDir("aenv-registry-");
  readonly #agent = claudePrograms()[0];
  readonly servers: Servers;
  readonly project = `${this.#temp.path}/project`;
  /** The one that the project was made on; its user is logged in to the registry. */
  readonly here: Machine;
  readonly #outputs: string[] = [];

  private constructor(servers: Servers) {
    this.servers = servers;
    this.here = this.machine("here");
  }

  static async open(servers: Servers): Promise<RegistryWorld> {
    const world = new RegistryWorld(servers);
    Deno.mkdirSync(world.project);
    world.login(world.here);
    await world.git("init", "-q", "-b", "main");
    await world.must(["init", "--no-default"]);
    await world.must(["init", "--here", "app"]);
    await world.commit();
    return world;
  }

  /** Another machine, with an empty home; its user knows the registry but has no login there. */
  machine(name: string): Machine {
    const home = `${this.#temp.path}/${name}`;
    Deno.mkdirSync(home);
    const { web, registry } = this.servers;
    writeTree(home, {
      ".npmrc": `registry=${registry.url}\n` +
        `cafile=${registry.certificates.caFile}\n`,
      ".gitconfig":
        `[url "${web.url}/git/"]\n  insteadOf = https://github.com/acme/\n`,
    });
    return { home, root: `${home}/.aenv` };
  }

  /** Gives the user the registry's token. */
  login({ home }: Machine): void {
    const { registry } = this.servers;
    const line = `//${
      new URL(registry.url).host
    }/:_authToken=${registry.token}\n`;
    Deno.writeTextFileSync(`${home}/.npmrc`, line, { append: true });
  }

  /** The whole environment of a user. */
  env({ home, root }: Machine): Record<string, string> {
    return {
      HOME: home,
      AENV_HOME: root,
      PATH: bareEnv(home, this.#agent)["PATH"]!,
      ...this.servers.web.env,
    };
  }

  /** Runs `aenv ARGS` in the project. */
  async aenv(
    args: readonly string[],
    { machine = this.here, cwd = this.project, offline = false }: CallOptions =
      {},
  ): Promise<Finished> {
    const command = [aenvBinary(), ...args];
    const [program, ...words] = offline ? withoutNetwork(command) : command;
    const env = this.env(machine);
    const done = await run(program!, words, { env, cwd });
    this.#outputs.push(done.stdout, done.stderr);
    return done;
  }

  /** Runs `aenv ARGS`. Throws unless it succeeds. */
  async must(
    args: readonly string[],
    options: CallOptions = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await this.aenv(args, options);
    assert.equal(code, 0, `aenv ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs `aenv ARGS`, which must fail with exit 1, say this, print nothing and change no file of the project. */
  async refused(
    args: readonly string[],
    message: RegExp,
    options: CallOptions = {},
  ): Promise<string> {
    const before = this.files();
    const { code, stdout, stderr } = await this.aenv(args, options);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.deepEqual(this.files(), before);
    return stderr;
  }

  /** Manifest and lock. */
  files(): { manifest: string; lock: string } {
    const read = (name: string) =>
      Deno.readTextFileSync(`${this.project}/${name}`);
    return { manifest: read("aenv.toml"), lock: read("aenv.lock") };
  }

  /** Name → pin and tree of everything that the lock pins. */
  pins(): Record<string, { pin: string; tree: string }> {
    const lock = parseLock(this.files().lock, "aenv.lock");
    return Object.fromEntries(
      [...lock.plugins, ...lock.skills].map(({ name, pin, tree }) => [
        name,
        { pin, tree },
      ]),
    );
  }

  /** Runs git in the project. */
  async git(...args: string[]): Promise<string> {
    const who = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"];
    const { code, stdout, stderr } = await run("git", [...who, ...args], {
      cwd: this.project,
      env: { PATH: this.env(this.here)["PATH"]!, HOME: "/nonexistent" },
    });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Commits everything in the project. */
  async commit(): Promise<void> {
    await this.git("add", "-A");
    await this.git("commit", "-qm", "change");
  }

  /** What was printed so far, and the bytes of every file below the project and a machine's aenv home. */
  *everything({ root }: Machine = this.here): Generator<[string, string]> {
    yield* this.#outputs.map((text): [string, string] => ["output", text]);
    yield* textsBelow(this.project);
    yield* textsBelow(root);
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

function* textsBelow(dir: string): Generator<[string, string]> {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) yield* textsBelow(path);
    else if (isFile) {
      yield [path, new TextDecoder("latin1").decode(Deno.readFileSync(path))];
    }
  }
}
