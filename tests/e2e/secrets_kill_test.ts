/** `kill -9` at every step of keeping and removing a secret: what is said of it afterwards is true. */

import assert from "node:assert/strict";
import { aenvBinary } from "../support/aenv.ts";
import { run } from "../support/process.ts";
import { SecretsWorld } from "./secrets_world.ts";

/** Calls that change a file. */
const CHANGES = ["rename", "renameat", "renameat2", "unlink", "fsync"];

const VALUE = "the-value-that-is-kept";
const ADD = ["secrets", "add", "gh-token", "-E", "work"];
const RM = ["secrets", "rm", "gh-token", "-E", "work"];

interface Place {
  readonly world: SecretsWorld;
  /** Added to the environment of every call. */
  readonly env: Readonly<Record<string, string>>;
  /** Where to kill. */
  readonly calls: readonly string[];
  /** Whether the value is kept, by another witness than aenv. */
  isKept(): Promise<boolean>;
}

/** Runs `aenv ARGS` and kills it just before the nth of these calls. Returns whether it ended before that. */
async function killAt(
  { world, env }: Place,
  args: readonly string[],
  { call, nth }: { readonly call: string; readonly nth: number },
): Promise<boolean> {
  const how = ["-o", `${world.home}/trace`, "-e", `trace=?${call}`];
  const inject = ["-e", `inject=?${call}:signal=SIGKILL:when=${nth}`];
  const { code } = await run("strace", [
    ...how,
    ...inject,
    "--",
    aenvBinary(),
    ...args,
  ], { env: { ...world.env, ...env }, cwd: world.home, stdin: VALUE });
  return code !== 137;
}

/** What aenv says, the witness, and the index agree. */
async function check(place: Place, when: string): Promise<void> {
  const { world, env } = place;
  const isKept = await place.isKept();
  const text = await world.must(["secrets", "list", "-E", "work", "--json"], {
    env,
  });
  const rows = JSON.parse(text) as { key: string; state: string }[];
  const kept = rows.filter(({ state }) => state === "kept");
  assert.deepEqual(
    kept.map(({ key }) => key),
    isKept ? ["gh-token"] : [],
    when,
  );
  const slot = `${world.home}/.aenv/envs/work`;
  const index = readOrEmpty(`${slot}/.secrets.list`).split("\n");
  // Without the mark it says for sure.
  if (index.includes("gh-token")) assert.ok(isKept, when);
  if (isKept) assert.ok(/^gh-token/m.test(index.join("\n")), when);
}

function readOrEmpty(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}

async function killEverywhere(place: Place): Promise<void> {
  const { world, env } = place;
  let kills = 0;
  for (const call of place.calls) {
    for (let nth = 1;; nth++) {
      const adds = await killAt(place, ADD, { call, nth });
      await check(place, `add, ${call} ${nth}`);
      if (!await place.isKept()) await world.must(ADD, { env, stdin: VALUE });
      const removes = await killAt(place, RM, { call, nth });
      await check(place, `rm, ${call} ${nth}`);
      if (await place.isKept()) await world.must(RM, { env });
      else await world.run(RM, { env });
      await check(place, `after ${call} ${nth}`);
      if (adds && removes) break;
      kills += adds ? 0 : 1;
    }
  }
  assert.ok(kills >= 5, `only ${kills}`);
  assert.deepEqual(leftovers(`${world.home}/.aenv/secrets`), []);
}

/** Files in a directory that are not done. */
function leftovers(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => name.startsWith(".tmp-"));
}

Deno.test("a kill at any step leaves no lie about the file, and no value in what is left", async () => {
  await using world = await SecretsWorld.open({ keyring: "none" });
  const file = `${world.home}/.aenv/secrets/values.json`;
  await killEverywhere({
    world,
    env: { AENV_SECRET_BACKEND: "file" },
    calls: CHANGES,
    isKept: () => Promise.resolve(readOrEmpty(file).includes("gh-token")),
  });
  assert.ok(!readOrEmpty(file).includes(btoa(VALUE)));
});

Deno.test("a kill at any step leaves no lie about the keyring", async () => {
  await using world = await SecretsWorld.open();
  await killEverywhere({
    world,
    env: {},
    calls: ["fsync", "sendto"],
    isKept: async () => await world.inKeyring("gh-token") !== undefined,
  });
});
