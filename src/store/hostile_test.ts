import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  SAMPLE,
  StoreWorld,
  writeTree,
} from "../../tests/support/store_world.ts";
import { runUnprivileged } from "../../tests/support/unprivileged.ts";
import { markOf } from "../os/marks.ts";

const MODULE = new URL("./mod.ts", import.meta.url).href;

/** Prints what came of each step: `ok`, or the code and message of an error. */
const PREAMBLE = `
import * as store from ${JSON.stringify(MODULE)};
const [dir] = Deno.args;
const s = store.openStore(dir + "/store");
async function step(name, work) {
  try {
    console.log(name + ": " + (JSON.stringify(await work()) ?? "ok"));
  } catch (error) {
    console.log(name + ": " + error.code + " " + error.message);
  }
}
`;

/** Lines of {@link PREAMBLE}, by name. */
function readSteps(output: string): Record<string, string> {
  return Object.fromEntries(
    output.trim().split("\n").map((line) => {
      const [name, ...rest] = line.split(": ");
      return [name!, rest.join(": ")];
    }),
  );
}

/** Runs a script in a mount namespace of its own, after these mounts. */
async function runMounted(
  world: StoreWorld,
  mounts: string,
  script: string,
): Promise<Record<string, string>> {
  const isRoot = Deno.uid() === 0;
  const command = `set -e; ${mounts}; exec "$@"`;
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      ...(isRoot ? [] : ["--map-root-user"]),
      "--mount",
      "/bin/sh",
      "-c",
      command,
      "sh",
      Deno.execPath(),
      "eval",
      "--ext=ts",
      PREAMBLE + script,
      world.dir,
    ],
    env: { DIR: world.dir },
  }).output();
  const decoder = new TextDecoder();
  strictEqual(code, 0, decoder.decode(stderr));
  return readSteps(decoder.decode(stdout));
}

if (Deno.build.os === "linux") {
  Deno.test("a store on a full disk says so, and leaves nothing", async () => {
    using world = new StoreWorld();
    writeTree(world.path("source"), { "a": "x", "b": new Uint8Array(3 << 20) });
    writeTree(world.path("small"), SAMPLE);
    Deno.mkdirSync(world.path("store"));
    const steps = await runMounted(
      world,
      'mount -t tmpfs -o size=2m none "$DIR/store"',
      `
      await step("full", () => store.insertTree(s, dir + "/source"));
      await step("size", () => store.storeSize(s));
      await step("small", () => store.insertTree(s, dir + "/small"));
      await step("verify", () => store.verifyStore(s, { repair: false }));
      `,
    );
    match(steps["full"]!, /^IO Cannot write ".*": no space left on device$/);
    const size = JSON.parse(steps["size"]!);
    deepStrictEqual([size.objects, size.temporaryBytes], [0, 0]);
    strictEqual(JSON.parse(steps["small"]!).isNew, true);
    deepStrictEqual(JSON.parse(steps["verify"]!).corrupt, []);
  });

  Deno.test("placing a tree on a full disk says so, and leaves nothing", async () => {
    using world = new StoreWorld();
    const hash = await world.insert({ "a": new Uint8Array(3 << 20), "b": "x" });
    Deno.mkdirSync(world.path("env"));
    const steps = await runMounted(
      world,
      'mount -t tmpfs -o size=2m none "$DIR/env"',
      `
      const placement = { hash: "${hash}", target: dir + "/env/x" };
      for (const share of [true, false]) {
        await step("link " + share, () => store.linkTree(s, placement, { share }));
      }
      await step("left", () => [...Deno.readDirSync(dir + "/env")].length);
      `,
    );
    for (const share of [true, false]) {
      match(steps[`link ${share}`]!, /^IO Cannot write ".*": no space left/);
    }
    strictEqual(steps["left"], "0");
  });

  Deno.test("a tree is copied to another file system, with its own times and modes", async () => {
    using world = new StoreWorld();
    const hash = await world.insert();
    Deno.mkdirSync(world.path("env"));
    const steps = await runMounted(
      world,
      'mount -t tmpfs none "$DIR/env"',
      `
      const placement = { hash: "${hash}", target: dir + "/env/x" };
      await step("link", () => store.linkTree(s, placement, { share: true }));
      await step("check", () => store.checkTree(s, placement));
      `,
    );
    deepStrictEqual(steps, { link: '"copy"', check: "[]" });
  });

  Deno.test("a store on a read-only file system is checked and read, and says why it takes nothing", async () => {
    using world = new StoreWorld();
    const { linkTree } = await import("./mod.ts");
    const hash = await world.insert();
    const target = world.path("store", "env");
    await linkTree(world.store, { hash, target }, { share: true });
    world.store[Symbol.dispose]();
    Deno.utimeSync(`${target}/SKILL.md`, 5, 5);
    Deno.chmodSync(`${target}/nothing`, 0o600);
    writeTree(world.path("source"), { "new": "x" });
    const steps = await runMounted(
      world,
      'mount --bind "$DIR/store" "$DIR/store"; mount -o remount,bind,ro "$DIR/store"',
      `
      const hash = "${hash}";
      const placement = { hash, target: dir + "/store/env" };
      const elsewhere = { hash, target: dir + "/elsewhere" };
      await step("check", () => store.checkTree(s, placement));
      await step("verify", () => store.verifyStore(s, { repair: false }));
      await step("insert", () => store.insertTree(s, dir + "/source"));
      await step("link", () => store.linkTree(s, elsewhere, { share: true }));
      await step("gc", () => store.collectGarbage(s, { keep: () => [] }));
      `,
    );
    strictEqual(steps["check"], '[{"path":"nothing","change":"mode"}]');
    deepStrictEqual(JSON.parse(steps["verify"]!).corrupt, []);
    for (const name of ["insert", "link", "gc"]) {
      match(steps[name]!, /^IO Cannot .*: the file system is read-only$/);
    }
    strictEqual(markOf(world.path("elsewhere")), undefined);
  });
}

Deno.test("a user for whom permission bits count can do everything, and remove it", async () => {
  using world = new StoreWorld();
  writeTree(world.path("source"), SAMPLE);
  const output = await runUnprivileged(
    PREAMBLE + `
    const { hash } = await store.insertTree(s, dir + "/source");
    for (const share of [true, false]) {
      const placement = { hash, target: dir + "/env/" + share };
      const { target } = placement;
      await step("link " + share, () => store.linkTree(s, placement, { share }).then(() => 1));
      for (const path of ["SKILL.md", "bin/new"]) {
        await step("write " + path, () => Deno.writeTextFileSync(target + "/" + path, ""));
      }
      Deno.chmodSync(target + "/SKILL.md", 0);
      Deno.chmodSync(target + "/docs", 0);
      await step("check " + share, () => store.checkTree(s, placement));
      await step("repair " + share, () => store.repairTree(s, placement, { share }));
      await step("check again " + share, () => store.checkTree(s, placement));
    }
    await step("verify", () => store.verifyStore(s, { repair: true }).then((v) => v.corrupt));
    s[Symbol.dispose]();
    await step("gc", () => store.collectGarbage(s, { keep: () => [] }).then((c) => c.removed));
    await step("holds", () => [...Deno.readDirSync(dir + "/store/objects/" + hash.slice(0, 2))].length);
    `,
    world.dir,
    [world.dir],
  );
  const steps = readSteps(output);
  const differences = JSON.stringify([
    { path: "SKILL.md", change: "changed" },
    { path: "docs", change: "mode" },
  ]);
  for (const share of [true, false]) {
    strictEqual(steps[`link ${share}`], "1");
    strictEqual(steps[`check again ${share}`], "[]");
    strictEqual(steps[`check ${share}`], differences);
    strictEqual(steps[`repair ${share}`], differences);
  }
  for (const path of ["SKILL.md", "bin/new"]) {
    match(steps[`write ${path}`]!, /^EACCES/);
  }
  strictEqual(steps["verify"], "[]");
  strictEqual(steps["gc"], "1");
  strictEqual(steps["holds"], "0");
});

Deno.test("a store that cannot be read is no empty store", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  world.store[Symbol.dispose]();
  const output = await runUnprivileged(
    PREAMBLE + `
    const placement = { hash: "${hash}", target: dir + "/env" };
    for (const part of ["objects", "objects/${hash.slice(0, 2)}", ""]) {
      const path = dir + "/store/" + part;
      Deno.chmodSync(path, 0);
      await step("hold", () => store.holdTree(s, placement.hash));
      await step("link", () => store.linkTree(s, placement, { share: true }));
      await step("check", () => store.checkTree(s, placement));
      await step("gc", () => store.collectGarbage(s, { keep: () => [] }));
      await step("verify", () => store.verifyStore(s, { repair: true }));
      Deno.chmodSync(path, 0o700);
    }
    await step("intact", () => store.linkTree(s, placement, { share: false }).then(() => 1));
    `,
    world.dir,
    [world.dir],
  );
  const lines = output.trim().split("\n");
  strictEqual(lines.pop(), "intact: 1");
  strictEqual(lines.length, 15);
  for (const line of lines) match(line, /: IO Cannot .*: permission denied$/);
  ok(markOf(world.path("env")));
});
