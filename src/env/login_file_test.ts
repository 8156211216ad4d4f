import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import type { AbsPath } from "../base/paths.ts";
import { sha256Hex } from "../os/hash.ts";
import { type CredentialsMove, moveCredentials } from "./login_file.ts";

/** Two directories, and what a journal was told. */
class World implements Disposable {
  readonly #temp = new TempDir();
  readonly from = `${this.#temp.path}/a/.credentials.json` as AbsPath;
  readonly to = `${this.#temp.path}/b/.credentials.json` as AbsPath;
  readonly journal: (string | null)[] = [];

  constructor(from: string | undefined, to: string | undefined) {
    for (const dir of ["a", "b"]) Deno.mkdirSync(`${this.#temp.path}/${dir}`);
    if (from !== undefined) Deno.writeTextFileSync(this.from, from);
    if (to !== undefined) Deno.writeTextFileSync(this.to, to);
  }

  /** Moves; `copied` is what an earlier try was copying. */
  move(copied: string | null = null): void {
    const { from, to } = this;
    const journal: CredentialsMove["journal"] = (hash) => {
      this.journal.push(hash);
    };
    moveCredentials({ from, to, copied, journal });
  }

  /** What is at either place. */
  state(): (string | undefined)[] {
    return [this.from, this.to].map((path) => {
      try {
        return Deno.readTextFileSync(path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

Deno.test("moveCredentials() renames, and does nothing the second time", () => {
  using world = new World("login", undefined);
  world.move();
  world.move();
  deepStrictEqual(world.state(), [undefined, "login"]);
  deepStrictEqual(world.journal, []);
});

Deno.test("moveCredentials() finishes a copy that was killed before the original went", () => {
  const hash = sha256Hex("login");
  // The copy may have been renewed since: it is the one in use.
  for (const copy of ["login", "renewed"]) {
    using world = new World("login", copy);
    world.move(hash);
    deepStrictEqual(world.state(), [undefined, copy]);
    deepStrictEqual(world.journal, [null]);
  }
});

Deno.test("moveCredentials() takes the original when that was renewed after a killed copy", () => {
  using world = new World("renewed", "login");
  world.move(sha256Hex("login"));
  deepStrictEqual(world.state(), [undefined, "renewed"]);
});

Deno.test("moveCredentials() decides nothing between two logins", () => {
  for (const copied of [null, sha256Hex("third")]) {
    using world = new World("one", "other");
    throws(() => world.move(copied), {
      code: "LOGIN_INVALID",
      message: /there is another login at/,
    });
    deepStrictEqual(world.state(), ["one", "other"]);
  }
});

Deno.test("moveCredentials() removes the part of a copy that a killed one left", () => {
  using world = new World("login", undefined);
  const part = `${world.to}.tmp.aenv01234567`;
  Deno.writeTextFileSync(part, "log");
  world.move(sha256Hex("login"));
  deepStrictEqual(world.state(), [undefined, "login"]);
  throws(() => Deno.lstatSync(part), Deno.errors.NotFound);
});

Deno.test("moveCredentials() moves no link and no directory", () => {
  using world = new World(undefined, undefined);
  Deno.writeTextFileSync(`${world.from}.real`, "login");
  Deno.symlinkSync(`${world.from}.real`, world.from);
  throws(() => world.move(), /it is not a regular file/);
  Deno.removeSync(world.from);
  Deno.mkdirSync(world.from);
  throws(() => world.move(), /it is not a regular file/);
  strictEqual(Deno.lstatSync(world.from).isDirectory, true);
});

Deno.test({
  name: "moveCredentials() copies to another file system, and leaves one file",
  // Others have no second file system that is always there.
  ignore: Deno.build.os !== "linux",
  fn() {
    using world = new World("login", undefined);
    const other = Deno.makeTempDirSync({ dir: "/dev/shm" });
    try {
      const to = `${other}/.credentials.json` as AbsPath;
      const journal: (string | null)[] = [];
      moveCredentials({
        from: world.from,
        to,
        copied: null,
        journal: (hash) => journal.push(hash),
      });
      deepStrictEqual(journal, [sha256Hex("login"), null]);
      strictEqual(Deno.readTextFileSync(to), "login");
      strictEqual(Deno.statSync(to).mode! & 0o777, 0o600);
      deepStrictEqual(world.state(), [undefined, undefined]);
    } finally {
      Deno.removeSync(other, { recursive: true });
    }
  },
});
