import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import fc from "fast-check";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { runUnprivileged } from "../../tests/support/unprivileged.ts";
import { join } from "../base/paths.ts";
import { parseSecretKey } from "../base/secret_key.ts";
import { fileBackend } from "./file_backend.ts";
import type { EnvIdentity } from "./types.ts";
import { SecretValue } from "./value.ts";

const one = "1".repeat(32) as EnvIdentity;
const two = "2".repeat(32) as EnvIdentity;
const key = parseSecretKey("gh-token");
const FILE = ".aenv/secrets/values.json";

function backend(world: EnvWorld) {
  return fileBackend(join(world.dirs.secrets, "values.json"), world.host());
}

function item(text: string, name = key) {
  return { key: name, value: new SecretValue(text), label: "aenv" };
}

Deno.test("fileBackend() keeps values by env and key, for this user alone whatever the umask", async () => {
  using world = new EnvWorld();
  const file = backend(world);
  deepStrictEqual([...await file.keys(one, [])], []);
  strictEqual((await file.read(one, [key])).size, 0);
  const old = Deno.umask(0);
  try {
    await file.write(one, item("value-one"));
  } finally {
    Deno.umask(old);
  }
  await file.write(two, item("value-two"));
  strictEqual((await file.read(one, [key])).get(key)?.text(), "value-one");
  strictEqual((await file.read(two, [key])).get(key)?.text(), "value-two");
  strictEqual(world.mode(FILE), "600");
  strictEqual(world.mode(".aenv/secrets"), "700");
  await file.write(one, item("another"));
  strictEqual((await file.read(one, [key])).get(key)?.text(), "another");
  strictEqual(await file.remove(one, key), true);
  strictEqual(await file.remove(one, key), false);
  deepStrictEqual([...await file.keys(one, [])], []);
  deepStrictEqual([...await file.keys(two, [])], [key]);
});

Deno.test("fileBackend() gives back any bytes under any key", async () => {
  using world = new EnvWorld();
  const file = backend(world);
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
    fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty"),
  );
  await fc.assert(
    fc.asyncProperty(
      name,
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      async (text, bytes) => {
        const key = parseSecretKey(text);
        const value = new SecretValue(bytes);
        await file.write(one, { key, value, label: "aenv" });
        ok((await file.read(one, [key])).get(key)?.equals(value));
        ok((await file.keys(one, [])).has(key));
        strictEqual((await file.read(two, [key])).size, 0);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("fileBackend() loses nothing when several write at once", async () => {
  using world = new EnvWorld();
  const keys = Array.from({ length: 20 }, (_, i) => parseSecretKey(`k${i}`));
  await Promise.all(
    keys.map((name) => backend(world).write(one, item("v", name))),
  );
  strictEqual((await backend(world).keys(one, [])).size, 20);
});

Deno.test("fileBackend() reads no file that others may read, that is a link, or that is not its own", async () => {
  using world = new EnvWorld();
  const file = backend(world);
  await file.write(one, item("value"));
  const text = world.read(FILE);
  const refused = async (message: RegExp) => {
    const all = [
      file.read(one, [key]),
      file.keys(one, []),
      file.write(one, item("new")),
      file.remove(one, key),
    ];
    for (const each of all) await rejects(each, { code: "IO", message });
  };
  for (const mode of [0o640, 0o604, 0o620]) {
    world.chmod(FILE, mode);
    await refused(/others may use it$/);
  }
  world.remove(FILE);
  world.link(FILE, world.write("elsewhere", text));
  world.chmod("elsewhere", 0o600);
  await refused(/it is not a regular file$/);
  strictEqual(world.read("elsewhere"), text);
  world.remove(FILE);
  const broken = ["", "{", "[]", '{"version":2,"envs":{}}', '{"version":1}'];
  const bad = ['{"a b":"YQ=="}', '{"a":1}', '{"a":"%%"}', "[]"];
  const tables = bad.map((t) => `{"version":1,"envs":{"e":${t}}}`);
  for (const wrong of [...broken, ...tables]) {
    world.write(FILE, wrong);
    world.chmod(FILE, 0o600);
    await refused(/it is not as aenv wrote it$/);
    strictEqual(world.read(FILE), wrong);
  }
});

Deno.test("fileBackend() writes nothing into a directory that others can write or that a link leads to", async () => {
  using world = new EnvWorld();
  Deno.mkdirSync(world.path(".aenv/secrets"), { recursive: true });
  world.chmod(".aenv/secrets", 0o777);
  await rejects(backend(world).write(one, item("v")), {
    code: "IO",
    message: /others may write it$/,
  });
  world.remove(".aenv/secrets");
  Deno.mkdirSync(world.path("victim"));
  world.link(".aenv/secrets", world.path("victim"));
  await rejects(backend(world).write(one, item("v")), {
    code: "IO",
    message: /it is no directory$/,
  });
  deepStrictEqual(world.names("victim"), []);
});

Deno.test("fileBackend() reads no file of another user, and says when the disk refuses", async () => {
  using world = new EnvWorld();
  await backend(world).write(one, item("value"));
  const script = `
    const { fileBackend } = await import(${
    JSON.stringify(new URL("./file_backend.ts", import.meta.url).href)
  });
    const { hostWith } = await import(${
    JSON.stringify(new URL("../os/host.ts", import.meta.url).href)
  });
    const host = { ...hostWith({ env: {} }), uid: Number(Deno.args[1]) };
    const file = fileBackend(Deno.args[0], host);
    const say = async (work) => {
      try { console.log(JSON.stringify([...await work])); }
      catch (error) { console.log(error.code + " " + error.message.split(": ").at(-1)); }
    };
    await say(file.keys("${one}", []));
    Deno.chmodSync(Deno.args[0], 0o000);
    await say(file.keys("${one}", []));
  `;
  const path = world.path(FILE);
  const asOther = (uid: number) =>
    runUnprivileged(script, dirname(world.home), [path, String(uid)]);
  const own = Deno.uid() === 0 ? 65534 : Deno.uid()!;
  strictEqual(
    await asOther(own),
    '["gh-token"]\nIO permission denied\n',
  );
  world.chmod(FILE, 0o600);
  strictEqual(
    (await asOther(own + 1)).split("\n")[0],
    "IO it belongs to another user",
  );
});
