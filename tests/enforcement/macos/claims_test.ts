/**
 * The claims of cases.ts, put to Seatbelt: every attempt that is refused inside has to succeed outside. This file runs on
 * macOS alone, by CI: it was written on Linux, where it has never run.
 */
import assert from "node:assert/strict";
import { snapshot } from "../../support/snapshot.ts";
import { type Case, CASES } from "./cases.ts";
import { MacWorld } from "./world.ts";

/** Runs one attempt in a world of its own: whatever one changes, the next does not see. */
async function withWorld(
  one: Case,
  check: (world: MacWorld) => Promise<void>,
): Promise<void> {
  await using world = await MacWorld.make(one.setup);
  await check(world);
}

async function refuse(one: Case, index: number): Promise<void> {
  await withWorld(one, async (world) => {
    const words = one.refused!(world)[index]!;
    const what = words.join(" ");
    const before = one.asRoot
      ? ["/usr/bin/sudo", "-n"]
      : one.inTerminal
      ? [world.attempt, "terminal"]
      : [];
    // The directories of a launch are made before anything is compared.
    await world.confined(["list", world.at("project")], one.options?.(world));
    const files = snapshot(world.root);
    const said = await world.confined(words, one.options?.(world), before);
    assert.match(said, /^(EPERM|EACCES|EXDEV|unknown|other)$/, what);
    assert.deepEqual(snapshot(world.root), files, what);
    if (words[0] === "kill") assert.ok(await world.isVictimThere(), what);
    const free = await world.free(words, before);
    assert.match(free, /^done/, `${what} is no attempt: ${free}`);
    await cleanUp(words, before);
  });
}

async function allow(one: Case, index: number): Promise<void> {
  await withWorld(one, async (world) => {
    const words = one.allowed!(world)[index]!;
    if (words[0] === "unlink") world.file("project/other");
    const said = await world.confined(words, one.options?.(world));
    assert.match(said, /^done/, words.join(" "));
  });
}

/** Removes what a free attempt has made outside of its world. */
async function cleanUp(
  words: readonly string[],
  before: readonly string[],
): Promise<void> {
  const [how, path] = words;
  if (how !== "create" || !path!.includes("/aenv-attempt-")) return;
  const [program, ...args] = [...before, "/bin/rm", path!];
  await new Deno.Command(program!, { args }).output();
}

/** How many attempts there are, as a world counts them. */
async function countOf(
  one: Case,
): Promise<{ refused: number; allowed: number }> {
  await using world = await MacWorld.make(one.setup);
  return {
    refused: one.refused?.(world).length ?? 0,
    allowed: one.allowed?.(world).length ?? 0,
  };
}

for (const one of CASES) {
  Deno.test(`macOS: ${one.name}`, async () => {
    const { refused, allowed } = await countOf(one);
    assert.ok(refused + allowed > 0);
    for (let i = 0; i < refused; i++) await refuse(one, i);
    for (let i = 0; i < allowed; i++) await allow(one, i);
  });
}
