import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { SecretsWorld } from "../../tests/support/secrets_world.ts";
import { join } from "../base/paths.ts";
import { parseSecretKey } from "../base/secret_key.ts";
import { openSecrets, type SecretsInput } from "./open.ts";
import type { Secrets } from "./types.ts";
import { SecretValue } from "./value.ts";

const [a, b, c] = ["a", "b", "c"].map(parseSecretKey) as [
  ReturnType<typeof parseSecretKey>,
  ReturnType<typeof parseSecretKey>,
  ReturnType<typeof parseSecretKey>,
];
const PATH = Deno.env.get("PATH") ?? "";

function open(
  world: SecretsWorld,
  parts: Partial<SecretsInput> = {},
): Secrets {
  return openSecrets({
    facts: world.named("work"),
    commands: {},
    command: undefined,
    runsCommands: false,
    configured: "file",
    host: world.host({ PATH }),
    dirs: world.dirs,
    ...parts,
  });
}

/** No bus, wherever the tests run. */
const NO_BUS = {
  AENV_SECRET_BACKEND: "keyring",
  DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere/bus",
};

const index = (world: SecretsWorld) =>
  world.read(".aenv/envs/work/.secrets.list");

async function listed(secrets: Secrets): Promise<string[]> {
  const { rows } = await secrets.list();
  return rows.map(({ key, origin, state }) => `${key} ${origin} ${state}`);
}

Deno.test("Secrets keeps, gives, lists and removes the values of one env", async () => {
  using world = new SecretsWorld();
  const secrets = open(world);
  deepStrictEqual(await listed(secrets), []);
  strictEqual(await secrets.has(a), false);
  await secrets.put(b, new SecretValue("value-b"));
  await secrets.put(a, new SecretValue("value-a"));
  const values = await secrets.get([b, a, b]);
  deepStrictEqual([...values.keys()].sort(), [a, b]);
  strictEqual(values.get(a)?.text(), "value-a");
  deepStrictEqual(await listed(secrets), ["a file kept", "b file kept"]);
  strictEqual(index(world), "a\nb\n");
  const other = open(world, { facts: world.named("other") });
  strictEqual(await other.has(a), false);
  await secrets.put(a, new SecretValue("new"));
  strictEqual((await secrets.get([a])).get(a)?.text(), "new");
  strictEqual(await secrets.remove(a), true);
  strictEqual(await secrets.remove(a), false);
  deepStrictEqual(await listed(secrets), ["b file kept"]);
  strictEqual(index(world), "b\n");
});

Deno.test("Secrets.get() names every key that has no value, with what to type", async () => {
  using world = new SecretsWorld();
  const facts = { ...world.named("work"), option: "/x y/aenv.toml" };
  const secrets = open(world, { facts });
  await rejects(secrets.get([a]), {
    code: "SECRET_MISSING",
    message: 'Cannot read the secrets of "work": it has no value for "a"',
    hint: "aenv secrets add a -E '/x y/aenv.toml'",
  });
  await secrets.put(b, new SecretValue("value"));
  await rejects(secrets.get([c, b, a]), {
    code: "SECRET_MISSING",
    message:
      'Cannot read the secrets of "work": it has no value for "c" and "a"',
    hint: "aenv secrets add c -E '/x y/aenv.toml'; " +
      "aenv secrets add a -E '/x y/aenv.toml'",
  });
});

Deno.test("Secrets takes values from the commands of a trusted manifest, and keeps none of its own for them", async () => {
  using world = new SecretsWorld();
  const parts = { commands: { a: "echo from-$AENV_SECRET_KEY" } };
  const secrets = open(world, { ...parts, runsCommands: true });
  strictEqual((await secrets.get([a])).get(a)?.text(), "from-a");
  strictEqual(await secrets.has(a), true);
  await rejects(secrets.put(a, new SecretValue("x")), {
    code: "SECRET_EXISTS",
  });
  await secrets.put(b, new SecretValue("value-b"));
  const both = await secrets.get([a, b]);
  strictEqual(both.get(b)?.text(), "value-b");
  deepStrictEqual(await listed(secrets), ["a command declared", "b file kept"]);
  const all = open(world, { command: "echo all", runsCommands: true });
  strictEqual((await all.get([c])).get(c)?.text(), "all");
  strictEqual((await all.get([b])).get(b)?.text(), "all");
});

Deno.test("Secrets runs no command of a manifest whose trust nobody checked", async () => {
  using world = new SecretsWorld();
  const mark = world.path("ran");
  const secrets = open(world, { command: `touch ${mark}; echo v` });
  await rejects(secrets.get([a]), { code: "TRUST_NEEDED" });
  await secrets.list();
  await secrets.has(a);
  strictEqual(world.exists("ran"), false);
});

Deno.test("Secrets never falls back to a file: what the user says decides", async () => {
  using world = new SecretsWorld();
  const keyring = open(world, { host: world.host({ PATH, ...NO_BUS }) });
  strictEqual(keyring.backend, "keyring");
  await rejects(keyring.put(a, new SecretValue("v")), {
    code: "KEYRING_UNAVAILABLE",
    hint: /export AENV_SECRET_BACKEND=file$/,
  });
  strictEqual(world.exists(".aenv/secrets/values.json"), false);
  const host = world.host({ AENV_SECRET_BACKEND: "file" });
  strictEqual(open(world, { host, configured: "keyring" }).backend, "file");
  strictEqual(open(world, { configured: undefined }).backend, "keyring");
  throws(
    () => open(world, { host: world.host({ AENV_SECRET_BACKEND: "x" }) }),
    {
      code: "CONFIG_INVALID",
    },
  );
  const windows = world.host({}, { os: "windows" });
  await rejects(
    open(world, { host: windows, configured: undefined }).put(
      a,
      new SecretValue("v"),
    ),
    { code: "KEYRING_UNAVAILABLE" },
  );
});

Deno.test("the index of an env does not lie when the keyring cannot be reached, or was killed over it", async () => {
  using world = new SecretsWorld();
  const host = world.host({ PATH, ...NO_BUS });
  const secrets = open(world);
  await secrets.put(a, new SecretValue("value"));
  const keyring = open(world, { host });
  await rejects(keyring.put(b, new SecretValue("v")));
  strictEqual(index(world), "a\n");
  await rejects(keyring.remove(a));
  strictEqual(index(world), "a\n");
  const { rows, problem } = await keyring.list();
  deepStrictEqual(rows, [{ key: a, origin: "keyring", state: "unknown" }]);
  strictEqual(problem?.code, "KEYRING_UNAVAILABLE");
  // What a kill between the two leaves: the key is marked, and the backend knows better.
  world.write(".aenv/envs/work/.secrets.list", "a ?\nb ?\n");
  deepStrictEqual(await listed(secrets), ["a file kept", "b file missing"]);
  await secrets.put(a, new SecretValue("value"));
  strictEqual(await secrets.remove(b), false);
  strictEqual(index(world), "a\n");
});

Deno.test("Secrets tells of values that the index has lost, and of keys whose values are gone", async () => {
  using world = new SecretsWorld();
  const secrets = open(world);
  await secrets.put(a, new SecretValue("value"));
  world.write(".aenv/envs/work/.secrets.list", "b\n");
  deepStrictEqual(await listed(secrets), ["a file kept", "b file missing"]);
});

Deno.test("a moved clone is told its keys also while the keyring cannot be reached", async () => {
  using world = new SecretsWorld();
  world.repository("app");
  const before = open(world, { facts: world.project("app", "p-1") });
  await before.put(a, new SecretValue("value"));
  Deno.renameSync(world.path("app"), world.path("moved"));
  const facts = world.project("moved", "p-2");
  const host = world.host({ PATH, ...NO_BUS });
  const { rows } = await open(world, { facts, host }).list();
  deepStrictEqual(rows, [{ key: a, origin: "keyring", state: "unknown" }]);
  const after = open(world, { facts });
  strictEqual((await after.get([a])).get(a)?.text(), "value");
  await after.put(b, new SecretValue("value"));
  deepStrictEqual(await listed(after), ["a file kept", "b file kept"]);
});

Deno.test("Secrets.put() makes a project's slot as a launch does", async () => {
  using world = new SecretsWorld();
  const facts = world.project("plain", "p-1");
  Deno.removeSync(facts.slot, { recursive: true });
  await open(world, { facts }).put(a, new SecretValue("value"));
  strictEqual(
    Deno.readTextFileSync(join(facts.slot, "project")),
    facts.project!.manifest + "\n",
  );
  strictEqual(Deno.statSync(facts.slot).mode! & 0o777, 0o700);
  ok(await open(world, { facts }).has(a));
});
