/** Sources in git repositories, with the real git, over file, https and ssh. */

import assert from "node:assert/strict";
import { formatPin } from "../../src/sources/mod.ts";
import { fails, GitWorld } from "../support/sources/git_world.ts";
import { readTree } from "../support/sources/trees.ts";

const SKILL = { "SKILL.md": "# one" };

Deno.test("a branch, a tag, a commit, its first digits, a range and nothing lead to the commit they mean", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  const one = await repository.commit(SKILL, { tag: "v1.2.0" });
  const two = await repository.commit({ "SKILL.md": "# two" }, {
    tag: "v1.10.0",
  });
  await repository.commit({ "SKILL.md": "# three" }, { tag: "v2.0.0-rc.1" });
  const four = await repository.commit({ "SKILL.md": "# four" });
  const side = await repository.commit({ "SKILL.md": "# side" }, {
    branch: "side/ä",
  });
  const url = `git+${world.server.url}/git/kit.git`;
  const expected: Record<string, [string, string]> = {
    "": [four, "HEAD"],
    "#main": [four, "refs/heads/main"],
    "#side/ä": [side, "refs/heads/side/ä"],
    "#v1.2.0": [one, "refs/tags/v1.2.0"],
    "#refs/tags/v1.2.0": [one, "refs/tags/v1.2.0"],
    "#semver:^1.2": [two, "refs/tags/v1.10.0"],
    [`#${one}`]: [one, "HEAD"],
    [`#${one.slice(0, 9)}`]: [one, "HEAD"],
  };
  for (const [ref, [commit, name]] of Object.entries(expected)) {
    const pin = await world.resolve(url + ref);
    const address = `${world.server.url}/git/kit.git`;
    assert.deepEqual(pin, { kind: "git", url: address, commit, ref: name });
  }
  assert.deepEqual(await world.take(`${url}#v1.2.0`), SKILL);
  assert.deepEqual(await world.take(`${url}#${one}`), SKILL);
});

Deno.test("a ref that is not there is named, with the nearest one", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  await repository.commit(SKILL, { tag: "v1.0.0" });
  const url = `git+${world.server.url}/git/kit.git`;
  await fails(
    () => world.resolve(`${url}#mian`),
    "SOURCE_NOT_FOUND",
    /Cannot find "mian" in .*\nDid you mean "main"/,
  );
  await fails(
    () => world.resolve(`${url}#semver:^2`),
    "SOURCE_NOT_FOUND",
    /"semver:\^2"/,
  );
  await fails(
    () => world.resolve(`${url}#deadbee`),
    "SOURCE_NOT_FOUND",
    /no branch, tag or commit is so called/,
  );
  await fails(
    () => world.resolve(`git+${world.server.url}/git/other.git`),
    "SOURCE_NOT_FOUND",
    /no such repository/,
  );
});

Deno.test("only the pinned commit is fetched, and with a subpath only what is below it", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  for (let i = 0; i < 5; i++) {
    await repository.commit({ "a/SKILL.md": `# ${i}` });
  }
  const noise = Array.from(
    crypto.getRandomValues(new Uint8Array(60_000)),
    (byte) => byte.toString(16),
  ).join("");
  const commit = await repository.commit({ "big/noise": noise });
  const url = `git+${world.server.url}/git/kit.git`;
  const context = world.context();
  const files = await world.take(url, { subpath: "a", context });
  assert.deepEqual(files, { "SKILL.md": "# 4" });
  const [dir] = [...Deno.readDirSync(context.temp)]
    .filter((entry) => entry.name.startsWith("git-"));
  const local = `${context.temp}/${dir?.name}`;
  const count = await repository.git([
    `--git-dir=${local}`,
    "rev-list",
    "--count",
    commit,
  ]);
  assert.equal(count.trim(), "1");
  const packs = [...Deno.readDirSync(`${local}/objects/pack`)]
    .map((entry) => Deno.statSync(`${local}/objects/pack/${entry.name}`).size);
  assert.ok(packs.reduce((a, b) => a + b, 0) < 20_000, String(packs));
});

for (const hasProtocol2 of [true, false]) {
  Deno.test(`a commit that no branch stands on any more is fetched all the same (${hasProtocol2 ? "new" : "old"} protocol)`, async () => {
    await using world = await GitWorld.open();
    world.server.hasProtocol2 = hasProtocol2;
    const repository = await world.repository("kit.git");
    await repository.bare(["config", "uploadpack.allowFilter", "false"]);
    await repository.commit(SKILL);
    const url = `git+${world.server.url}/git/kit.git`;
    const pin = await world.resolve(`${url}#main`);
    await repository.commit({ "SKILL.md": "# two" });
    assert.deepEqual(readTree(await world.fetch(pin)), SKILL);
    await repository.commit({ "sub/SKILL.md": "# sub" });
    const subpath = "sub";
    assert.deepEqual(await world.take(url, { subpath }), {
      "SKILL.md": "# sub",
    });
  });
}

Deno.test("a commit that has vanished is named", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  await repository.commit(SKILL);
  const commit = "0123456789012345678901234567890123456789";
  const pin = await world.resolve(
    `git+${world.server.url}/git/kit.git#${commit}`,
  );
  await fails(
    () => world.fetch(pin),
    "SOURCE_NOT_FOUND",
    /Cannot find commit "0123.*no branch or tag leads to it any more\n.*aenv update/,
  );
});

Deno.test("a login comes from the user's credential helper and stays there", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("private/kit.git");
  await repository.commit(SKILL);
  const source = `git+${world.server.url}/git/private/kit.git`;
  await fails(
    () => world.resolve(source),
    "SOURCE_DENIED",
    /wants a login.*\n.*credential helper/,
  );
  const host = new URL(world.server.url).host;
  Deno.writeTextFileSync(
    world.dir("home/.git-credentials"),
    `https://${world.server.login}@${encodeURIComponent(host)}\n`,
  );
  Deno.writeTextFileSync(
    world.dir("home/.gitconfig"),
    "[credential]\n  helper = store\n",
  );
  const context = world.context();
  assert.deepEqual(await world.take(source, { context }), SKILL);
  const pin = await world.resolve(source, context);
  const secret = world.server.login.split(":")[1]!;
  assert.ok(!formatPin(pin).includes(secret));
  const written = readTree(context.temp);
  assert.ok(Object.keys(written).length > 0);
  for (const [path, text] of Object.entries(written)) {
    assert.ok(!text.includes(secret), path);
  }
});

Deno.test("no program of the user's or the repository's runs, and bytes are those of the commit", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  const ran = world.dir("ran");
  Deno.mkdirSync(world.dir("template/hooks"), { recursive: true });
  for (
    const hook of [
      "post-checkout",
      "post-index-change",
      "reference-transaction",
    ]
  ) {
    const path = world.dir(`template/hooks/${hook}`);
    Deno.writeTextFileSync(path, `#!/bin/sh\ntouch ${ran}\n`);
    Deno.chmodSync(path, 0o755);
  }
  Deno.writeTextFileSync(
    world.dir("home/.gitconfig"),
    [
      "[init]",
      `  templateDir = ${world.dir("template")}`,
      "[core]",
      `  hooksPath = ${world.dir("template/hooks")}`,
      `  fsmonitor = touch ${ran}`,
      "  autocrlf = true",
      '[filter "evil"]',
      `  smudge = touch ${ran}; tr a-z A-Z`,
      "  required = true",
      "[http]",
      "  sslVerify = false",
    ].join("\n"),
  );
  const files = {
    ".gitattributes": "* text eol=crlf filter=evil ident\n",
    "SKILL.md": "# one\n$Id$\n",
  };
  await repository.commit(files);
  const source = `git+${world.server.url}/git/kit.git`;
  assert.deepEqual(await world.take(source), files);
  assert.throws(() => Deno.statSync(ran), Deno.errors.NotFound);
  await fails(
    () =>
      world.resolve(
        source,
        world.context({ env: { GIT_SSL_CAINFO: "", SSL_CERT_FILE: "" } }),
      ),
    "SOURCE_UNREACHABLE",
    /certificate is not trusted/,
  );
});

Deno.test("an address that the user's settings turn into a local one is refused", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  await repository.commit(SKILL);
  const file = `file://${repository.path}`;
  Deno.writeTextFileSync(
    world.dir("home/.gitconfig"),
    `[url "${file}"]\n  insteadOf = https://evil.example/kit.git\n` +
      `[url "${world.server.url}/git/kit.git"]\n  insteadOf = https://good.example/kit.git\n`,
  );
  await fails(
    () => world.resolve("git+https://evil.example/kit.git"),
    "SOURCE_REFUSED",
    /only https and ssh may be used/,
  );
  const files = await world.take("git+https://good.example/kit.git");
  assert.deepEqual(files, SKILL);
  assert.deepEqual(await world.take(`git+${file}`), SKILL);
});

Deno.test("ssh goes through the user's own command and asks nothing", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  await repository.commit(SKILL);
  const ssh = world.dir("ssh");
  // Runs the command for the other side here, as sshd would.
  Deno.writeTextFileSync(
    ssh,
    '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n',
  );
  Deno.chmodSync(ssh, 0o755);
  const context = world.context({ env: { GIT_SSH_COMMAND: ssh } });
  const source = `git+ssh://git@host.example${repository.path}`;
  assert.deepEqual(await world.take(source, { context }), SKILL);
});

const UNFIT: Readonly<Record<string, [Record<string, string>, RegExp]>> = {
  "a link that leads out of it": [
    { l: "-> ../../etc/passwd" },
    /the link "l" leads out/,
  ],
  "an absolute link": [{ l: "-> /etc/passwd" }, /the link "l" .*absolute/],
  "names that differ only in case": [
    { Read: "1", read: "2" },
    /"Read" and "read" differ only in upper and lower case/,
  ],
  "contents in Git LFS": [
    {
      "model.bin": "version https://git-lfs.github.com/spec/v1\n" +
        `oid sha256:${"0".repeat(64)}\nsize 10\n`,
    },
    /"model.bin" are kept in Git LFS/,
  ],
};

for (const [what, [files, message]] of Object.entries(UNFIT)) {
  Deno.test(`a commit with ${what} is refused, and nothing is left`, async () => {
    await using world = await GitWorld.open();
    const repository = await world.repository("kit.git");
    await repository.commit({ ...SKILL, ...files });
    const before = [...Deno.readDirSync(world.root)].length;
    const source = `git+file://${repository.path}`;
    await fails(() => world.take(source), "SOURCE_REFUSED", message);
    for (const { name } of [...Deno.readDirSync(world.root)].slice(before)) {
      const left = readTree(world.dir(name));
      assert.ok(!Object.keys(left).some((path) => path.includes("SKILL")));
    }
  });
}

Deno.test("a submodule is refused by name", async () => {
  await using world = await GitWorld.open();
  const other = await world.repository("other.git");
  await other.commit(SKILL);
  const repository = await world.repository("kit.git");
  await repository.git([
    "-c",
    "protocol.file.allow=always",
    "submodule",
    "add",
    "-q",
    other.path,
    "lib/other",
  ]);
  await repository.commit(SKILL);
  const source = `git+file://${repository.path}`;
  await fails(
    () => world.take(source),
    "SOURCE_REFUSED",
    /"lib\/other" is a submodule, and those are not fetched/,
  );
});

Deno.test("too large a repository, too slow a server and an interruption end git", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  await repository.commit(SKILL);
  const source = `git+${world.server.url}/git/kit.git`;
  await fails(
    () =>
      world.take(source, {
        context: world.context({ limits: { downloadBytes: 10 } }),
      }),
    "SOURCE_REFUSED",
    /more than 10 bytes/,
  );
  let release = () => {};
  const held = new Promise<Response>((resolve) => {
    release = () => resolve(new Response(""));
  });
  world.server.answers.set("/git/slow.git/info/refs", () => held);
  const slow = `git+${world.server.url}/git/slow.git`;
  await fails(
    () => world.resolve(slow, world.context({ limits: { timeMs: 700 } })),
    "SOURCE_UNREACHABLE",
    /git takes more than 0.7 s/,
  );
  const stop = new AbortController();
  const reason = new Error("interrupted");
  const resolving = world.resolve(slow, world.context({ signal: stop.signal }));
  stop.abort(reason);
  await assert.rejects(resolving, reason);
  release();
});

Deno.test("without the network a repository on this machine still works, and others say why not", async () => {
  await using world = await GitWorld.open();
  const repository = await world.repository("kit.git");
  await repository.commit(SKILL);
  const context = world.context({ offline: true });
  const source = `git+file://${repository.path}`;
  assert.deepEqual(await world.take(source, { context }), SKILL);
  await fails(
    () => world.resolve(`git+${world.server.url}/git/kit.git`, context),
    "SOURCE_OFFLINE",
    /the network may not be used/,
  );
  assert.deepEqual(world.server.requests, []);
});
