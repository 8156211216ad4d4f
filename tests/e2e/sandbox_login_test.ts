/** The login of a confined agent: it works without the user's home, and is renewed where that can be kept, and nowhere else. */

import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { OauthStub } from "../support/oauth_stub.ts";
import { TempDir } from "../support/temp.ts";
import { LoginWorld, SETTINGS } from "./login_world.ts";

const CONFINED = ["private", "overlay"] as const;
/** Long ago, in milliseconds since the epoch. */
const EXPIRED = 1000;

/** Text → file, of all below a directory but what the agent keeps about its sessions. */
function filesBelow(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (at: string) => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(at)) {
      const path = `${at}/${name}`;
      if (isDirectory) walk(path);
      else if (isFile) found[path] = Deno.readTextFileSync(path);
    }
  };
  walk(dir);
  return found;
}

for (const agent of claudePrograms()) {
  Deno.test(`a confined Claude Code ${agent.label} is logged in and answers, and the home is closed to it`, async () => {
    using temp = new TempDir();
    await using stub = await OauthStub.start(temp.path);
    using world = await LoginWorld.make(agent, { env: stub.env });
    for (const name of CONFINED) {
      const env = { ...world.aenv.env, AENV: name };
      const listed = await world.aenv.run(
        ["exec", "--", "ls", world.home],
        { env },
      );
      assert.match(listed.stderr, /cannot open directory/, name);
      const status = await world.aenv.claude(name, ["auth", "status"]);
      assert.match(status.stdout, /"loggedIn": true/, status.stderr);
      const answer = await world.aenv.claude(name, ["-p", "hello"]);
      assert.deepEqual(
        [answer.code, answer.stdout.trim()],
        [0, "hi"],
        answer.stderr,
      );
      assert.match(answer.stderr, /confined/);
      // Told once: by `exec`.
      assert.match(listed.stderr, /cannot renew it: .*aenv migrate-auth/);
      assert.doesNotMatch(answer.stderr, /renew/);
    }
    assert.deepEqual(stub.refreshed, []);
  });

  Deno.test(`a login in a directory of its own is renewed once for confined and plain agents that start together (${agent.label})`, async () => {
    using temp = new TempDir();
    await using stub = await OauthStub.start(temp.path);
    using world = await LoginWorld.make(agent, {
      ...{ expiresAt: EXPIRED, env: stub.env },
    });
    await world.aenv.must(["migrate-auth", "--yes"]);
    for (const one of await world.everywhere(["-p", "hello"])) {
      const { way, code, stdout, stderr } = one;
      assert.deepEqual([way, code, stdout.trim()], [way, 0, "hi"], stderr);
    }
    assert.deepEqual(stub.refreshed, ["sk-ant-ort01-old"]);
    assert.deepEqual(world.files(), [world.shared]);
    assert.match(Deno.readTextFileSync(world.shared), /sk-ant-ort01-new1/);
    assert.equal(Deno.statSync(world.shared).mode! & 0o777, 0o600);
  });

  Deno.test(`a confined agent alone renews the moved login, and what it wrote is what all others use (${agent.label})`, async () => {
    for (const name of CONFINED) {
      using temp = new TempDir();
      await using stub = await OauthStub.start(temp.path);
      using world = await LoginWorld.make(agent, {
        ...{ expiresAt: EXPIRED, env: stub.env },
      });
      await world.aenv.must(["migrate-auth", "--yes"]);
      const settings = Deno.readTextFileSync(world.settings);
      const { code, stdout, stderr } = await world.aenv.claude(
        name,
        ["-p", "hello"],
      );
      assert.deepEqual([code, stdout.trim()], [0, "hi"], stderr);
      assert.deepEqual(stub.refreshed, ["sk-ant-ort01-old"], name);
      assert.deepEqual(Object.keys(filesBelow(`${world.aenv.root}/login`)), [
        world.shared,
      ]);
      assert.equal(Deno.readTextFileSync(world.settings), settings);
      for (const one of await world.everywhere(["-p", "hello"])) {
        assert.equal(one.stdout.trim(), "hi", one.way);
      }
      assert.equal(stub.refreshed.length, 1);
      await world.aenv.must(["migrate-auth", "--undo"]);
      assert.match(Deno.readTextFileSync(world.own), /sk-ant-ort01-new1/);
      assert.equal(Deno.readTextFileSync(world.settings), SETTINGS);
    }
  });

  // Guards: a refresh that cannot be saved loses the login, since the old token is dead by then.
  Deno.test(`a confined agent does not renew a login beside the user's settings, and the launch says how to change that (${agent.label})`, async () => {
    for (const name of CONFINED) {
      using temp = new TempDir();
      await using stub = await OauthStub.start(temp.path);
      using world = await LoginWorld.make(agent, {
        ...{ expiresAt: EXPIRED, env: stub.env },
      });
      const before = Deno.readTextFileSync(world.own);
      const names = Object.keys(filesBelow(`${world.home}/.claude`));
      const { stderr } = await world.aenv.claude(name, ["-p", "hello"]);
      assert.match(
        stderr,
        /login has expired, and the agent cannot renew it: .*aenv migrate-auth/,
      );
      assert.deepEqual(stub.refreshed, [], name);
      assert.equal(Deno.readTextFileSync(world.own), before);
      assert.deepEqual(world.files(), [world.own]);
      if (name === "private") {
        assert.deepEqual(
          Object.keys(filesBelow(`${world.home}/.claude`)),
          names,
        );
      }
      const plain = await world.plain(["-p", "hello"]);
      assert.equal(plain.stdout.trim(), "hi", plain.stderr);
      assert.deepEqual(stub.refreshed, ["sk-ant-ort01-old"]);
    }
  });
}
