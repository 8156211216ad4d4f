/** A machine in small for the escape suite: a home with secrets, a project, an attacker's program, a user to run as. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import type {
  Access,
  NetworkPolicy,
  PathGrant,
  SandboxPolicy,
} from "../../src/sandbox/types.ts";
import { run } from "../support/process.ts";
import { policyWith } from "../support/sandbox_policies.ts";
import { TempDir } from "../support/temp.ts";
import type { Answer, Request } from "./runner.ts";

/** Who the confined programs run as. */
export type User = "root" | "somebody";

/** The user without rights that the tests take: no program of the machine runs as it. */
export const SOMEBODY = 64321;
const RUNNER = new URL("./runner.ts", import.meta.url).pathname;
const SOURCE = new URL("./attack.c", import.meta.url).pathname;
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt"];
const DEVICES = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/tty"];

/** How a program is run besides the usual. */
export interface RunParts {
  readonly network?: NetworkPolicy;
  readonly policy?: Partial<SandboxPolicy>;
  readonly supervised?: boolean;
  readonly landlockAbi?: number;
  readonly noNamespaces?: boolean;
  readonly env?: Record<string, string>;
  readonly ownSession?: boolean;
  readonly cwd?: string;
}

/** One grant for a policy. */
export function grant(
  path: string,
  access: Access,
  kind: PathGrant["kind"] = "directory",
): PathGrant {
  const why = { source: "system", text: "a test" } as const;
  return { path: path as AbsPath, access, kind, why };
}

/** Everything a test needs, as one user. Use with `using`. */
export class World implements Disposable {
  readonly user: User;
  readonly dir: TempDir;
  /** Not granted: a key, a shell's file, a socket. */
  readonly home: string;
  /** Granted: the working directory. */
  readonly project: string;
  /** Granted for reading. */
  readonly library: string;
  /** Granted, for temporary files. */
  readonly tmp: string;
  /** The attacker's program, in the project. */
  readonly attacker: string;
  readonly #runner: Runner;

  private constructor(user: User, dir: TempDir) {
    this.user = user;
    this.dir = dir;
    this.home = `${dir.path}/home`;
    this.project = `${dir.path}/project`;
    this.library = `${dir.path}/library`;
    this.tmp = `${dir.path}/tmp`;
    this.attacker = `${this.project}/attack`;
    this.#runner = runnerOf(user);
  }

  /** Makes the directories and files, and starts what runs the programs. */
  static async make(user: User): Promise<World> {
    const dir = new TempDir("aenv-escape-");
    Deno.chmodSync(dir.path, 0o755);
    const world = new World(user, dir);
    for (const name of ["home/.ssh", "project/.git/hooks", "library", "tmp"]) {
      Deno.mkdirSync(`${dir.path}/${name}`, { recursive: true });
    }
    const files = {
      "home/.ssh/id_rsa": "the private key\n",
      "home/.bashrc": "# the shell's file\n",
      "library/book": "a book\n",
      "project/file": "a file\n",
      "project/.git/hooks/pre-commit": "#!/bin/sh\n",
    };
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${dir.path}/${name}`, text);
    }
    Deno.copyFileSync(await compiled(), world.attacker);
    Deno.chmodSync(world.attacker, 0o755);
    chown(user, dir.path);
    return world;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }

  /** The usual policy: the system, a library to read, the project and a temporary directory to write. */
  policy(parts: RunParts = {}): SandboxPolicy {
    const grants = [
      ...SYSTEM.filter(isRealDirectory).map((path) => grant(path, "exec")),
      ...["/etc", "/proc", "/sys"].map((path) => grant(path, "read")),
      ...DEVICES.map((path) => grant(path, "device", "file")),
      grant("/dev/shm", "create"),
      grant(this.library, "read"),
      grant(this.project, "write"),
      grant(this.tmp, "write"),
    ];
    return policyWith({
      grants,
      network: parts.network ?? { mode: "open" },
      tmpDir: this.tmp as AbsPath,
      ...parts.policy,
    });
  }

  /** Runs a program confined. */
  async run(
    program: string,
    args: readonly string[],
    parts: RunParts = {},
  ): Promise<Answer> {
    return await this.#runner.ask({
      policy: this.policy(parts),
      supervised: parts.supervised ?? false,
      landlockAbi: parts.landlockAbi ?? 99,
      noNamespaces: parts.noNamespaces ?? false,
      program: program as AbsPath,
      args,
      env: {
        PATH: "/usr/bin:/bin",
        HOME: this.home,
        TMPDIR: this.tmp,
        ...parts.env,
      },
      cwd: parts.cwd ?? this.project,
      ownSession: parts.ownSession ?? false,
    });
  }

  /** What the attacker's program says when it is confined. */
  async attack(words: readonly string[], parts?: RunParts): Promise<string> {
    const { code, output, errors } = await this.run(
      this.attacker,
      words,
      parts,
    );
    if (code !== 0 || errors !== "") {
      throw new Error(`${words.join(" ")}: exit code ${code}: ${errors}`);
    }
    return output.trim();
  }

  /** What it says when it is free, as the same user. */
  async attackFreely(words: readonly string[]): Promise<string> {
    const { stdout } = await run(...asUser(this.user, this.attacker, words), {
      cwd: this.project,
      env: { PATH: "/usr/bin:/bin", HOME: this.home },
    });
    return stdout.trim();
  }

  /** The attempt succeeds without the sandbox, and meets this error in it. */
  async isStopped(
    words: readonly string[],
    expected: string,
    parts?: RunParts,
  ): Promise<void> {
    assert.equal(await this.attack(words, parts), expected, words.join(" "));
    const free = await this.attackFreely(words);
    assert.match(free, /^done/, `${words.join(" ")} is no attack: ${free}`);
  }
}

/** Starts a program as a user, for {@link run}. */
export function asUser(
  user: User,
  program: string,
  args: readonly string[],
): [string, readonly string[]] {
  const isRoot = Deno.uid() === 0;
  if (user === "root") {
    return isRoot
      ? [program, args]
      : ["/usr/bin/sudo", ["-n", "-E", program, ...args]];
  }
  if (!isRoot) return [program, args];
  const drop = [`--reuid=${SOMEBODY}`, `--regid=${SOMEBODY}`];
  return [
    "/usr/bin/setpriv",
    [...drop, "--clear-groups", program, ...args],
  ];
}

/** Gives a directory with everything in it to the user. */
export function chown(user: User, path: string): void {
  if (Deno.uid() !== 0 || user === "root") return;
  const owner = `${SOMEBODY}:${SOMEBODY}`;
  new Deno.Command("chown", { args: ["-hR", owner, path] }).outputSync();
}

function isRealDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let program: Promise<string> | undefined;

/** The attacker's program, compiled once. */
export function compiled(): Promise<string> {
  program ??= compile();
  return program;
}

async function compile(): Promise<string> {
  const dir = new TempDir("aenv-attacker-");
  addEventListener("unload", () => dir[Symbol.dispose]());
  const path = `${dir.path}/attack`;
  const flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-pthread"];
  const { code, stderr } = await run("/usr/bin/gcc", [
    ...flags,
    ...["-o", path, SOURCE],
  ], { env: { PATH: "/usr/bin:/bin" }, cwd: dir.path });
  if (code !== 0) throw new Error(stderr);
  return path;
}

const runners = new Map<User, Runner>();

/** What runs confined programs as the user. */
export function runnerOf(user: User): Runner {
  const runner = runners.get(user) ?? new Runner(user);
  runners.set(user, runner);
  return runner;
}

/** A process that confines programs as another user. It ends with this one. */
class Runner {
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncGenerator<string>;

  constructor(user: User) {
    const deno = ["run", "-A", "--no-check", "--no-config", "--quiet", RUNNER];
    const [program, args] = asUser(user, Deno.execPath(), deno);
    const dir = new TempDir("aenv-runner-");
    addEventListener("unload", () => dir[Symbol.dispose]());
    const cache = dir.path;
    Deno.chmodSync(cache, 0o777);
    const child = new Deno.Command(program, {
      args: [...args],
      env: {
        PATH: "/usr/bin:/bin",
        HOME: cache,
        DENO_DIR: cache,
        TMPDIR: cache,
        DENO_NO_UPDATE_CHECK: "1",
      },
      clearEnv: true,
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = child.stdin.getWriter();
    this.#lines = linesOf(child.stdout);
  }

  async ask(request: Request): Promise<Answer> {
    const line = `${JSON.stringify(request)}\n`;
    await this.#input.write(new TextEncoder().encode(line));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the runner has ended");
    return JSON.parse(value);
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}

/** Registers a claim about the sandbox: a test as root and one as a user without rights. */
export function claim(
  name: string,
  check: (world: World) => Promise<void>,
): void {
  claimAs(name, async (user) => {
    using world = await World.make(user);
    await check(world);
  });
}

/** Registers a claim that makes a world of its own. */
export function claimAs(
  name: string,
  check: (user: User) => Promise<void>,
): void {
  for (const user of ["root", "somebody"] as const) {
    const as = user === "root" ? "root" : "an unprivileged user";
    Deno.test({
      name: `${name} (as ${as})`,
      // The runner is shared by the tests of a file.
      sanitizeResources: false,
      sanitizeOps: false,
      fn: () => check(user),
    });
  }
}
