import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { StoreWorld, writeTree } from "../../tests/support/store_world.ts";
import { type AbsPath } from "../base/paths.ts";
import { markOf } from "../os/marks.ts";
import {
  checkTree,
  collectGarbage,
  hashTree,
  insertTree,
  repairTree,
  sweepStore,
  verifyStore,
} from "./mod.ts";

const MODULE = new URL("./mod.ts", import.meta.url).href;
const ROUNDS = 25;
/** Longer than one turn of the work below takes. */
const LONGEST_MS = 60;

/** Inserts, places, damages, mends and collects without an end. */
const WORK = `
import * as store from ${JSON.stringify(MODULE)};
const [root, sources, targets] = Deno.args;
const s = store.openStore(root);
Deno.stdout.writeSync(new TextEncoder().encode("go"));
for (let i = 0;; i++) {
  const { hash } = await store.insertTree(s, sources + "/" + i % 2);
  const target = targets + "/" + i % 4;
  const share = i % 3 > 0;
  await store.repairTree(s, { hash, target }, { share });
  Deno.chmodSync(target + "/file-3", 0o600);
  Deno.writeTextFileSync(target + "/file-3", "damage");
  await store.repairTree(s, { hash, target }, { share });
  if (i % 2 === 1) {
    s[Symbol.dispose]();
    await store.collectGarbage(s, { keep: () => [] });
  }
}
`;

async function killAtRandom(args: readonly string[]): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", WORK, ...args],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  ok(!done);
  await new Promise((r) => setTimeout(r, Math.random() * LONGEST_MS));
  child.kill("SIGKILL");
  const { signal } = await child.status;
  strictEqual(signal, "SIGKILL");
  await reader.cancel();
}

Deno.test("a store survives kill -9 at any point: nothing half-done is left, nothing is corrupt", async () => {
  using world = new StoreWorld();
  const { store } = world;
  const targets = world.path("targets");
  const spec = (text: string) =>
    Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`file-${i}`, `${text} ${i}`]),
    );
  const sources = [0, 1].map((i) =>
    writeTree(world.path("sources", `${i}`), spec(`${i}`))
  );
  const hashes = sources.map((source) => hashTree(source));
  for (let round = 0; round < ROUNDS; round++) {
    await killAtRandom([store.root, world.path("sources"), targets]);
    await sweepStore(store);
    deepStrictEqual(world.leftOvers(), []);
    const names = listNames(targets);
    deepStrictEqual(names.filter((name) => !/^[0-3]$/.test(name)), []);
    const { corrupt, strays } = await verifyStore(store, { repair: false });
    deepStrictEqual([corrupt, strays], [[], []]);
    for (const name of names) {
      const target = world.path("targets", name);
      const hash = hashes[Number(name) % 2]!;
      // Placed whole, or whole but for the last change of mode, or as it was damaged above.
      const hasObject = markOf(store.objectDir(hash)) !== undefined;
      for (const { path, change } of await checkTree(store, { hash, target })) {
        const isMeant = path === "." && (change === "mode" || !hasObject) ||
          path === "file-3" && change !== "added";
        ok(isMeant, `round ${round}: ${path} ${change}`);
      }
    }
  }
  for (const [i, source] of sources.entries()) {
    const { hash } = await insertTree(store, source);
    const target = world.path("targets", `${i}`);
    await repairTree(store, { hash, target }, { share: true });
    deepStrictEqual(await checkTree(store, { hash, target }), []);
  }
  await collectGarbage(store, { keep: () => hashes });
});

function listNames(dir: AbsPath): string[] {
  try {
    return [...Deno.readDirSync(dir)].map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return [];
  }
}
