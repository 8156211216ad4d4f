/** Sources that are archives and directories, over a real https server. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { formatPin, parsePin } from "../../src/sources/mod.ts";
import { fails, GitWorld } from "../support/sources/git_world.ts";
import { tarOf } from "../support/sources/tar_bytes.ts";
import { readTree, writeTree } from "../support/sources/trees.ts";
import { zipOf } from "../support/sources/zip_bytes.ts";

const MANIFEST = '{"name":"kit"}';
const PLUGIN_JSON = ".claude-plugin/plugin.json";

function tgz(files: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(files)
    .map(([name, content]) => ({ name, content }));
  return gzipSync(tarOf(parts));
}

function zip(files: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(files)
    .map(([name, content]) => ({ name, content }));
  return zipOf(parts);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Flat and wrapped ones: what is inside, and what is wanted of it. */
const LAYOUTS: Readonly<
  Record<string, {
    files: Record<string, string>;
    root: string;
    kind?: "plugin";
    subpath?: string;
  }>
> = {
  "a flat skill with directories": {
    files: { "SKILL.md": "x", "scripts/a.sh": "y" },
    root: "",
  },
  "a flat skill with one directory and one file": {
    files: { "SKILL.md": "x", "docs/a": "y" },
    root: "",
  },
  "a wrapped skill": {
    files: { "kit-1.0/SKILL.md": "x", "kit-1.0/scripts/a.sh": "y" },
    root: "kit-1.0/",
  },
  "a flat plugin whose only directory is .claude-plugin": {
    files: { [PLUGIN_JSON]: MANIFEST },
    root: "",
    kind: "plugin",
  },
  "a wrapped plugin": {
    files: { [`kit/${PLUGIN_JSON}`]: MANIFEST, "kit/commands/a.md": "x" },
    root: "kit/",
    kind: "plugin",
  },
  "a wrapped plugin in a directory called like a part": {
    files: { [`commands/${PLUGIN_JSON}`]: MANIFEST },
    root: "commands/",
    kind: "plugin",
  },
  "a flat plugin without a manifest": {
    files: { "commands/a.md": "x" },
    root: "",
    kind: "plugin",
  },
  "a subpath of a flat archive": {
    files: { "skills/a/SKILL.md": "x", "skills/b/SKILL.md": "y" },
    root: "skills/b/",
    subpath: "skills/b",
  },
  "a subpath of a wrapped archive": {
    files: { "kit/skills/a/SKILL.md": "x", "kit/README.md": "y" },
    root: "kit/skills/a/",
    subpath: "skills/a",
  },
};

for (const [name, layout] of Object.entries(LAYOUTS)) {
  Deno.test(`${name} is found in archives of both kinds, remote and local`, async () => {
    await using world = await GitWorld.open();
    const { files, root, subpath } = layout;
    const kind = layout.kind ?? "skill";
    const expected = Object.fromEntries(
      Object.entries(files).filter(([path]) => path.startsWith(root))
        .map(([path, text]) => [path.slice(root.length), text]),
    );
    for (
      const [file, bytes] of [["a.tar.gz", tgz(files)], [
        "a.zip",
        zip(files),
      ]] as const
    ) {
      world.server.serve(`/${file}`, bytes);
      Deno.writeFileSync(world.dir(`project/${file}`), bytes);
      const more = { kind, subpath } as const;
      const remote = await world.take(`${world.server.url}/${file}`, more);
      assert.deepEqual(remote, expected);
      assert.deepEqual(await world.take(`./${file}`, more), expected);
    }
  });
}

Deno.test("an archive is pinned to its hash, downloaded once, and refused when it has changed", async () => {
  await using world = await GitWorld.open();
  const bytes = tgz({ "SKILL.md": "one" });
  world.server.serve("/a.tgz", bytes);
  const url = `${world.server.url}/a.tgz`;
  const context = world.context();
  assert.deepEqual(await world.take(url, { context }), { "SKILL.md": "one" });
  assert.deepEqual(world.server.requests, ["GET /a.tgz"]);
  const pin = await world.resolve(url, context);
  assert.deepEqual(pin, { kind: "archive", url, sha256: sha256(bytes) });
  assert.deepEqual(parsePin(formatPin(pin)), pin);

  const changed = tgz({ "SKILL.md": "two" });
  world.server.serve("/a.tgz", changed);
  const error = await fails(
    () => world.fetch(pin),
    "SOURCE_MISMATCH",
    /hashes to .* is pinned\n.*aenv update/,
  );
  assert.ok(error.message.includes(sha256(bytes)));
  assert.ok(error.message.includes(sha256(changed)));
});

Deno.test("redirections stay with https, without credentials, and end", async () => {
  await using world = await GitWorld.open();
  const { server } = world;
  server.serve("/good.tgz", tgz({ "SKILL.md": "x" }));
  const redirect = (path: string, to: string) =>
    server.answers.set(
      path,
      () => new Response(null, { status: 302, headers: { location: to } }),
    );
  redirect("/1.tgz", "/2");
  redirect("/2", `${server.url}/good.tgz`);
  redirect("/plain.tgz", "http://localhost:1/good.tgz");
  redirect("/file.tgz", "file:///etc/passwd");
  redirect("/login.tgz", "https://me:pw@localhost/good.tgz");
  redirect("/loop.tgz", "/loop.tgz");
  const files = await world.take(`${server.url}/1.tgz`);
  assert.deepEqual(files, { "SKILL.md": "x" });
  const refusals: Record<string, RegExp> = {
    plain: /without encryption/,
    login: /user name or password/,
    loop: /redirects too often/,
  };
  for (const [name, message] of Object.entries(refusals)) {
    const source = `${server.url}/${name}.tgz`;
    await fails(() => world.resolve(source), "SOURCE_REFUSED", message);
  }
  const source = `${server.url}/file.tgz`;
  await fails(() => world.resolve(source), "SOURCE_INVALID", /https/);
});

Deno.test("what a server answers comes out as an error that says what to do", async () => {
  await using world = await GitWorld.open();
  const { server } = world;
  let count = 0;
  const status = (code: number) => () => {
    count++;
    return new Response("no", { status: code });
  };
  server.answers.set("/401.tgz", status(401));
  server.answers.set("/404.tgz", status(404));
  server.answers.set("/503.tgz", status(503));
  const take = (name: string) => () =>
    world.resolve(`${server.url}/${name}.tgz`);
  await fails(take("401"), "SOURCE_DENIED", /wants a login \(status 401\)/);
  await fails(take("404"), "SOURCE_NOT_FOUND", /there is nothing/);
  count = 0;
  await fails(take("503"), "SOURCE_UNREACHABLE", /status 503/);
  assert.equal(count, 3, "it is asked again, twice");
  await fails(
    () => world.resolve("https://localhost:1/a.tgz"),
    "SOURCE_UNREACHABLE",
    /Cannot reach "localhost:1": /,
  );
  const stranger = world.context({ env: { SSL_CERT_FILE: "" } });
  await fails(
    () => world.resolve(`${server.url}/404.tgz`, stranger),
    "SOURCE_UNREACHABLE",
    /certificate is not trusted.*\n.*SSL_CERT_FILE/,
  );
});

/** `endless`, `broken` and `stall`; the last until what is returned is called. */
function serveBadDownloads(server: GitWorld["server"]): () => void {
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65536)),
    });
  server.answers.set("/endless.tgz", () => new Response(endless()));
  server.answers.set(
    "/broken.tgz",
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new Uint8Array(10));
            controller.error(new Error("cut"));
          },
        }),
        { headers: { "content-length": "1000" } },
      ),
  );
  let stop = () => {};
  server.answers.set("/stall.tgz", () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(10));
          stop = () => controller.close();
        },
      }),
    ));
  return () => stop();
}

Deno.test("a download that is too large, breaks off, stalls or is interrupted leaves nothing behind", async () => {
  await using world = await GitWorld.open();
  const { server } = world;
  const endStall = serveBadDownloads(server);
  const attempt = async (
    name: string,
    context: ReturnType<typeof world.context>,
    expected: [Parameters<typeof fails>[1], RegExp],
  ) => {
    const source = `${server.url}/${name}.tgz`;
    await fails(() => world.resolve(source, context), ...expected);
    assert.deepEqual([...Deno.readDirSync(context.temp)], []);
  };
  await attempt(
    "endless",
    world.context({ limits: { downloadBytes: 1_000_000 } }),
    ["SOURCE_REFUSED", /more than 1000000 bytes/],
  );
  await attempt("broken", world.context(), [
    "SOURCE_UNREACHABLE",
    /broke off/,
  ]);
  await attempt("stall", world.context({ limits: { stallMs: 200 } }), [
    "SOURCE_UNREACHABLE",
    /no answer for/,
  ]);
  endStall();
  await attempt(
    "endless",
    world.context({ limits: { timeMs: 50 } }),
    ["SOURCE_REFUSED", /takes more than 0.05 s/],
  );
  const controller = new AbortController();
  const context = world.context({ signal: controller.signal });
  const reason = new Error("interrupted");
  const resolving = world.resolve(`${server.url}/endless.tgz`, context);
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(resolving, reason);
  assert.deepEqual([...Deno.readDirSync(context.temp)], []);
});

Deno.test("without the network a local archive still works, and a remote one says why not", async () => {
  await using world = await GitWorld.open();
  Deno.writeFileSync(world.dir("project/a.zip"), zip({ "SKILL.md": "x" }));
  const context = world.context({ offline: true });
  assert.deepEqual(await world.take("./a.zip", { context }), {
    "SKILL.md": "x",
  });
  await fails(
    () => world.resolve(`${world.server.url}/a.tgz`, context),
    "SOURCE_OFFLINE",
    /network may not be used/,
  );
});

Deno.test("a directory is used in place, from the manifest's directory, without what is left out", async () => {
  await using world = await GitWorld.open();
  writeTree(world.dir("project/kit"), {
    "SKILL.md": "x",
    ".git/HEAD": "-> ../../../../etc",
    "a/__pycache__/x": "y",
  });
  const pin = await world.resolve("kit");
  assert.deepEqual(pin, { kind: "path", path: "./kit" });
  assert.equal(await world.fetch(pin), world.dir("project/kit"));
  const absolute = await world.resolve(`file://${world.dir("project/kit")}`);
  assert.deepEqual(absolute, pin);
  writeTree(world.dir("home/kit"), { "SKILL.md": "x" });
  assert.equal(
    formatPin(await world.resolve("~/kit")),
    "path:~/kit",
  );
  writeTree(world.dir("shared/kit"), { "SKILL.md": "x" });
  assert.equal(
    formatPin(await world.resolve("../shared/kit")),
    "path:../shared/kit",
  );
});

Deno.test("what a directory lacks is named, with the place that has it", async () => {
  await using world = await GitWorld.open();
  writeTree(world.dir("project/kit"), {
    "skills/a/SKILL.md": "x",
    [`plugins/p/${PLUGIN_JSON}`]: MANIFEST,
    "README.md": "x",
  });
  await fails(
    () => world.take("./kit"),
    "CONTENT_INVALID",
    /Cannot use "\.\/kit" as a "skill": there is no "SKILL.md" in its root\n.*subpath = "skills\/a"/,
  );
  writeTree(world.dir("project/empty"), { "a/b": "x" });
  await fails(
    () => world.take("./empty", { kind: "plugin" }),
    "CONTENT_INVALID",
    /no "\.claude-plugin\/plugin\.json" in its root, and nothing else/,
  );
  await fails(
    () => world.take("./kit", { kind: "plugin", subpath: "plugin/p" }),
    "CONTENT_INVALID",
    /it has no directory "plugin\/p"\n.*"plugins\/p"/,
  );
  await fails(() => world.take("./none"), "CONTENT_INVALID", /does not exist/);
  writeTree(world.dir("project/bad"), { [PLUGIN_JSON]: "{" });
  await fails(
    () => world.take("./bad", { kind: "plugin" }),
    "CONTENT_INVALID",
    /plugin\.json" is not JSON/,
  );
  writeTree(world.dir("project/link"), { "SKILL.md": "x", l: "-> ../../x" });
  await fails(() => world.take("./link"), "SOURCE_REFUSED", /"l" leads out/);
  assert.deepEqual(readTree(world.dir("project/link")), {
    "SKILL.md": "x",
    l: "-> ../../x",
  });
});
