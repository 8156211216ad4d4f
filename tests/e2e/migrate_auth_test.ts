/** One login, moved: every way to start the agent finds it, and renews the one file. */

import assert from "node:assert/strict";
import { bareEnv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { OauthStub } from "../support/oauth_stub.ts";
import { waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { LoginWorld, SETTINGS } from "./login_world.ts";

const ALL = ["global", "private", "overlay", "plain"];

for (const agent of claudePrograms()) {
  Deno.test(`migrate-auth keeps every way to start Claude Code ${agent.label} logged in, and --undo takes back every byte`, async () => {
    using world = await LoginWorld.make(agent);
    const before = Deno.readTextFileSync(world.own);
    assert.deepEqual(await world.loggedIn(), ALL);

    const dry = await world.aenv.must(["migrate-auth", "--dry-run"]);
    assert.match(dry, /^would move ~\/\.claude\/\.credentials\.json to ~/);
    assert.deepEqual(world.files(), [world.own]);

    const unasked = await world.aenv.must(["migrate-auth"]);
    assert.match(unasked, /aenv migrate-auth --yes/);
    assert.equal(Deno.readTextFileSync(world.settings), SETTINGS);
    assert.deepEqual(await world.loggedIn(), ["global", "private", "overlay"]);

    await world.aenv.must(["migrate-auth", "--yes"]);
    assert.deepEqual(world.files(), [world.shared]);
    assert.equal(Deno.readTextFileSync(world.shared), before);
    assert.equal(Deno.statSync(world.shared).mode! & 0o777, 0o600);
    const directory = `${world.aenv.root}/login/claude`;
    assert.equal(Deno.statSync(directory).mode! & 0o777, 0o700);
    const { env, cleanupPeriodDays } = JSON.parse(
      Deno.readTextFileSync(world.settings),
    );
    assert.deepEqual(env, {
      CLAUDE_SECURESTORAGE_CONFIG_DIR: directory,
      FOO: "1",
    });
    assert.equal(cleanupPeriodDays, 30);
    assert.deepEqual(await world.loggedIn(), ALL);

    await world.aenv.must(["migrate-auth", "--undo"]);
    assert.deepEqual(world.files(), [world.own]);
    assert.equal(Deno.readTextFileSync(world.own), before);
    assert.equal(Deno.readTextFileSync(world.settings), SETTINGS);
    assert.throws(() => Deno.lstatSync(`${world.aenv.root}/login`));
    assert.throws(() => Deno.lstatSync(`${world.aenv.root}/login.json`));
    assert.deepEqual(await world.loggedIn(), ALL);
  });

  Deno.test(`a login that was moved is renewed once for all that start at the same time (${agent.label})`, async () => {
    using temp = new TempDir();
    await using stub = await OauthStub.start(temp.path);
    using world = await LoginWorld.make(agent, {
      expiresAt: 1000,
      env: stub.env,
    });
    await world.aenv.must(["migrate-auth", "--yes"]);
    for (
      const { way, code, stdout, stderr } of await world.everywhere([
        "-p",
        "hello",
      ])
    ) {
      assert.deepEqual([way, code, stdout.trim()], [way, 0, "hi"], stderr);
    }
    assert.deepEqual(stub.refreshed, ["sk-ant-ort01-old"]);
    assert.deepEqual(world.files(), [world.shared]);
    assert.match(Deno.readTextFileSync(world.shared), /sk-ant-ort01-new1/);
    // What was renewed is what goes back.
    await world.aenv.must(["migrate-auth", "--undo"]);
    assert.match(Deno.readTextFileSync(world.own), /sk-ant-ort01-new1/);
    assert.deepEqual(world.files(), [world.own]);
    assert.deepEqual(await world.loggedIn(), ALL);
  });
}

Deno.test("migrate-auth does not take the login from under an agent that renews it", async () => {
  const [agent] = claudePrograms();
  using temp = new TempDir();
  await using stub = await OauthStub.start(temp.path);
  using world = await LoginWorld.make(agent, {
    expiresAt: 1000,
    env: stub.env,
  });
  const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
  stub.beforeRefresh = () => go;
  const running = world.plain(["-p", "hello"]);
  await waitFor(
    "a refresh",
    () => stub.refreshed.length > 0 || undefined,
  );
  const lock = `${world.home}/.claude/.oauth_refresh.lock`;
  assert.ok(Deno.statSync(lock).isDirectory);
  const moved = await world.aenv.run(["migrate-auth", "--yes"]);
  assert.equal(moved.code, 1);
  assert.match(moved.stderr, /an agent runs that uses it \(process \d+\)/);
  letGo();
  assert.equal((await running).stdout.trim(), "hi");
  assert.deepEqual(world.files(), [world.own]);
  await world.aenv.must(["migrate-auth", "--yes"]);
  assert.deepEqual(stub.refreshed, ["sk-ant-ort01-old"]);
  assert.deepEqual(world.files(), [world.shared]);
  assert.match(Deno.readTextFileSync(world.shared), /sk-ant-ort01-new1/);
  assert.deepEqual(await world.loggedIn(), ALL);
});

for (const agent of claudePrograms()) {
  Deno.test(`migrate-auth refuses while an agent runs, in an env or without one (${agent.label})`, async () => {
    using world = await LoginWorld.make(agent);
    for (const way of ["plain", "overlay", "private", "global"]) {
      const [program, env] = way === "plain"
        ? [agent.path, bareEnv(world.home, agent)]
        : [`${world.aenv.root}/shims/claude`, { ...world.aenv.env, AENV: way }];
      const child = new Deno.Command(program, {
        args: [
          "-p",
          ...["--input-format", "stream-json"],
          ...["--output-format", "stream-json", "--verbose"],
        ],
        clearEnv: true,
        env,
        cwd: `${world.home}/w`,
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const sessions = way === "private"
        ? `${world.aenv.root}/envs/private/claude/sessions`
        : `${world.home}/.claude/sessions`;
      await waitFor("its session", () => {
        try {
          Deno.statSync(`${sessions}/${child.pid}.json`);
          return true;
        } catch {
          return undefined;
        }
      });
      const { code, stderr } = await world.aenv.run(["migrate-auth", "--yes"]);
      assert.equal(code, 1, way);
      assert.match(stderr, new RegExp(`uses it \\(process ${child.pid}`), way);
      await child.stdin.close();
      await child.status;
    }
    await world.aenv.must(["migrate-auth", "--yes"]);
  });
}

Deno.test("migrate-auth --undo takes out its key alone from settings that were changed since", async () => {
  const [agent] = claudePrograms();
  using world = await LoginWorld.make(agent);
  await world.aenv.must(["migrate-auth", "--yes"]);
  const text = Deno.readTextFileSync(world.settings);
  Deno.writeTextFileSync(
    world.settings,
    text.replace('Days": 30', 'Days": 31'),
  );
  await world.aenv.must(["migrate-auth", "--undo"]);
  assert.equal(
    Deno.readTextFileSync(world.settings),
    SETTINGS.replace('Days": 30', 'Days": 31'),
  );
});

Deno.test("migrate-auth makes settings where there are none, and takes them away again", async () => {
  const [agent] = claudePrograms();
  using world = await LoginWorld.make(agent);
  Deno.removeSync(world.settings);
  await world.aenv.must(["migrate-auth", "--yes"]);
  assert.deepEqual(await world.loggedIn(), ALL);
  await world.aenv.must(["migrate-auth", "--undo"]);
  assert.throws(() => Deno.lstatSync(world.settings), Deno.errors.NotFound);
});

Deno.test("migrate-auth says why it cannot be done", async () => {
  const [agent] = claudePrograms();
  using world = await LoginWorld.make(agent);
  const cases: readonly (readonly [() => void, RegExp])[] = [
    [
      () => Deno.writeTextFileSync(world.settings, "{ // mine\n}"),
      /Cannot change ".*settings\.json": it is no JSON object/,
    ],
    [
      () => Deno.writeTextFileSync(world.settings, '{"env": []}'),
      /Cannot change/,
    ],
    [() => {
      Deno.writeTextFileSync(world.settings, SETTINGS);
      Deno.renameSync(world.own, `${world.own}.x`);
      Deno.symlinkSync(`${world.own}.x`, world.own);
    }, /it is not a regular file/],
    [() => {
      Deno.removeSync(world.own);
    }, /Cannot move the login: .* does not exist/],
  ];
  for (const [prepare, expected] of cases) {
    prepare();
    const { code, stderr } = await world.aenv.run(["migrate-auth", "--yes"]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
    const undone = await world.aenv.run(["migrate-auth", "--undo"]);
    assert.ok([0, 1].includes(undone.code), undone.stderr);
  }
  const elsewhere = await world.aenv.run(["migrate-auth"], {
    env: { ...world.aenv.env, CLAUDE_SECURESTORAGE_CONFIG_DIR: "/elsewhere" },
  });
  assert.match(elsewhere.stderr, /CLAUDE_SECURESTORAGE_CONFIG_DIR says that/);
});
