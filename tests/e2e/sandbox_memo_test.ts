/** Launches with a policy that was remembered: as strict as the first one, and out of reach from inside. */
import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { Aenv } from "../support/aenv.ts";
import { waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { manifestOf } from "./agent_world.ts";

/** A home with one env that may read ~/data, a key that nobody may read, and a project. */
class Place extends TempDir {
  readonly home = `${this.path}/home`;
  readonly aenv = new Aenv({
    home: this.home,
    cwd: `${this.home}/work`,
    agent: claudePrograms()[0],
    env: { AENV: "e", AENV_QUIET: "1" },
  });
  readonly memos = `${this.aenv.root}/envs/e/sandbox`;

  constructor() {
    super();
    for (const dir of ["work", "data", ".ssh"]) {
      Deno.mkdirSync(`${this.home}/${dir}`, { recursive: true });
    }
    Deno.mkdirSync(`${this.aenv.root}/envs/e`, { recursive: true });
    Deno.writeTextFileSync(`${this.home}/data/file`, "data");
    Deno.writeTextFileSync(`${this.home}/.ssh/file`, "a key");
    Deno.writeTextFileSync(
      `${this.aenv.root}/envs/e/aenv.toml`,
      manifestOf("e", '[sandbox]\nenabled = true\npaths = ["~/data:ro"]\n'),
    );
  }

  /** What a shell says in a launch. */
  async shell(script: string): Promise<string> {
    const { stdout } = await this.aenv.run(["exec", "--", "sh", "-c", script]);
    return stdout.trim();
  }

  /** Which memos there are; another inode is another memo. */
  marks(): string[] {
    return [...Deno.readDirSync(this.memos)].map(({ name }) =>
      `${name} ${Deno.statSync(`${this.memos}/${name}`).ino}`
    ).sort();
  }

  /** Launches until the policy is remembered, and another launch has used it. */
  async remembered(): Promise<void> {
    await waitFor("a launch that makes nothing anew", async () => {
      await this.shell("true");
      const before = hasEntries(this.memos) ? this.marks() : [];
      await this.shell("true");
      return (before.length > 0 &&
        before.join() === this.marks().join()) || undefined;
    });
  }
}

function hasEntries(dir: string): boolean {
  try {
    return [...Deno.readDirSync(dir)].length > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const READ = "cat ~/data/file 2>/dev/null || echo refused";

Deno.test({
  name:
    "a launch with a remembered policy is held to it, and has its own temporary directory",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using place = new Place();
    await place.remembered();
    const before = place.marks();
    assert.equal(await place.shell(READ), "data");
    const key = "cat ~/.ssh/file 2>/dev/null || echo refused";
    assert.equal(await place.shell(key), "refused");
    const write = "echo x 2>/dev/null > ~/data/new || echo refused";
    assert.equal(await place.shell(write), "refused");
    const tmp = 'touch "$TMPDIR/x" && echo "$TMPDIR"';
    const [one, two] = [await place.shell(tmp), await place.shell(tmp)];
    assert.match(one, /\/runs\/\d+-\d+\/tmp$/);
    assert.match(two, /\/runs\/\d+-\d+\/tmp$/);
    assert.notEqual(one, two);
    assert.deepEqual(place.marks(), before);
  },
});

Deno.test({
  name: "a remembered policy ends with the first change of what it rests on",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using place = new Place();
    await place.remembered();
    assert.equal(await place.shell(READ), "data");
    const data = `${place.home}/data`;
    Deno.renameSync(data, `${place.home}/moved`);
    assert.equal(await place.shell(READ), "refused");
    // It leads to what no line of the manifest may grant for writing, and what it names is read as the manifest says.
    Deno.symlinkSync("moved", data);
    assert.equal(await place.shell(READ), "data");
    Deno.removeSync(data);
    Deno.writeTextFileSync(`${place.home}/.npmrc`, "color = always\n");
    await place.remembered();
    const settings = "cat ~/.npmrc 2>/dev/null || echo refused";
    assert.equal(await place.shell(settings), "color = always");
    Deno.writeTextFileSync(
      `${place.home}/.npmrc`,
      "//registry.example/:_authToken=npm_" + "0123456789".repeat(4) + "\n",
    );
    assert.equal(await place.shell(settings), "refused");
  },
});

Deno.test({
  name: "a remembered policy can be neither read nor written from inside",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using place = new Place();
    await place.remembered();
    const memos = [...Deno.readDirSync(place.memos)];
    const kept = memos.find(({ name }) => name.endsWith(".launch"));
    const path = `${place.memos}/${kept!.name}`;
    const before = Deno.readFileSync(path);
    const attempts = {
      read: `cat '${path}'`,
      list: `ls '${place.memos}'`,
      edit: `echo x >> '${path}'`,
      plant: `echo x > '${place.memos}/0000000000000000.json'`,
      remove: `rm '${path}'`,
      link: `ln -s /etc/passwd '${place.memos}/1111111111111111.json'`,
      move: `mv '${place.memos}' '${place.memos}.old'`,
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const script =
        `(${attempt}) >/dev/null 2>&1 && echo done || echo refused`;
      assert.equal(await place.shell(script), "refused", name);
    }
    assert.deepEqual(Deno.readFileSync(path), before);
    assert.equal([...Deno.readDirSync(place.memos)].length, memos.length);
  },
});

Deno.test({
  name:
    "a remembered launch that was damaged, or is another one's, is planned anew, and is as strict",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using place = new Place();
    await place.remembered();
    const name = [...Deno.readDirSync(place.memos)]
      .find((entry) => entry.name.endsWith(".launch"))!.name;
    const path = `${place.memos}/${name}`;
    const whole = Deno.readFileSync(path);
    const text = new TextDecoder("latin1").decode(whole);
    // What a careless tool might do, and what would give a session more than it may have.
    const wider = text.replaceAll(`${place.home}/data`, `${place.home}/.ssh`);
    const damages: Record<string, () => void> = {
      empty: () => Deno.writeFileSync(path, new Uint8Array()),
      half: () => Deno.writeFileSync(path, whole.subarray(0, 20_000)),
      "other paths": () => Deno.writeFileSync(path, latin1(wider)),
      "of another kernel": () => {
        const release = Deno.osRelease();
        const other = release.replaceAll(/\d/g, "0");
        Deno.writeFileSync(path, latin1(text.replaceAll(release, other)));
      },
      "open to others": () => Deno.chmodSync(path, 0o644),
      "a link": () => {
        Deno.renameSync(path, `${place.home}/elsewhere`);
        Deno.symlinkSync(`${place.home}/elsewhere`, path);
      },
      ...(Deno.uid() === 0
        ? { "of another user": () => Deno.chownSync(path, 1000, 1000) }
        : {}),
    };
    const script =
      `${READ}; printf :; cat ~/.ssh/file 2>/dev/null || echo refused`;
    for (const [what, damage] of Object.entries(damages)) {
      damage();
      const before = Deno.lstatSync(path).ino;
      assert.equal(await place.shell(script), "data:refused", what);
      // It has been made anew.
      assert.notEqual(Deno.lstatSync(path).ino, before, what);
    }
  },
});

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test({
  name: "a remembered launch gives no variable that a new one would not give",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using place = new Place();
    await place.remembered();
    const show = async (env: Record<string, string>) => {
      const { stdout } = await place.aenv.run(
        ["exec", "--", "sh", "-c", "env"],
        { env: { ...place.aenv.env, ...env } },
      );
      const names = ["CFLAGS", "GITHUB_TOKEN", "LD_PRELOAD", "OTHER"];
      return stdout.split("\n").filter((line) =>
        names.some((name) => line.startsWith(`${name}=`))
      ).sort();
    };
    const token = `ghp_${"0123456789".repeat(4)}`;
    const harmless = { CFLAGS: "-O2", GITHUB_TOKEN: "x-y", OTHER: "a" };
    await waitFor("a launch that is remembered", async () => {
      await show(harmless);
      const before = place.marks().join();
      assert.deepEqual(await show(harmless), ["CFLAGS=-O2"]);
      return before === place.marks().join() || undefined;
    });
    const changed = { ...harmless, CFLAGS: "-O3", OTHER: token };
    assert.deepEqual(await show(changed), ["CFLAGS=-O3"]);
    assert.deepEqual(await show({ ...harmless, CFLAGS: token }), []);
    const more = { ...harmless, LD_PRELOAD: "/nowhere.so" };
    assert.deepEqual(await show(more), ["CFLAGS=-O2"]);
    assert.deepEqual(await show({ CFLAGS: "-O2" }), ["CFLAGS=-O2"]);
  },
});
