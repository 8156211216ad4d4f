/** A home that processes are killed in: small, but with something to do for each command. */

import { aenvBinary } from "../support/aenv.ts";
import { type Finished, run } from "../support/process.ts";
import { snapshot } from "../support/snapshot.ts";
import { TempDir } from "../support/temp.ts";

/** What belongs to the journal, the store and the audit log, and says nothing about envs. */
const JOURNAL = /^\/\.aenv\/(state|store|trash|audit|\.lock)(\/|$)/;

/** What only says that there is a project. */
const KNOWN = /^\/\.aenv\/envs(\/[^/]+-[0-9a-f]{8}(\/project)?)?$/;

/** System calls that change a file system, for strace; not all machines have all. */
const CHANGES = [
  ...["mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2"],
  ...["unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat"],
  ...["chmod", "fchmod", "fchmodat", "fchmodat2", "ftruncate", "write"],
  ...["pwrite64", "fsync", "fdatasync", "syncfs", "utimensat"],
].map((name) => `?${name}`).join();

/** Names that only something half done has. */
const HALF_DONE = /^\.(tmp-|new-|aenv-2)/;

/** Kinds, modes and contents of everything below a home. */
export type State = Readonly<Record<string, string>>;

/** A system call: the how manieth of its name, from 1. */
export interface Change {
  readonly call: string;
  readonly nth: number;
}

/** A user's home with an aenv home in it, at one path again and again. Use with `using`. */
export class KillWorld implements Disposable {
  readonly #temp = new TempDir("aenv-kill-");
  readonly home = `${this.#temp.path}/home`;
  /** The directory that every command is run in. */
  readonly project = `${this.home}/w`;
  readonly #trace = `${this.#temp.path}/trace`;
  readonly #env: Readonly<Record<string, string>>;

  /** `env` is added to the environment of every command. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = env;
    Deno.mkdirSync(this.project, { recursive: true });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }

  get #options() {
    const env = { HOME: this.home, PATH: "/usr/bin:/bin", ...this.#env };
    return { env, cwd: this.project };
  }

  /** Runs `aenv ARGS` to its end. */
  run(args: readonly string[]): Promise<Finished> {
    return run(aenvBinary(), args, this.#options);
  }

  /** Runs `aenv ARGS`. Throws unless it succeeds. */
  async must(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code === 0) return stdout;
    throw new Error(`aenv ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  /** Starts `aenv ARGS` and kills it after so many milliseconds, with fractions. Returns whether it was faster. */
  async kill(args: readonly string[], after: number): Promise<boolean> {
    const child = new Deno.Command(aenvBinary(), {
      args: [...args],
      ...this.#options,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const end = performance.now() + after;
    // The timer is good for whole milliseconds; the rest is waited for.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, after - 2)));
    while (performance.now() < end);
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It has ended: there is nothing to kill.
      if (
        !(error instanceof TypeError || error instanceof Deno.errors.NotFound)
      ) {
        throw error;
      }
    }
    const { signal } = await child.status;
    return signal === null;
  }

  /** Runs `aenv ARGS` to its end; the changes of a file system that it makes itself, no program that it starts, in order. */
  async listChanges(args: readonly string[]): Promise<Change[]> {
    const { code, stderr } = await this.#strace(args, []);
    if (code !== 0) throw new Error(`aenv ${args.join(" ")}: ${stderr}`);
    const counts: Record<string, number> = {};
    return Deno.readTextFileSync(this.#trace).split("\n").flatMap((line) => {
      const call = /^(\w+)\(/.exec(line)?.[1];
      if (call === undefined) return [];
      return { call, nth: counts[call] = (counts[call] ?? 0) + 1 };
    });
  }

  /** Runs `aenv ARGS` and kills it just before this change. Returns whether it ended before that. */
  async killAt(
    args: readonly string[],
    { call, nth }: Change,
  ): Promise<boolean> {
    const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
    const { code } = await this.#strace(args, ["-e", inject]);
    return code !== 137;
  }

  #strace(
    args: readonly string[],
    more: readonly string[],
  ): Promise<Finished> {
    // One thread, the first, does all that matters.
    const how = ["-o", this.#trace];
    const what = ["-e", `trace=${CHANGES}`, ...more, "--", aenvBinary()];
    return run("strace", [...how, ...what, ...args], this.#options);
  }

  /** Removes directories of the aenv home, also read-only ones. */
  async remove(...names: readonly string[]): Promise<void> {
    const script =
      'for d; do [ ! -d "$d" ] || chmod -R u+w "$d"; rm -rf "$d"; done';
    const paths = names.map((name) => `${this.home}/.aenv/${name}`);
    await this.#shell(script, paths);
  }

  /** Keeps the home as it is for {@link restore}. */
  async save(name = "saved"): Promise<void> {
    await this.#copy(this.home, `${this.#temp.path}/${name}`);
  }

  /** Makes the home be what was saved, at the same path. */
  async restore(name = "saved"): Promise<void> {
    await this.#copy(`${this.#temp.path}/${name}`, this.home);
  }

  async #copy(from: string, to: string): Promise<void> {
    const script =
      '[ ! -d "$2" ] || chmod -R u+w "$2"; rm -rf "$2" && cp -a "$1" "$2"';
    await this.#shell(script, [from, to]);
  }

  async #shell(script: string, words: readonly string[]): Promise<void> {
    const args = ["-c", script, "sh", ...words];
    const { code, stderr } = await run("/bin/sh", args, {
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
    });
    if (code !== 0) throw new Error(stderr);
  }

  /** The home but for the journal, the store, and which projects it knows. */
  state(): State {
    const all = Object.entries(snapshot(this.home));
    return Object.fromEntries(
      all.filter(([path]) => !JOURNAL.test(path) && !KNOWN.test(path)),
    );
  }

  /** Paths of what is half done, anywhere, and of what should have been cleared up. */
  halfDone(): string[] {
    return Object.keys(snapshot(this.home)).filter((path) =>
      path.split("/").some((name) => HALF_DONE.test(name)) ||
      /^\/\.aenv\/(trash|store\/(holds|tmp))\/./.test(path)
    );
  }

  /** Ids of transactions that have not ended. */
  pending(): string[] {
    const state = `${this.home}/.aenv/state`;
    return [...Deno.readDirSync(state)].map((entry) => entry.name)
      .filter((id) => {
        const text = Deno.readTextFileSync(`${state}/${id}/record.json`);
        return JSON.parse(text).status === "pending";
      });
  }

  /** What the journal says, newest first. */
  async history(): Promise<{ id: string; kind: string; status: string }[]> {
    const text = await this.must(["history", "-n", "1000", "--json"]);
    const { changes, unreadable } = JSON.parse(text);
    if (unreadable.length > 0) throw new Error(JSON.stringify(unreadable));
    return changes;
  }
}

/** A home with envs `a` (with files that name their place) and `b`, a default, a pin, and something to roll back. */
export async function makeKillWorld(): Promise<KillWorld> {
  const world = new KillWorld();
  await world.must(["init", "--no-default"]);
  await world.must(["new", "a"]);
  await world.must(["new", "b"]);
  const slot = `${world.home}/.aenv/envs/a`;
  Deno.mkdirSync(`${slot}/claude/commands`, { recursive: true });
  for (let i = 0; i < 30; i++) {
    const file = `${slot}/claude/commands/c${i}.md`;
    Deno.writeTextFileSync(file, `Look into ${slot}/claude/notes\n`);
  }
  await world.must(["use", "--global", "a"]);
  await world.must(["use", "b"]);
  return world;
}
