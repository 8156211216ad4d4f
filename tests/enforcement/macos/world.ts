/**
 * A user with a home, a project and servers, and the command that would confine a program there on macOS. Everything but
 * {@link MacWorld.confined} works on Linux as well: there the profiles are read, not applied.
 */
import type { AbsPath } from "../../../src/base/paths.ts";
import { seatbeltCommand, seatbeltProfile } from "../../../src/sandbox/mod.ts";
import type { SandboxPolicy } from "../../../src/sandbox/types.ts";
import { run } from "../../support/process.ts";
import {
  SandboxWorld,
  type WorldOptions,
} from "../../support/sandbox_world.ts";
import { TempDir } from "../../support/temp.ts";
import { Servers } from "../servers.ts";

const SOURCE = new URL("./attempt.c", import.meta.url).pathname;
const PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/** Where things are. Use with `await using`. */
export class MacWorld extends SandboxWorld implements AsyncDisposable {
  readonly #servers = new Servers();
  #victim: Deno.ChildProcess | undefined;
  /** Ports on loopback: our proxy's, one that the manifest may grant, and another. */
  readonly proxy = this.#servers.tcp("127.0.0.1", "the proxy");
  readonly granted = this.#servers.tcp("127.0.0.1", "granted");
  readonly other = this.#servers.tcp("127.0.0.1", "another");
  /** A socket like that of ssh-agent: nobody grants it. */
  readonly agentSocket = this.#servers.unix(
    this.at("home/agent.sock"),
    "the agent of ssh",
  ) as AbsPath;
  /** The program that makes the attempts. */
  readonly attempt = this.at("library/attempt");

  /** Makes the files; `setup` is a shell script in the project. */
  static async make(setup = ""): Promise<MacWorld> {
    const world = new MacWorld();
    const files = {
      "home/.ssh/id_rsa": "the private key",
      "home/.bashrc": "# the shell's file",
      "home/Library/LaunchAgents/a.plist": "<plist/>",
      "home/.aenv/envs/e/aenv.toml": "",
      "home/data/book": "a book",
      "home/shared/note": "a note",
      "project/file": "a file",
      "project-evil/file": "another project",
    };
    for (const [name, text] of Object.entries(files)) {
      world.file(name, `${text}\n`);
    }
    world.git("project", "init", "-q", "-b", "main");
    world.dir("project/.git/hooks");
    world.file("project/.git/hooks/pre-commit", "#!/bin/sh\n");
    world.dir("library");
    Deno.copyFileSync(await compiled(), world.attempt);
    Deno.chmodSync(world.attempt, 0o755);
    await world.#shell(setup);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#victim !== undefined) {
      if (await this.isVictimThere()) this.#victim.kill("SIGKILL");
      await this.#victim.status;
    }
    this.#servers[Symbol.dispose]();
    this[Symbol.dispose]();
  }

  /** Process id of a program of the same user outside of the sandbox, started at the first call. */
  victim(): number {
    this.#victim ??= new Deno.Command(this.attempt, {
      args: ["wait", "-"],
      clearEnv: true,
      env: {},
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return this.#victim.pid;
  }

  /** Whether the victim runs: a signal has not ended it. */
  async isVictimThere(): Promise<boolean> {
    const args = ["-o", "stat=", "-p", `${this.victim()}`];
    const { stdout } = await run("/bin/ps", args, { env: {}, cwd: "/" });
    return /^[^Z]/.test(stdout.trim());
  }

  /** The policy that a launch here would have on macOS. */
  override policy(options: WorldOptions = {}): SandboxPolicy {
    const why = { source: "system", text: "a test" } as const;
    const policy = super.policy({
      ...options,
      input: {
        os: "darwin",
        programs: [{ path: this.attempt, why }],
        ...options.input,
      },
    });
    const { network } = policy;
    if (network.mode !== "hosts") return policy;
    return { ...policy, network: { ...network, proxy: { port: this.proxy } } };
  }

  /** The command that runs words confined. */
  command(words: readonly string[], options?: WorldOptions): string[] {
    return seatbeltCommand(seatbeltProfile(this.policy(options)), words);
  }

  /** What the attempt prints when it is confined. */
  async confined(
    words: readonly string[],
    options?: WorldOptions,
    before: readonly string[] = [],
  ): Promise<string> {
    const policy = this.policy(options);
    for (const dir of policy.make) Deno.mkdirSync(dir, { recursive: true });
    return await this.#run([
      ...before,
      ...this.command([this.attempt, ...words], options),
    ]);
  }

  /** What it prints when it is free. */
  async free(
    words: readonly string[],
    before: readonly string[] = [],
  ): Promise<string> {
    return await this.#run([...before, this.attempt, ...words]);
  }

  async #run([program, ...args]: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(program!, args, {
      env: { PATH, HOME: this.home },
      cwd: this.at("project"),
    });
    if (code === 0 && stderr === "") return stdout.trim();
    throw new Error(`${args.join(" ")}: exit code ${code}: ${stdout}${stderr}`);
  }

  async #shell(script: string): Promise<void> {
    const { code, stderr } = await run("/bin/sh", ["-ec", script], {
      env: { PATH, HOME: this.home },
      cwd: this.at("project"),
    });
    if (code !== 0) throw new Error(`${script}: ${stderr}`);
  }
}

let program: Promise<string> | undefined;

/** The program that makes the attempts, compiled once. */
function compiled(): Promise<string> {
  program ??= compile();
  return program;
}

async function compile(): Promise<string> {
  const dir = new TempDir("aenv-attempt-");
  addEventListener("unload", () => dir[Symbol.dispose]());
  const path = `${dir.path}/attempt`;
  const compiler = Deno.build.os === "darwin" ? "/usr/bin/cc" : "/usr/bin/gcc";
  const flags = ["-O1", "-Wall", "-Wextra", "-Werror"];
  const { code, stderr } = await run(compiler, [
    ...flags,
    ...["-o", path, SOURCE],
  ], { env: { PATH }, cwd: dir.path });
  if (code !== 0) throw new Error(stderr);
  return path;
}
