import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { TxWorld } from "../../tests/support/tx_world.ts";
import { prune, readHistory } from "./mod.ts";
import { readRecord } from "./record.ts";
import { txHome } from "../env/slots.ts";

type Fields = Record<string, unknown>;

/** A world with a killed transaction that would put `precious` back. */
async function killedWorld(): Promise<TxWorld> {
  const world = new TxWorld();
  world.write("p/file", "old");
  world.write("precious", "new");
  world.chmod("precious", 0o600);
  const path = world.path("p/file");
  await world.change((tx) => tx.put({ path, data: "new" }));
  world.kill();
  return world;
}

function entry(record: Fields): Fields {
  return (record["entries"] as Fields[])[0]!;
}

/** Edits of a record that somebody could have planted. */
const PLANTED: Record<string, (record: Fields, world: TxWorld) => void> = {
  "another version": (record) => record["version"] = 2,
  "another id": (record) => record["id"] = "20300131T235959999Z-ffffff",
  "no entries": (record) => delete record["entries"],
  "an unknown change": (record) => entry(record)["op"] = "delete",
  "a relative path": (record) => entry(record)["path"] = "precious",
  "a path with dots": (record, world) =>
    entry(record)["path"] = `${world.home}/p/../precious`,
  "a path in the journal": (record, world) =>
    entry(record)["path"] = world.path(".aenv/state/x"),
  "a tree outside of the home": (record, world) =>
    record["entries"] = [{ op: "take", path: world.path("p") }],
  "the whole home": (record, world) =>
    record["entries"] = [{ op: "take", path: world.path(".aenv") }],
  "a tree to outside": (record, world) =>
    record["entries"] = [{
      op: "move",
      path: world.path(".aenv/envs/a"),
      to: world.path("p"),
    }],
  "a source that is no id": (record, world) =>
    record["entries"] = [{
      op: "place",
      path: world.path(".aenv/envs/a"),
      mark: "0".repeat(64),
      from: { id: "../../..", index: 0 },
    }],
  "set-user-id beyond modes": (record) =>
    (entry(record)["before"] as Fields)["mode"] = 0o100755,
  "a negative count": (record) => record["undone"] = -1,
  "more undone than there is": (record) => record["undone"] = 7,
};

for (const [name, edit] of Object.entries(PLANTED)) {
  Deno.test(`a record with ${name} is reported by its id and not obeyed`, async () => {
    using world = await killedWorld();
    const [id] = world.ids();
    world.editRecord((record) => edit(record, world));
    const before = world.state();
    const { broken, undone } = await world.recover(true);
    deepStrictEqual(broken.map((one) => one.id), [id]);
    strictEqual(undone.length, 0);
    await rejects(world.rollback({ id: id as never, force: true }), {
      code: "TX_INVALID",
      message: new RegExp(`^Cannot use transaction "${id}": `),
    });
    deepStrictEqual(world.state(), before);
    const home = txHome(world.host(), world.dirs);
    const { removed } = await prune(home, { keep: 0, days: 0 });
    deepStrictEqual(removed, []);
    deepStrictEqual(world.ids(), [id]);
  });
}

Deno.test("a record that is no file, or none at all, does not stop other changes", async () => {
  using world = await killedWorld();
  const [id] = world.ids();
  const file = `.aenv/state/${id}/record.json`;
  const makers = [
    () => world.remove(file),
    () => world.link(file, world.path("precious")),
    () => {
      world.remove(file);
      Deno.mkdirSync(world.path(file));
    },
    () => {
      world.remove(file);
      world.write(file, "{");
    },
  ];
  for (const [i, make] of makers.entries()) {
    make();
    await world.change((tx) =>
      tx.put({ path: world.path("p/more"), data: String(i) })
    );
    deepStrictEqual(
      readHistory(world.dirs).broken.map((one) => one.id),
      [id],
    );
  }
  strictEqual(world.read("p/file"), "new");
});

Deno.test("any text as a record is read as one or refused", async () => {
  using world = await killedWorld();
  const [id] = world.ids();
  const file = `.aenv/state/${id}/record.json`;
  const whole = world.read(file);
  const texts = fc.oneof(
    fc.json(),
    fc.string(),
    fc.tuple(fc.nat(whole.length), fc.nat(30), fc.string({ maxLength: 9 }))
      .map(([at, count, text]) =>
        whole.slice(0, at) + text + whole.slice(at + count)
      ),
  );
  fc.assert(
    fc.property(texts, (text) => {
      world.write(file, text);
      try {
        strictEqual(String(readRecord(world.dirs, id as never).id), id);
      } catch (error) {
        if ((error as { code?: string }).code !== "TX_INVALID") throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
