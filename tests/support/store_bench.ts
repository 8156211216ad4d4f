/**
 * One operation of a store in a process of its own, for `scripts/bench/store.ts`:
 * `store_bench.ts OPERATION ROOT [ARGUMENT…]` prints how long it took and how much memory the process needed at most.
 */
import { type AbsPath } from "../../src/base/paths.ts";
import {
  checkTree,
  collectGarbage,
  insertTree,
  linkTree,
  openStore,
  parseTreeHash,
  type Placement,
  type Store,
} from "../../src/store/mod.ts";

const LIMITS = { entries: 100_000, bytes: 4e9 };

type Operation = (store: Store, args: readonly string[]) => Promise<unknown>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  insert: async (store, [source]) =>
    (await insertTree(store, source as AbsPath, { limits: LIMITS })).hash,
  link: (store, args) => linkTree(store, placementOf(args), { share: true }),
  copy: (store, args) => linkTree(store, placementOf(args), { share: false }),
  check: (store, args) => check(store, placementOf(args)),
  /** The second time in one process: the program's own code is warm by then. */
  recheck: (store, args) => check(store, placementOf(args)),
  /** Makes many objects from one: for a collection they need not be right. */
  fill: async (store, [count, source]) => {
    const { hash } = await insertTree(store, source as AbsPath);
    const seal = Deno.readFileSync(`${store.objectDir(hash)}/seal.json`);
    for (let i = 1; i < Number(count); i++) {
      const digest = await crypto.subtle.digest("SHA-256", Uint32Array.of(i));
      const name = new Uint8Array(digest).toHex();
      const dir = store.objectDir(parseTreeHash(name));
      Deno.mkdirSync(`${dir}/tree`, { recursive: true });
      Deno.writeFileSync(`${dir}/seal.json`, seal);
      Deno.writeFileSync(`${dir}/tree/file`, seal);
    }
  },
  collect: (store) => collectGarbage(store, { keep: () => [] }),
};

function placementOf([hash, target]: readonly string[]): Placement {
  return { hash: parseTreeHash(hash!), target: target as AbsPath };
}

async function check(store: Store, placement: Placement): Promise<void> {
  const differences = await checkTree(store, placement);
  if (differences.length > 0) throw new Error(JSON.stringify(differences));
}

const [name, root, ...args] = Deno.args;
using store = openStore(root as AbsPath);
if (name === "recheck") await check(store, placementOf(args));
const start = performance.now();
const result = await OPERATIONS[name!]!(store, args);
const milliseconds = performance.now() - start;
const peak = /VmHWM:\s+(\d+) kB/.exec(
  Deno.readTextFileSync("/proc/self/status"),
);
const report = {
  milliseconds,
  peakBytes: Number(peak?.[1] ?? 0) * 1024,
  result,
};
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
