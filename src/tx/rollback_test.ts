import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { TxWorld } from "../../tests/support/tx_world.ts";
import { beginRun, endRun } from "../env/runs.ts";
import { processStart } from "../os/process.ts";
import { pathsOf } from "./mod.ts";

/** A world with one file that was changed. */
async function changedFile(): Promise<TxWorld> {
  const world = new TxWorld();
  world.write("p/file", "old");
  await put(world, "new");
  return world;
}

function put(world: TxWorld, data: string): Promise<void> {
  return world.change((tx) => tx.put({ path: world.path("p/file"), data }));
}

/** Makes an env as `new` does. */
function place(world: TxWorld, name: string): Promise<void> {
  return world.change((tx, scratch) => {
    Deno.mkdirSync(`${scratch}/tree`, { mode: 0o700 });
    Deno.writeTextFileSync(`${scratch}/tree/aenv.toml`, "x");
    tx.place("tree", world.path(`.aenv/envs/${name}`));
  });
}

Deno.test("rollback() refuses a change that a later one touched, until that is rolled back", async () => {
  using world = await changedFile();
  const [first] = world.ids();
  await put(world, "newer");
  const [, second] = world.ids();
  const back = { id: first as never };
  await rejects(world.rollback({ ...back, force: true }), {
    code: "TX_CONFLICT",
    message:
      `Cannot roll back "${first}": test ${second} changed the same later`,
    hint: `Roll that back first: aenv rollback ${second}`,
  });
  strictEqual(world.read("p/file"), "newer");
  const { id } = await world.rollback();
  await world.rollback(back);
  strictEqual(world.read("p/file"), "old");
  // The second cannot come back onto what the first is no longer there for.
  await rejects(world.rollback({ id }), { code: "TX_CONFLICT" });
  await rejects(world.rollback(back), {
    code: "TX_NOT_FOUND",
    message: /it was rolled back by/,
  });
});

Deno.test("rollback() does not overwrite what was changed since unless forced, and then keeps it", async () => {
  for (const change of ["edit", "mode", "removed", "linked"]) {
    using world = await changedFile();
    if (change === "edit") world.write("p/file", "mine");
    if (change === "mode") world.chmod("p/file", 0o644);
    if (change === "removed") world.remove("p/file");
    if (change === "linked") {
      world.remove("p/file");
      world.link("p/file", world.path("precious"));
    }
    const mine = world.state();
    await rejects(world.rollback(), {
      code: "TX_CONFLICT",
      message: `Cannot take back "${
        world.path("p/file")
      }": it has changed since`,
    }, change);
    deepStrictEqual(world.state(), mine, change);
    const { id } = await world.rollback({ force: true });
    strictEqual(world.read("p/file"), "old", change);
    await world.rollback({ id });
    deepStrictEqual(world.state(), mine, change);
  }
});

Deno.test("rollback() has nothing to do where somebody has taken a change back by hand", async () => {
  using world = await changedFile();
  world.write("p/file", "old");
  world.chmod("p/file", 0o644);
  const before = world.state();
  await world.rollback();
  deepStrictEqual(world.state(), before);
  await rejects(world.rollback(), { code: "TX_NOT_FOUND" });
});

Deno.test("rollback() takes a tree away only as it was made, and brings it back with what was added", async () => {
  using world = new TxWorld();
  await world.change((tx) => tx.makeDir(world.path(".aenv/envs")));
  await place(world, "a");
  world.write(".aenv/envs/a/claude/session", "talk");
  await rejects(world.rollback(), { code: "TX_CONFLICT" });
  strictEqual(world.read(".aenv/envs/a/claude/session"), "talk");
  const { id } = await world.rollback({ force: true });
  strictEqual(world.exists(".aenv/envs/a"), false);
  await world.rollback({ id });
  strictEqual(world.read(".aenv/envs/a/claude/session"), "talk");
});

Deno.test("rollback() does not put a tree where something else is", async () => {
  using world = new TxWorld();
  world.env("a");
  await world.change((tx) => tx.take(world.path(".aenv/envs/a")));
  world.write(".aenv/envs/a/other", "x");
  const there = world.state();
  await rejects(world.rollback(), { code: "TX_CONFLICT" });
  deepStrictEqual(world.state(), there);
  const { id } = await world.rollback({ force: true });
  deepStrictEqual(world.names(".aenv/envs/a"), ["aenv.toml"]);
  await world.rollback({ id });
  deepStrictEqual(world.state(), there);
});

Deno.test("rollback() does not follow a link that was planted in the way, forced or not", async () => {
  for (const force of [false, true]) {
    using world = new TxWorld();
    world.env("a");
    world.write(".aenv/envs/a/claude/settings.json", "old");
    const path = world.path(".aenv/envs/a/claude/settings.json");
    await world.change((tx) => tx.put({ path, data: "new" }));
    world.write("precious/settings.json", "new");
    world.remove(".aenv/envs/a/claude");
    world.link(".aenv/envs/a/claude", world.path("precious"));
    await rejects(world.rollback({ force }), {
      code: "TX_CONFLICT",
      message: /a link leads elsewhere now/,
    });
    strictEqual(world.read("precious/settings.json"), "new");
    world.kill();
    const { stuck } = await world.recover(force);
    strictEqual(stuck.length, 1);
    strictEqual(world.read("precious/settings.json"), "new");
  }
});

Deno.test("rollback() refuses a copy that was tampered with", async () => {
  using world = await changedFile();
  const [id] = world.ids();
  const copy = `.aenv/state/${id}/0.before`;
  world.write(copy, "evil");
  const refused = { code: "TX_INVALID", message: /missing or damaged/ };
  await rejects(world.rollback(), refused);
  world.remove(copy);
  world.write("precious", "old");
  world.link(copy, world.path("precious"));
  await rejects(world.rollback(), refused);
  strictEqual(world.read("p/file"), "new");
});

Deno.test("rollback() takes nothing from under an agent", async () => {
  using world = new TxWorld();
  world.env("a");
  const [from, to] = ["a", "b"].map((name) => world.path(`.aenv/envs/${name}`));
  await world.change((tx) => tx.move(from!, to!));
  const run = { label: "b", slotName: "b", agent: "claude", cwd: "/" };
  const dir = beginRun(world.dirs, world.host(), run);
  await rejects(world.rollback({ force: true }), { code: "ENV_BUSY" });
  world.kill();
  strictEqual((await world.recover(true)).stuck.length, 1);
  deepStrictEqual(world.names(".aenv/envs"), ["b"]);
  endRun(dir);
  strictEqual((await world.recover()).undone.length, 1);
  deepStrictEqual(world.names(".aenv/envs"), ["a"]);
});

Deno.test("rollback() finds the newest change of an env, wherever it was", async () => {
  using world = new TxWorld();
  world.env("a");
  world.env("b");
  const touch = (name: string) =>
    world.change((tx) =>
      tx.put({ path: world.path(`.aenv/envs/${name}/x`), data: name })
    );
  await touch("a");
  await touch("b");
  const { undid } = await world.rollback({ slotName: "a" });
  deepStrictEqual(undid.entries.flatMap(pathsOf), [
    world.path(".aenv/envs/a/x"),
  ]);
  await rejects(world.rollback({ slotName: "a" }), { code: "TX_NOT_FOUND" });
  strictEqual(world.exists(".aenv/envs/b/x"), true);
});

Deno.test("what a killed process left and somebody has changed since is left alone, and nobody else touches it", async () => {
  using world = await changedFile();
  world.kill();
  world.write("p/file", "mine");
  await rejects(put(world, "newer"), {
    code: "TX_CONFLICT",
    hint: "Take that back first: aenv rollback --pending",
  });
  strictEqual(world.read("p/file"), "mine");
  strictEqual(world.notices.length, 2);
  await world.change((tx) =>
    tx.put({ path: world.path("p/another"), data: "x" })
  );
  const [id] = world.ids();
  strictEqual((await world.recover(true)).undone.length, 1);
  strictEqual(world.read("p/file"), "old");
  strictEqual(world.read(`.aenv/state/${id}/0.kept`), "mine");
});

Deno.test("the next change clears up behind a killed process and says so", async () => {
  using world = await changedFile();
  world.kill();
  await world.change((tx) =>
    tx.put({ path: world.path("p/another"), data: "x" })
  );
  strictEqual(world.read("p/file"), "old");
  const [id] = world.ids();
  deepStrictEqual(world.notices, [
    `aenv: took back what a killed "aenv test" had begun (${id})`,
  ]);
});

Deno.test("a pending transaction of a process that lives is left alone", async () => {
  using world = await changedFile();
  world.kill();
  world.editRecord((record) => {
    record["owner"] = { pid: Deno.pid, start: processStart(Deno.pid) };
  });
  deepStrictEqual((await world.recover(true)).undone, []);
  strictEqual(world.read("p/file"), "new");
});
