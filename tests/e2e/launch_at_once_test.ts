/** Many launches at the same moment in one env: each finds what it needs, whoever puts it there. */

import assert from "node:assert/strict";
import { Aenv, aenvBinary } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { type Finished, run, waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";

const AT_ONCE = 6;
/** strace, which makes processes slow where it matters, is Linux's. */
const linux = { ignore: Deno.build.os !== "linux" };
const TEXT = "Look at it.\n";

/** Between a look and the step that relies on it another process can do much: here it has half a second for it. */
const SLOW_MOVES = [
  "-qq",
  "-o/dev/null",
  "-etrace=?rename,?renameat,?renameat2",
  "-einject=?rename,?renameat,?renameat2:delay_enter=500000",
];

/** A project with a plugin of many files. */
async function project(
  home: string,
  { lines, isLocked }: { readonly lines: string; readonly isLocked: boolean },
): Promise<Aenv> {
  const cwd = `${home}/project`;
  const [agent] = claudePrograms();
  const aenv = new Aenv({ home, cwd, agent });
  writeText(`${cwd}/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
  writeText(`${cwd}/rev/commands/c.md`, TEXT);
  writeText(`${cwd}/aenv.toml`, `[env]\nname = "project"\n${lines}`);
  if (isLocked) {
    await aenv.must(["add", "plugin", "rev", "--source", "./rev"]);
  } else {
    const entry = '\n[[plugins.enabled]]\nname = "rev"\nsource = "./rev"\n';
    const options = { append: true };
    Deno.writeTextFileSync(`${cwd}/aenv.toml`, entry, options);
  }
  await aenv.must(["trust", "--yes"]);
  return aenv;
}

interface Place {
  readonly aenv: Aenv;
  readonly cwd: string;
}

/** Runs `aenv ARGS` with time between each look and what follows. */
async function slowly(
  { aenv, cwd }: Place,
  args: readonly string[],
): Promise<Finished> {
  const words = [...SLOW_MOVES, aenvBinary(), ...args];
  return await run("strace", words, { env: aenv.env, cwd });
}

/** Runs `script` in the agent's place, several times at once; what each wrote. */
async function manyAtOnce(place: Place, script: string): Promise<Finished[]> {
  const args = ["exec", "--", "sh", "-c", script];
  const all = await Promise.all(
    Array.from({ length: AT_ONCE }, () => slowly(place, args)),
  );
  for (const { code, stdout, stderr } of all) {
    assert.equal(code, 0, stdout + stderr);
  }
  return all;
}

/** Directory in which what the agent loads stands. */
function installedAt(home: string): string {
  const envs = `${home}/.aenv/envs`;
  const [slot] = [...Deno.readDirSync(envs)].map(({ name }) => name)
    .filter((name) => name.startsWith("project-"));
  return `${envs}/${slot}/installed`;
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

/** Removes a directory, read-only ones in it as well. */
async function remove({ aenv, cwd }: Place, path: string): Promise<void> {
  const script = `chmod -R u+w '${path}' && rm -r '${path}'`;
  const { code } = await run("sh", ["-c", script], { env: aenv.env, cwd });
  assert.equal(code, 0);
}

/** What transactions have written down. */
function records(home: string): string {
  const state = `${home}/.aenv/state`;
  return namesIn(state).filter((name) => !name.startsWith("."))
    .map((name) => Deno.readTextFileSync(`${state}/${name}/record.json`))
    .join("");
}

const KINDS = {
  "copied": { lines: "", isLocked: false },
  "from the store": { lines: "", isLocked: true },
  "from the store, shared": {
    lines: "[sandbox]\nenabled = true\n",
    isLocked: true,
  },
} as const;

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(
    `launches at once put a plugin in place that none had there before, ${name}`,
    linux,
    async () => {
      // Guards: one looks, another one moves its copy there, and the first one fails.
      using temp = new TempDir("aenv-at-once-");
      const home = temp.path;
      const aenv = await project(home, kind);
      await aenv.must(["exec", "--", "true"]);
      const installed = installedAt(home);
      const [name] = namesIn(installed);
      const path = `${installed}/${name}/rev/commands/c.md`;
      assert.equal(Deno.readTextFileSync(path), TEXT);
      const place = { aenv, cwd: `${home}/project` };
      const root = `${installed}/${name}`;
      await remove(place, root);
      for (
        const { stdout, stderr } of await manyAtOnce(place, `cat '${path}'`)
      ) {
        assert.equal(stdout, TEXT);
        assert.doesNotMatch(stderr, /put back/);
      }
      assert.deepEqual(namesIn(installed), [name]);
    },
  );
}

Deno.test(
  "launches at once put back a plugin that was changed, and one of them says so",
  linux,
  async () => {
    // Guards: what one launch makes to put a file back is something that was added to another one.
    using temp = new TempDir("aenv-at-once-");
    const home = temp.path;
    const aenv = await project(home, KINDS["from the store"]);
    await aenv.must(["exec", "--", "true"]);
    const installed = installedAt(home);
    const [name] = namesIn(installed);
    const root = `${installed}/${name}`;
    const path = `${root}/rev/commands/c.md`;
    Deno.chmodSync(path, 0o600);
    Deno.writeTextFileSync(path, "Something else.\n");
    Deno.writeTextFileSync(`${root}/added`, "");
    const place = { aenv, cwd: `${home}/project` };
    const all = await manyAtOnce(place, `cat '${path}'`);
    for (const { stdout } of all) assert.equal(stdout, TEXT);
    const telling = all.filter(({ stderr }) => stderr.includes("put back"));
    assert.equal(telling.length, 1);
    assert.match(telling[0]!.stderr, /changed .* put back: commands\/c\.md/);
    assert.match(telling[0]!.stderr, /stands beside rev .* put back: added/);
    assert.deepEqual([namesIn(installed), namesIn(root)], [[name], ["rev"]]);
  },
);

Deno.test(
  "a sync and a launch at once both put in place what is missing",
  linux,
  async () => {
    // Guards: the sync fails because what it has seen to be missing is there by now.
    using temp = new TempDir("aenv-at-once-");
    const home = temp.path;
    const aenv = await project(home, KINDS["from the store"]);
    const place = { aenv, cwd: `${home}/project` };
    await aenv.must(["exec", "--", "true"]);
    const installed = installedAt(home);
    const [name] = namesIn(installed);
    await remove(place, installed);
    const slowMaking = [
      ...["-qq", "-o/dev/null", `-P${installed}`, "-etrace=?mkdir,?mkdirat"],
      "-einject=?mkdir,?mkdirat:delay_enter=5000000",
    ];
    const words = [...slowMaking, aenvBinary(), "sync"];
    const sync = run("strace", words, { env: aenv.env, cwd: place.cwd });
    await waitFor(
      "what the sync is about to do",
      () => records(home).includes('"op": "mkdir"') || undefined,
    );
    await aenv.must(["exec", "--", "true"]);
    const { code, stderr } = await sync;
    assert.equal(code, 0, stderr);
    assert.deepEqual(namesIn(installed), [name]);
  },
);
