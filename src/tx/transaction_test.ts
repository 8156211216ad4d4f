import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { TxWorld } from "../../tests/support/tx_world.ts";
import { join } from "../base/paths.ts";
import type { Transaction } from "./mod.ts";

type Work = (tx: Transaction, scratch: string) => void;

/** A home with something of everything. */
function prepare(world: TxWorld): void {
  world.env("a", '[vars]\nA = "1"\n');
  world.env("b");
  world.write(".aenv/config.toml", 'default_env = "a"\n');
  world.chmod(".aenv/config.toml", 0o640);
  world.write(".aenv/envs/a/tool", "#!/bin/sh\n");
  world.chmod(".aenv/envs/a/tool", 0o755);
  world.write(".aenv/envs/b/installed/h/file", "x");
  world.chmod(".aenv/envs/b/installed/h", 0o500);
  world.link(".aenv/envs/a/link", "nowhere");
  world.write("p/.aenv-version", "a\n");
  world.chmod("p/.aenv-version", 0o644);
}

/** Every kind of change, on paths of their own. */
function everyChange(world: TxWorld): Record<string, Work> {
  const at = (path: string) => world.path(path);
  return {
    "a file is replaced": (tx) =>
      tx.put({ path: at(".aenv/config.toml"), data: "# new\n" }),
    "a file is made": (tx) =>
      tx.put({ path: at("p/aenv.toml"), data: "x", mode: 0o644 }),
    "a file goes": (tx) =>
      tx.put({ path: at("p/.aenv-version"), remove: true }),
    "a link is replaced by a file": (tx) =>
      tx.put({ path: at(".aenv/envs/a/link"), data: "x" }),
    "a file is replaced by a link": (tx) =>
      tx.put({ path: at(".aenv/envs/a/tool"), link: "/bin/true" }),
    "several files change": (tx) =>
      tx.putAll([
        { path: at(".aenv/envs/a/tool"), data: "1", mode: 0o600 },
        { path: at(".aenv/envs/a/aenv.toml"), data: "2" },
        { path: at("p/new"), data: "3" },
      ]),
    "a tree goes": (tx) => tx.take(at(".aenv/envs/b")),
    "a tree appears": (tx) => {
      tx.put({ path: at("p/other"), data: "x" });
      tx.place("tree", at(".aenv/envs/c"));
    },
    "a tree moves, and then its files change": (tx) => {
      tx.move(at(".aenv/envs/a"), at(".aenv/envs/d"));
      tx.putAll([
        { path: at(".aenv/envs/d/aenv.toml"), data: "moved" },
        { path: at(".aenv/envs/d/link"), link: "somewhere" },
      ]);
      tx.put({ path: at(".aenv/envs/d/tool"), remove: true });
    },
    "a directory is made and filled": (tx) => {
      tx.makeDir(at(".aenv/more"));
      tx.put({ path: at(".aenv/more/file"), data: "x" });
    },
  };
}

/** Runs a change with a tree in the scratch directory. */
async function run(world: TxWorld, work: Work, end: () => void = () => {}) {
  await world.change((tx, scratch) => {
    Deno.mkdirSync(join(scratch as never, "tree"), { mode: 0o700 });
    Deno.writeTextFileSync(`${scratch}/tree/file`, "x");
    // The journal takes the scratch directory over with the first change.
    work(tx, scratch);
    end();
  });
}

const NAMES = Object.keys(everyChange(new TxWorld()));

for (const name of NAMES) {
  Deno.test(`when ${name}, an error, a kill and a rollback leave what was before, byte by byte`, async () => {
    using world = new TxWorld();
    prepare(world);
    const before = world.state();
    const work = everyChange(world)[name]!;
    const failed = run(world, work, () => {
      throw new TypeError("boom");
    });
    await rejects(failed, /boom/);
    deepStrictEqual(world.state(), before, "after an error");
    const [id] = world.ids();
    deepStrictEqual(world.names(`.aenv/state/${id}`), ["record.json"]);

    await run(world, work);
    const after = world.state();
    ok(JSON.stringify(after) !== JSON.stringify(before));
    world.kill();
    const recovered = await world.recover();
    strictEqual(recovered.undone.length, 1);
    deepStrictEqual(world.state(), before, "after a kill");
    strictEqual((await world.recover()).undone.length, 0);

    await run(world, work);
    const { id: first } = await world.rollback();
    deepStrictEqual(world.state(), before, "after a rollback");
    const { id: second } = await world.rollback({ id: first });
    deepStrictEqual(world.state(), after, "after its rollback");
    await world.rollback({ id: second });
    deepStrictEqual(world.state(), before, "after the rollback of that");
  });
}

Deno.test("any sequence of changes can be rolled back one by one, and forth again", async () => {
  const names = fc.array(fc.constantFrom(...NAMES), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(names, async (sequence) => {
      using world = new TxWorld();
      prepare(world);
      const states = [world.state()];
      for (const name of sequence) {
        try {
          await run(world, everyChange(world)[name]!);
        } catch (error) {
          // What an earlier one took away cannot change.
          if ((error as { code?: string }).code === undefined) throw error;
          continue;
        }
        const state = world.state();
        // A change that changes nothing is none.
        if (JSON.stringify(state) !== JSON.stringify(states.at(-1))) {
          states.push(state);
        }
      }
      const undone: Parameters<typeof world.rollback>[0][] = [];
      for (const state of states.slice(0, -1).reverse()) {
        undone.push({ id: (await world.rollback()).id });
        deepStrictEqual(world.state(), state);
      }
      await rejects(world.rollback(), { code: "TX_NOT_FOUND" });
      for (const state of states.slice(1)) {
        await world.rollback(undone.pop()!);
        deepStrictEqual(world.state(), state);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("a killed transaction whose last change is done is finished, not undone", async () => {
  using world = new TxWorld();
  prepare(world);
  await world.change((tx) =>
    tx.put({ path: world.path("p/pin"), data: "x" }, { completes: true })
  );
  const after = world.state();
  world.kill();
  world.editRecord((record) => record["whole"] = true);
  strictEqual((await world.recover()).finished.length, 1);
  deepStrictEqual(world.state(), after);
  world.kill();
  world.editRecord((record) => record["whole"] = true);
  world.remove("p/pin");
  strictEqual((await world.recover()).undone.length, 1);
});

Deno.test("a change that changes nothing leaves no trace", async () => {
  using world = new TxWorld();
  prepare(world);
  const path = world.path("p/.aenv-version");
  await world.change((tx) => tx.put({ path, data: "a\n", mode: 0o644 }));
  await rejects(
    world.change(() => {
      throw new Error("early");
    }),
    /early/,
  );
  deepStrictEqual(world.ids(), []);
});

Deno.test("undoing goes on where it was killed itself", async () => {
  using world = new TxWorld();
  prepare(world);
  const before = world.state();
  await run(
    world,
    everyChange(world)["a tree moves, and then its files change"]!,
  );
  world.kill();
  // The files are put back, the move is not: its counter is written after each step.
  world.write(".aenv/envs/d/tool", "#!/bin/sh\n");
  world.chmod(".aenv/envs/d/tool", 0o755);
  world.editRecord((record) => record["undone"] = 1);
  strictEqual((await world.recover()).undone.length, 1);
  deepStrictEqual(world.state(), before);
});

Deno.test("a transaction replaces links and never writes through them", async () => {
  using world = new TxWorld();
  world.write("precious", "x");
  world.link("p/pin", world.path("precious"));
  await world.change((tx) => tx.put({ path: world.path("p/pin"), data: "y" }));
  strictEqual(world.read("precious"), "x");
  await world.rollback();
  strictEqual(Deno.readLinkSync(world.path("p/pin")), world.path("precious"));
});

Deno.test("a transaction refuses directories where a file is to be, and things where a tree is to be", async () => {
  using world = new TxWorld();
  prepare(world);
  const before = world.state();
  const put = world.change((tx) =>
    tx.put({ path: world.path(".aenv/envs/a"), data: "x" })
  );
  await rejects(put, { code: "PATH_INVALID" });
  const place = run(
    world,
    (tx) => tx.place("tree", world.path(".aenv/envs/a")),
  );
  await rejects(place, { code: "TX_CONFLICT" });
  const move = world.change((tx) =>
    tx.move(world.path(".aenv/envs/a"), world.path(".aenv/envs/b"))
  );
  await rejects(move, { code: "TX_CONFLICT" });
  const lost = world.change((tx) =>
    tx.put({ path: world.path("no/such/file"), data: "x" })
  );
  await rejects(lost, { code: "IO" });
  deepStrictEqual(world.state(), before);
});

Deno.test("a transaction that fails gives back what it took or moved, and leaves what a launch has made there meanwhile", async () => {
  for (const how of ["take", "move"] as const) {
    using world = new TxWorld();
    prepare(world);
    const path = world.path(".aenv/envs/a");
    const failing = world.change((tx) => {
      if (how === "take") tx.take(path);
      else tx.move(path, world.path(".aenv/envs/d"));
      world.write(".aenv/envs/a/sandbox/file", "made");
      throw new RangeError("an agent runs");
    });
    await rejects(failing, RangeError);
    strictEqual(world.read(".aenv/envs/a/sandbox/file"), "made");
    strictEqual(world.read(".aenv/envs/a/tool"), "#!/bin/sh\n");
    deepStrictEqual(world.names(".aenv/envs"), ["a", "b"]);
    const { stuck, undone, finished } = await world.recover();
    deepStrictEqual([stuck, undone, finished], [[], [], []]);
  }
});
