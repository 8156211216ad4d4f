/** A home that processes are killed in: small, but with something to do for each command. */

import { aenvBinary } from "../support/aenv.ts";
import { type Finished, run } from "../support/process.ts";
import { snapshot } from "../support/snapshot.ts";
import { TempDir } from "../support/temp.ts";

/** What belongs to the journal, and says nothing about envs. */
const JOURNAL = /^\/\.aenv\/(state|trash|\.lock)(\/|$)/;

/** Names that only something half done has. */
const HALF_DONE = /^\.(tmp-|new-|aenv-2)/;

/** Kinds, modes and contents of everything below a home. */
export type State = Readonly<Record<string, string>>;

/** A user's home with an aenv home in it, at one path again and again. Use with `using`. */
export class KillWorld implements Disposable {
  readonly #temp = new TempDir("aenv-kill-");
  readonly home = `${this.#temp.path}/home`;
  readonly #saved = `${this.#temp.path}/saved`;

  constructor() {
    Deno.mkdirSync(`${this.home}/w`, { recursive: true });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }

  get #options() {
    const env = { HOME: this.home, PATH: "/usr/bin:/bin" };
    return { env, cwd: `${this.home}/w` };
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

  /** Keeps the home as it is for {@link restore}. */
  async save(): Promise<void> {
    await this.#copy(this.home, this.#saved);
  }

  /** Makes the home be what was saved, at the same path. */
  async restore(): Promise<void> {
    await this.#copy(this.#saved, this.home);
  }

  async #copy(from: string, to: string): Promise<void> {
    const script = 'rm -rf "$2" && cp -a "$1" "$2"';
    const args = ["-c", script, "sh", from, to];
    const { code, stderr } = await run("/bin/sh", args, {
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
    });
    if (code !== 0) throw new Error(stderr);
  }

  /** The home but for the journal. */
  state(): State {
    const all = Object.entries(snapshot(this.home));
    return Object.fromEntries(all.filter(([path]) => !JOURNAL.test(path)));
  }

  /** Paths of what is half done, anywhere. */
  halfDone(): string[] {
    return Object.keys(snapshot(this.home)).filter((path) =>
      path.split("/").some((name) => HALF_DONE.test(name))
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
