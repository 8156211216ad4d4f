import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { AbsPath } from "../base/paths.ts";
import { hostWith } from "../os/host.ts";
import { sourceContext, type SourceEvent } from "../sources/mod.ts";
import { openStore } from "../store/mod.ts";
import type { Supply } from "./install_fetch.ts";
import { supplyEach } from "./supply_each.ts";

/** Nothing of it is used on the disk. */
function supplyOf(
  events: SourceEvent[] = [],
  signal?: AbortSignal,
): Supply {
  const temp = "/nowhere" as AbsPath;
  const parts = { host: hostWith({ env: {} }), manifestDir: temp, temp };
  const progress = (event: SourceEvent) => void events.push(event);
  return {
    store: openStore(temp),
    temp,
    context: sourceContext({ ...parts, progress, signal }),
  };
}

function itemsOf(count: number): { name: string; index: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `n${index}`,
    index,
  }));
}

/** Lets others run this many times. */
async function pause(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await Promise.resolve();
}

Deno.test("supplyEach() gives results, warnings and the failure as if one came after the other", async () => {
  const item = fc.record({
    pause: fc.nat(60),
    fails: fc.boolean(),
    warnings: fc.nat(2),
  });
  const items = fc.array(item, { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(items, async (plan) => {
      const failing = plan.findIndex(({ fails }) => fails);
      const events: SourceEvent[] = [];
      const all = plan.map((one, index) => ({
        ...one,
        name: `n${index}`,
        index,
      }));
      const work = async (one: (typeof all)[number], { context }: Supply) => {
        for (let i = 0; i < one.warnings; i++) {
          await pause(one.pause);
          const text = `${one.name} ${i}`;
          context.progress({ type: "warning", text });
        }
        await pause(one.pause);
        if (one.fails) throw new Error(one.name);
        return one.index;
      };
      const done = supplyEach(supplyOf(events), all, work);
      const heard = failing < 0 ? all : all.slice(0, failing + 1);
      if (failing < 0) {
        deepStrictEqual(await done, all.map(({ index }) => index));
      } else await rejects(done, { message: `n${failing}` });
      deepStrictEqual(
        events.flatMap((event) => event.type === "warning" ? event.text : []),
        heard.flatMap(({ name, warnings }) =>
          Array.from({ length: warnings }, (_, i) => `${name} ${i}`)
        ),
      );
    }),
    { numRuns: 500 },
  );
});

Deno.test("supplyEach() runs six at once and no more", async () => {
  let [now, most] = [0, 0];
  await supplyEach(supplyOf(), itemsOf(20), async () => {
    most = Math.max(most, ++now);
    await pause(5);
    now--;
  });
  strictEqual(most, 6);
});

Deno.test("supplyEach() lets earlier ones end before it stops later ones, and waits for all", async () => {
  const ends: string[] = [];
  const second = Promise.withResolvers<void>();
  const done = supplyEach(
    supplyOf(),
    itemsOf(20),
    async ({ name, index }, { context: { signal } }) => {
      if (index === 1) throw new Error("one");
      if (index === 0) {
        await second.promise;
        ok(!signal!.aborted);
        ends.push(name);
        return;
      }
      if (index === 2) second.resolve();
      const stopped = Promise.withResolvers<void>();
      signal!.addEventListener("abort", () => stopped.resolve());
      await stopped.promise;
      await pause(3);
      ends.push(name);
      throw signal!.reason;
    },
  );
  await rejects(done, { message: "one" });
  deepStrictEqual(ends, ["n0", "n2", "n3", "n4", "n5"]);
});

Deno.test("supplyEach() throws the reason of a signal, and begins nothing more", async () => {
  const stop = new AbortController();
  const begun: string[] = [];
  const done = supplyEach(
    supplyOf([], stop.signal),
    itemsOf(20),
    async ({ name }, { context: { signal } }) => {
      begun.push(name);
      if (begun.length === 6) stop.abort(new Error("enough"));
      while (!signal!.aborted) await pause(1);
      signal!.throwIfAborted();
    },
  );
  await rejects(done, { message: "enough" });
  strictEqual(begun.length, 6);
});

Deno.test("supplyEach() says of which step bytes are, whoever took the last one", async () => {
  const events: SourceEvent[] = [];
  await supplyEach(
    supplyOf(events),
    itemsOf(3),
    async ({ name }, { context: { progress } }) => {
      progress({ type: "step", text: `fetching ${name}` });
      await pause(4);
      progress({ type: "bytes", done: 1, total: undefined });
    },
  );
  deepStrictEqual(
    events.flatMap((event) => event.type === "bytes" ? event.step : []),
    [0, 1, 2].map((i) => `n${i} (${i + 1}/3): fetching n${i}`),
  );
});
