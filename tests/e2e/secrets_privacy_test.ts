/** Where a secret's value is found while aenv works with it: in no argument, no file, no output; and the search can find. */

import assert from "node:assert/strict";
import { aenvBinary } from "../support/aenv.ts";
import { Tmux } from "../support/tmux.ts";
import { SecretsWorld } from "./secrets_world.ts";

const VALUE = "privacy-canary-7Q2-value";

/** Forms in which a file or an output could hold it. */
const FORMS = [
  VALUE,
  btoa(VALUE),
  btoa(VALUE).replaceAll("=", ""),
  encodeURIComponent(VALUE),
];

/** Looks at the arguments of all processes again and again until it is stopped. */
class ArgumentWatch {
  readonly found: string[] = [];
  looks = 0;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(texts: readonly string[]) {
    this.#done = this.#watch(texts);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #watch(texts: readonly string[]): Promise<void> {
    while (!this.#isStopped) {
      for (const { name } of Deno.readDirSync("/proc")) {
        if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
        const line = readIfThere(`/proc/${name}/cmdline`);
        if (texts.some((text) => line.includes(text))) this.found.push(line);
      }
      this.looks++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // The process has ended.
    return "";
  }
}

/** Files below a directory that hold one of these texts. */
function filesWith(directory: string, texts: readonly string[]): string[] {
  return [...Deno.readDirSync(directory)].flatMap(
    ({ name, isDirectory, isFile }) => {
      const path = `${directory}/${name}`;
      if (isDirectory) return filesWith(path, texts);
      if (!isFile) return [];
      const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
      return texts.some((each) => text.includes(each)) ? [path] : [];
    },
  );
}

Deno.test("a value in the keyring is in no argument, no file and no output", async () => {
  await using world = await SecretsWorld.open();
  world.writeEnv("work", ["gh-token"]);
  const watch = new ArgumentWatch(FORMS);
  await world.keep("gh-token", VALUE);
  await world.run(["secrets", "add", "gh-token", "-E", "work"], {
    stdin: VALUE,
  });
  await world.must(["secrets", "rotate", "gh-token", "-E", "work"], {
    stdin: VALUE,
  });
  await world.must(["secrets", "list", "-E", "work"]);
  await world.must(["secrets", "list", "-E", "work", "--json"]);
  await world.must(["exec", "-E", "work", "--", "true"]);
  await world.must(["secrets", "rm", "gh-token", "-E", "work"]);
  await watch.stop();
  assert.ok(watch.looks > 10, String(watch.looks));
  assert.deepEqual(watch.found, []);
  assert.deepEqual(filesWith(world.home, FORMS), []);
  for (const form of FORMS) assert.ok(!world.printed.includes(form), form);
});

Deno.test("the same search finds a value that is an argument, or kept in a file", async () => {
  await using world = await SecretsWorld.open();
  const env = { AENV_SECRET_BACKEND: "file" };
  const watch = new ArgumentWatch(FORMS);
  const add = ["secrets", "add", "gh-token", "-E", "work"];
  await world.must(add, { stdin: VALUE, env });
  // What a user types there is in the arguments; aenv refuses it and does not repeat it.
  const done = await world.run(["secrets", "add", "x", VALUE, "-E", "work"]);
  await world.shell(`sh -c 'sleep 2' ${VALUE}`);
  await watch.stop();
  assert.equal(done.code, 2);
  assert.ok(watch.found.length > 0);
  assert.deepEqual(filesWith(world.home, FORMS), [
    `${world.home}/.aenv/secrets/values.json`,
  ]);
  assert.ok(!world.printed.includes(VALUE));
});

Deno.test("what is typed does not show, and pasted lines become one value", async () => {
  await using world = await SecretsWorld.open();
  await using terminal = await Tmux.open({ cwd: world.home, env: world.env });
  await terminal.start(`${aenvBinary()} secrets add typed -E work`);
  await terminal.waitForLine(/^Value of typed \(not shown\):/);
  await terminal.type(VALUE);
  assert.equal(await terminal.exitCode(), 0);
  const screen = (await terminal.screen()).join("\n");
  assert.match(
    screen,
    /^kept secret typed of environment work in the keyring$/m,
  );
  assert.ok(!screen.includes(VALUE.slice(0, 8)), screen);
  assert.equal(await world.inKeyring("typed"), hexOf(VALUE));
  await terminal.start(`${aenvBinary()} secrets add pasted -E work`);
  await terminal.waitForLine(/^Value of pasted \(not shown\):/);
  await terminal.paste("line one\nline two\n");
  await terminal.keys("Enter");
  assert.equal(await terminal.exitCode(), 0);
  assert.equal(await world.inKeyring("pasted"), hexOf("line one\nline two\n"));
  // The terminal shows again what is typed.
  await terminal.start("echo seen again");
  await terminal.waitForLine(/^seen again$/);
});

Deno.test("Ctrl-C at the question keeps nothing, and the terminal shows again what is typed", async () => {
  await using world = await SecretsWorld.open();
  await using terminal = await Tmux.open({ cwd: world.home, env: world.env });
  await terminal.start(`${aenvBinary()} secrets add typed -E work`);
  await terminal.waitForLine(/^Value of typed/);
  await terminal.keys("a", "C-c");
  assert.equal(await terminal.exitCode(), 130);
  assert.deepEqual(await world.states(), {});
  await terminal.start("echo seen again");
  await terminal.waitForLine(/^seen again$/);
});

Deno.test("remove asks on a terminal whether the values go too", async () => {
  await using world = await SecretsWorld.open();
  await world.keep("gh-token", VALUE);
  await using terminal = await Tmux.open({ cwd: world.home, env: world.env });
  await terminal.start(`${aenvBinary()} remove work`);
  await terminal.waitForLine(
    /^Remove the values of its secrets \(gh-token\) from the keyring too\? \[y\/N\]/,
  );
  await terminal.type("y");
  assert.equal(await terminal.exitCode(), 0);
  assert.equal(await world.inKeyring("gh-token"), undefined);
});

function hexOf(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
