/** Claude Code marketplaces, unchanged: a repository with plugins of every kind of source. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { formatPin, parsePin } from "../../src/sources/mod.ts";
import type { GitRepository } from "../support/sources/git_repository.ts";
import { fails, GitWorld } from "../support/sources/git_world.ts";
import { tarOf } from "../support/sources/tar_bytes.ts";
import { readTree, writeTree } from "../support/sources/trees.ts";
import { zipOf } from "../support/sources/zip_bytes.ts";

const PLUGIN_JSON = ".claude-plugin/plugin.json";
const MARKET_JSON = ".claude-plugin/marketplace.json";

/** A plugin with a manifest and a command. */
function plugin(name: string): Record<string, string> {
  return {
    [PLUGIN_JSON]: JSON.stringify({ name }),
    "commands/hello.md": `hello from ${name}`,
  };
}

function below(
  path: string,
  files: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`${path}/${name}`, text]),
  );
}

const ZIP = zipOf(
  Object.entries(below("wrapped", plugin("archived")))
    .map(([name, content]) => ({ name, content })),
);
const TGZ = new Uint8Array(gzipSync(tarOf(
  Object.entries(below("package", plugin("packed")))
    .map(([name, content]) => ({ name, content })),
)));

/** The plugins of the marketplace, by where they are. */
function catalog(url: string, commit: string): unknown {
  const other = `${url}/git/other.git`;
  return {
    name: "acme",
    owner: { name: "Acme" },
    metadata: { pluginRoot: "./plugins" },
    plugins: [
      { name: "inside", source: "./plugins/inside", description: "x" },
      { name: "rooted", source: "rooted" },
      {
        name: "hub",
        source: { source: "github", repo: "acme/other", ref: "v1" },
      },
      { name: "url", source: { source: "url", url: other } },
      { name: "git", source: { source: "git", url: other, ref: "v1" } },
      {
        name: "sha",
        source: { source: "url", url: other, ref: "main", sha: commit },
      },
      {
        name: "subdir",
        source: { source: "git-subdir", url: other, path: "tools/deep" },
      },
      {
        name: "packed",
        source: { source: "npm", package: "packed", version: "^1.0.0" },
      },
      {
        name: "archived",
        source: {
          source: "archive",
          url: `${url}/archived.zip`,
          sha256: createHash("sha256").update(ZIP).digest("hex"),
        },
      },
      {
        name: "loose",
        source: "./loose",
        strict: false,
        version: "1.2.3",
        commands: ["./prompts/one.md"],
        mcpServers: { s: { command: "x" } },
      },
      {
        name: "some-skills",
        source: "./",
        strict: false,
        skills: ["./skills/a", "./more/c"],
      },
      {
        name: "added",
        source: "./plugins/added",
        commands: ["./extra.md"],
        hooks: { SessionStart: [] },
      },
    ],
  };
}

const MARKET = {
  ...below("plugins/inside", plugin("inside")),
  ...below("plugins/rooted", plugin("rooted")),
  ...below("plugins/added", {
    [PLUGIN_JSON]: JSON.stringify({ name: "added", commands: "./own.md" }),
    "own.md": "own",
    "extra.md": "extra",
  }),
  "loose/prompts/one.md": "one",
  "skills/a/SKILL.md": "a",
  "skills/b/SKILL.md": "b",
  "more/c/SKILL.md": "c",
};

interface Acme {
  readonly market: GitRepository;
  readonly other: GitRepository;
}

/** A world where https://github.com is the server, which is a registry as well. */
async function open(): Promise<{ world: GitWorld } & Acme> {
  const world = await GitWorld.open();
  const { server } = world;
  Deno.writeTextFileSync(
    world.dir("home/.gitconfig"),
    `[url "${server.url}/git/"]\n  insteadOf = https://github.com/acme/\n`,
  );
  Deno.writeTextFileSync(
    world.dir("home/.npmrc"),
    `registry=${server.url}\n`,
  );
  const other = await world.repository("other.git");
  const first = await other.commit(
    { ...plugin("other"), ...below("tools/deep", plugin("subdir")) },
    { tag: "v1" },
  );
  await other.commit({ "commands/later.md": "later" });
  const market = await world.repository("plugins.git");
  await market.commit({
    ...MARKET,
    [MARKET_JSON]: JSON.stringify(catalog(server.url, first)),
  });
  server.serve("/archived.zip", ZIP);
  server.serve("/packed/-/packed-1.1.0.tgz", TGZ);
  server.serve("/packed", packument(server.url));
  return { world, market, other };
}

function packument(url: string): string {
  const integrity = "sha512-" +
    createHash("sha512").update(TGZ).digest("base64");
  const tarball = `${url}/packed/-/packed-1.1.0.tgz`;
  const version = { dist: { tarball, integrity } };
  return JSON.stringify({
    "dist-tags": { latest: "1.1.0" },
    versions: { "1.1.0": version },
  });
}

const NOW = { ...plugin("other"), ...below("tools/deep", plugin("subdir")) };

/** What each plugin must come to; a manifest that we write is compared as a value. */
const EXPECTED: Readonly<
  Record<string, { files: Record<string, string>; manifest?: unknown }>
> = {
  inside: { files: plugin("inside") },
  rooted: { files: plugin("rooted") },
  hub: { files: NOW },
  url: { files: { ...NOW, "commands/later.md": "later" } },
  git: { files: NOW },
  sha: { files: NOW },
  subdir: { files: plugin("subdir") },
  packed: { files: plugin("packed") },
  archived: { files: plugin("archived") },
  loose: {
    files: { "prompts/one.md": "one" },
    manifest: {
      name: "loose",
      version: "1.2.3",
      commands: ["./prompts/one.md"],
      mcpServers: { s: { command: "x" } },
    },
  },
  added: {
    files: { "own.md": "own", "extra.md": "extra" },
    manifest: {
      name: "added",
      commands: ["./own.md", "./extra.md"],
      hooks: { SessionStart: [] },
    },
  },
};

function compare(
  name: string,
  found: Record<string, string>,
): void {
  const { files, manifest } = EXPECTED[name]!;
  if (manifest !== undefined) {
    assert.deepEqual(JSON.parse(found[PLUGIN_JSON]!), manifest, name);
    delete found[PLUGIN_JSON];
  }
  assert.deepEqual(found, files, name);
}

Deno.test("a plugin of every kind of source is found, and again by the text of its pin", async () => {
  const { world } = await open();
  await using _ = world;
  const context = world.context();
  for (const name of Object.keys(EXPECTED)) {
    const pin = await world.resolve(`${name}@acme/plugins`, context);
    const options = { kind: "plugin", context } as const;
    compare(name, readTree(await world.fetch(pin, options)));
    const text = formatPin(pin);
    assert.deepEqual(parsePin(text), pin, text);
    const again = { kind: "plugin", context: world.context() } as const;
    compare(name, readTree(await world.fetch(parsePin(text), again)));
  }
});

Deno.test("the marketplace is fetched once for all its plugins, and pinned to a commit", async () => {
  const { world, market } = await open();
  await using _ = world;
  const commit = (await market.git(["rev-parse", "HEAD"])).trim();
  const context = world.context();
  for (const name of ["inside", "rooted", "loose"]) {
    const pin = await world.resolve(`${name}@acme/plugins`, context);
    assert.ok(pin.kind === "marketplace" && pin.market.kind === "git");
    assert.equal(pin.market.commit, commit);
    assert.deepEqual(pin.inner, pin.market);
    await world.fetch(pin, { kind: "plugin", context });
  }
  const asked = world.server.requests
    .filter((line) => line.includes("/git/plugins.git/info/refs"));
  // One look at the refs, one fetch of the commit, and one for each plugin's files.
  assert.ok(asked.length <= 7, asked.join("\n"));
});

Deno.test("all plugins of a marketplace may be fetched at the same time", async () => {
  const { world } = await open();
  await using _ = world;
  const context = world.context();
  await Promise.all(
    Object.keys(EXPECTED).map(async (name) => {
      const pin = await world.resolve(`${name}@acme/plugins`, context);
      const options = { kind: "plugin", context } as const;
      compare(name, readTree(await world.fetch(pin, options)));
    }),
  );
});

Deno.test("a pin stays where it is when marketplace and plugin move on", async () => {
  const { world, market, other } = await open();
  await using _ = world;
  const pins = [];
  for (const name of ["inside", "url", "loose"]) {
    pins.push([name, await world.resolve(`${name}@acme/plugins`)] as const);
  }
  await market.commit({ "plugins/inside/commands/hello.md": "changed" });
  await market.commit({ [MARKET_JSON]: '{"plugins":[]}' });
  await other.commit({ "commands/hello.md": "changed" });
  for (const [name, pin] of pins) {
    compare(name, readTree(await world.fetch(pin, { kind: "plugin" })));
  }
});

Deno.test("several plugins may share the root of the marketplace, each with its own skills", async () => {
  const { world } = await open();
  await using _ = world;
  const files = await world.take("some-skills@acme/plugins", {
    kind: "plugin",
  });
  assert.deepEqual(JSON.parse(files[PLUGIN_JSON]!), {
    name: "some-skills",
    skills: ["./more/c"],
  });
  assert.equal(files["skills/a/SKILL.md"], "a");
  assert.equal(files["skills/b/SKILL.md"], undefined);
  assert.equal(files["more/c/SKILL.md"], "c");
});

Deno.test("a marketplace may be a directory, whose files stay as they are", async () => {
  const { world } = await open();
  await using _ = world;
  const dir = world.dir("project/market");
  writeTree(dir, {
    ...MARKET,
    [MARKET_JSON]: JSON.stringify(catalog(world.server.url, "0".repeat(40))),
  });
  const before = readTree(dir);
  for (const name of ["inside", "rooted", "loose", "added", "subdir"]) {
    const files = await world.take(`${name}@./market`, { kind: "plugin" });
    compare(name, files);
  }
  assert.deepEqual(readTree(dir), before);
  const pin = await world.resolve("inside@./market");
  assert.equal(
    formatPin(pin),
    "marketplace:inside subpath=plugins/inside | path:./market | path:./market",
  );
});

Deno.test("a marketplace may be one file on a web server, without paths of its own", async () => {
  const { world, other } = await open();
  await using _ = world;
  const commit = (await other.git(["rev-parse", "v1^{commit}"])).trim();
  const { server } = world;
  const text = JSON.stringify(catalog(server.url, commit));
  server.serve("/marketplace.json", text);
  const market = `${server.url}/marketplace.json`;
  const pin = await world.resolve(`sha@${market}`);
  assert.ok(pin.kind === "marketplace");
  assert.deepEqual(pin.market, {
    kind: "catalog",
    url: market,
    sha256: createHash("sha256").update(text).digest("hex"),
  });
  compare("sha", readTree(await world.fetch(pin, { kind: "plugin" })));
  await fails(
    () => world.resolve(`inside@${market}`),
    "CONTENT_INVALID",
    /its source is a path, and this marketplace is one file/,
  );
});

const BAD: Readonly<Record<string, [unknown, RegExp]>> = {
  "a command": [{ source: "command", command: "x" }, /installing runs none/],
  "an unknown kind": [{ source: "pip", package: "x" }, /"pip" is not known/],
  "nothing": [undefined, /has no source/],
  "a path out": ["./../../etc", /leads out of the marketplace/],
  "an absolute path": ["/etc", /does not start with "\.\/"/],
  "a name without a root": ["rooted", /does not start with "\.\/"/],
  "a subdirectory out": [
    { source: "git-subdir", url: "acme/other", path: "../x" },
    /leads out/,
  ],
  "half a commit": [
    { source: "github", repo: "acme/other", sha: "abc" },
    /not a whole commit/,
  ],
  "plain http": [
    { source: "url", url: "http://x/y.git" },
    /without encryption/,
  ],
  "a password": [
    { source: "url", url: "https://me:pw@x/y.git" },
    /user name or password/,
  ],
  "a repository on this machine": [
    { source: "url", url: "file:///etc" },
    /its marketplace is elsewhere/,
  ],
  "an npm path": [{ source: "npm", package: "../x" }, /no package name/],
  "no sub-directory": [
    { source: "git-subdir", url: "acme/other" },
    /no "path"/,
  ],
};

for (const [what, [source, message]] of Object.entries(BAD)) {
  Deno.test(`an entry with ${what} is refused`, async () => {
    await using world = await GitWorld.open();
    const market = await world.repository("plugins.git");
    const text = JSON.stringify({ plugins: [{ name: "bad", source }] });
    await market.commit({ [MARKET_JSON]: text });
    const where = `bad@${world.server.url}/git/plugins.git`;
    await assert.rejects(world.resolve(where), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("what a marketplace lacks is named", async () => {
  const { world, market } = await open();
  await using _ = world;
  await fails(
    () => world.resolve("insde@acme/plugins"),
    "SOURCE_NOT_FOUND",
    /does not list it\nDid you mean "inside"/,
  );
  await fails(
    () => world.resolve("x@acme/other"),
    "CONTENT_INVALID",
    /there is no "\.claude-plugin\/marketplace\.json" in it/,
  );
  const both = {
    name: "both",
    source: "./plugins/added",
    strict: false,
    commands: "./extra.md",
  };
  const gone = { name: "gone", source: "./plugins/gone" };
  const text = JSON.stringify({
    plugins: [both, gone],
    renames: { old: "both" },
  });
  await market.commit({ [MARKET_JSON]: text });
  await fails(
    () => world.take("both@acme/plugins", { kind: "plugin" }),
    "CONTENT_INVALID",
    /"strict": false and names its "commands", but it has a manifest/,
  );
  await fails(
    () => world.take("gone@acme/plugins", { kind: "plugin" }),
    "CONTENT_INVALID",
    /no directory "plugins\/gone"/,
  );
  await fails(
    () => world.resolve("old@acme/plugins"),
    "SOURCE_NOT_FOUND",
    /Did you mean "both"/,
  );
  await market.commit({ [MARKET_JSON]: "{" });
  await fails(
    () => world.resolve("both@acme/plugins"),
    "CONTENT_INVALID",
    /marketplace\.json" is not JSON/,
  );
});
