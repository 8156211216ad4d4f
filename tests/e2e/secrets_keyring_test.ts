/** Secrets in a real keyring: gnome-keyring on a bus of its own, with secret-tool as the witness. */

import assert from "node:assert/strict";
import { SecretsWorld } from "./secrets_world.ts";

const hex = (bytes: Uint8Array) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const hexOf = (text: string) => hex(new TextEncoder().encode(text));

Deno.test("a value is kept, handed out, replaced and removed in the keyring", async () => {
  await using world = await SecretsWorld.open();
  world.writeEnv("work", ["gh-token"]);
  assert.deepEqual(await world.states(), { "gh-token": "missing" });
  await world.keep("gh-token", "first-value\n");
  assert.equal(await world.inKeyring("gh-token"), hexOf("first-value"));
  assert.deepEqual(await world.states(), { "gh-token": "kept" });
  assert.equal(await world.exposed("AENV_WORK_GH_TOKEN"), "first-value");
  const rotate = ["secrets", "rotate", "gh-token", "-E", "work"];
  await world.must(rotate, { stdin: "second-value" });
  assert.equal(await world.exposed("AENV_WORK_GH_TOKEN"), "second-value");
  assert.equal(await world.inKeyring("gh-token"), hexOf("second-value"));
  await world.must(["secrets", "rm", "gh-token", "-E", "work"]);
  assert.equal(await world.inKeyring("gh-token"), undefined);
  assert.deepEqual(await world.states(), { "gh-token": "missing" });
  const { code, stderr } = await world.run([
    "exec",
    "-E",
    "work",
    "--",
    "true",
  ]);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^aenv: Cannot read the secrets of "work": it has no value for "gh-token"\n {2}aenv secrets add gh-token -E work\n$/,
  );
});

Deno.test("values of several lines and of any bytes are kept as they are", async () => {
  await using world = await SecretsWorld.open();
  const key = "-----BEGIN KEY-----\nabc\n\ndef\n-----END KEY-----\n";
  await world.keep("pem", key);
  assert.equal(await world.inKeyring("pem"), hexOf(key));
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const escaped = [...bytes].map((b) => "\\" + b.toString(8).padStart(3, "0"));
  const { code, stderr } = await world.shell(
    `printf '${escaped.join("")}' | "$AENV_BIN" secrets add bin - -E work`,
  );
  assert.equal(code, 0, stderr);
  assert.equal(await world.inKeyring("bin"), hex(bytes));
  const large = "x".repeat(65_536);
  await world.keep("large", large);
  assert.equal(await world.inKeyring("large"), hexOf(large));
});

Deno.test("what another program keeps under the same attributes is the same secret", async () => {
  await using world = await SecretsWorld.open();
  world.writeEnv("work", ["shared"]);
  await world.keep("shared", "from-aenv");
  const search = ["search", "--all", "application", "aenv"];
  const { stderr } = await world.bus.run("secret-tool", search);
  const env = /attribute\.env = ([0-9a-f]{32})\n/.exec(stderr)?.[1];
  assert.ok(env, stderr);
  const attributes = ["application", "aenv", "env", env, "key", "shared"];
  const store = ["store", "--label=x", ...attributes];
  await world.bus.run("secret-tool", store, "from-another");
  assert.equal(await world.exposed("AENV_WORK_SHARED"), "from-another");
  assert.deepEqual(await world.states(), { shared: "kept" });
});

Deno.test("a locked keyring is told from a missing value, and its keys are still listed", async () => {
  await using world = await SecretsWorld.open();
  world.writeEnv("work", ["gh-token"]);
  await world.keep("gh-token", "a-value");
  await world.bus.lock();
  const { code, stderr } = await world.run([
    "exec",
    "-E",
    "work",
    "--",
    "true",
  ]);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^aenv: Cannot use the keyring for "gh-token": it is locked\n {2}Log in to the desktop, which unlocks it, or keep secrets in a file: export AENV_SECRET_BACKEND=file\n$/,
  );
  assert.deepEqual(await world.states(), { "gh-token": "kept" });
  const before = await Deno.readTextFile(
    `${world.home}/.aenv/envs/work/.secrets.list`,
  );
  for (
    const args of [["add", "new"], ["rotate", "gh-token"], ["rm", "gh-token"]]
  ) {
    const done = await world.run(["secrets", ...args, "-E", "work"], {
      stdin: "v",
    });
    assert.equal(done.code, 1);
    assert.match(done.stderr, /it is locked/);
  }
  const after = await Deno.readTextFile(
    `${world.home}/.aenv/envs/work/.secrets.list`,
  );
  assert.equal(after, before);
});

Deno.test("a prompt that is not answered with yes is told from a locked keyring", async () => {
  await using world = await SecretsWorld.open();
  world.writeEnv("work", ["gh-token"]);
  await world.keep("gh-token", "a-value");
  await world.bus.lock();
  // The program that would ask cannot start.
  const env = { DISPLAY: ":no-such-display" };
  const { code, stderr } = await world.run(
    ["exec", "-E", "work", "--", "true"],
    { env },
  );
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^aenv: the keyring asks you, and waits for your answer\naenv: Cannot use the keyring for "gh-token": it was not allowed\n {2}Do it again, and say yes when the keyring asks\n$/,
  );
});

Deno.test("no bus, no keyring on it, and a bus that went away are told apart", async () => {
  await using world = await SecretsWorld.open({ keyring: "none" });
  const refused = async (message: RegExp, env: Record<string, string> = {}) => {
    const add = ["secrets", "add", "gh-token", "-E", "work"];
    const done = await world.run(add, { stdin: "v", env });
    assert.equal(done.code, 1);
    assert.match(done.stderr, message);
    assert.match(
      done.stderr,
      /or keep secrets in a file: export AENV_SECRET_BACKEND=file\n$/,
    );
  };
  await refused(
    /"gh-token": no program on the session bus keeps secrets\n {2}Install one, such as gnome-keyring or KWallet,/,
  );
  await refused(
    /there is no session bus, or no keyring on it: Cannot connect to "\/nowhere\/bus": it does not exist\n/,
    {
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere/bus",
    },
  );
  await refused(/there is no socket to connect to\n/, {
    DBUS_SESSION_BUS_ADDRESS: "autolaunch:",
  });
  await world.bus.stop();
  await refused(/there is no session bus/);
  assert.deepEqual(await world.states(), {});
});

Deno.test("nothing but the keyring itself is needed: no secret-tool on PATH", async () => {
  await using world = await SecretsWorld.open();
  const env = { PATH: "/nowhere" };
  const add = ["secrets", "add", "gh-token", "-E", "work"];
  await world.must(add, { stdin: "a-value", env });
  assert.equal(await world.inKeyring("gh-token"), hexOf("a-value"));
});

Deno.test("the secrets of two envs do not meet, and go with a renamed one", async () => {
  await using world = await SecretsWorld.open();
  world.writeEnv("other", ["gh-token"]);
  await world.keep("gh-token", "of-work");
  const { code } = await world.run(["exec", "-E", "other", "--", "true"]);
  assert.equal(code, 3);
  await world.must(["secrets", "add", "gh-token", "-E", "other"], {
    stdin: "of-other",
  });
  await world.must(["rename", "work", "job"]);
  world.writeEnv("work", ["gh-token"]);
  assert.deepEqual(await world.states(), { "gh-token": "missing" });
  await world.must(["rename", "work", "gone"]);
  await world.must(["rename", "job", "work"]);
  world.writeEnv("work", ["gh-token"]);
  assert.equal(await world.exposed("AENV_WORK_GH_TOKEN"), "of-work");
});

Deno.test("remove leaves values where they are and says so, or takes them along", async () => {
  await using world = await SecretsWorld.open();
  await world.keep("gh-token", "a-value");
  await world.keep("other", "a-value");
  const removed = await world.must(["remove", "work"]);
  const line =
    /^remove them too: aenv (rollback \S+) && aenv (remove work --secrets)$/m
      .exec(removed);
  assert.ok(line, removed);
  assert.match(removed, /^the values of its secrets stay: gh-token, other$/m);
  assert.ok(await world.inKeyring("gh-token"));
  for (const words of line.slice(1)) await world.must(words.split(" "));
  assert.equal(await world.inKeyring("gh-token"), undefined);
  assert.equal(await world.inKeyring("other"), undefined);
});
