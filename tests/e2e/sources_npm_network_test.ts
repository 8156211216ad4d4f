/** Npm registries that lie, mirror, or stand behind a proxy: what no honest registry does. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import npmDefaults from "npm-registry-fetch/lib/default-opts.js";
import type { Resolution } from "../../src/sources/mod.ts";
import { fails, GitWorld } from "../support/sources/git_world.ts";
import { Proxy } from "../support/sources/proxy.ts";
import { tarOf } from "../support/sources/tar_bytes.ts";
import { readTree } from "../support/sources/trees.ts";

const TARBALL = new Uint8Array(
  gzipSync(tarOf([{ name: "package/SKILL.md", content: "x" }])),
);
const INTEGRITY = "sha512-" +
  createHash("sha512").update(TARBALL).digest("base64");

interface Dist {
  readonly tarball?: string;
  readonly integrity?: string | undefined;
  readonly shasum?: string;
}

/** A world whose server is a registry with `kit@1.0.0`. */
async function open(dist: Dist = {}): Promise<GitWorld> {
  const world = await GitWorld.open();
  const { server } = world;
  const full = {
    tarball: `${server.url}/kit/-/kit-1.0.0.tgz`,
    integrity: INTEGRITY,
    ...dist,
  };
  server.serve(
    "/kit",
    JSON.stringify({
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { dist: full } },
    }),
  );
  server.serve("/kit/-/kit-1.0.0.tgz", TARBALL);
  npmrc(world, {});
  return world;
}

function npmrc(
  world: GitWorld,
  settings: Readonly<Record<string, string>>,
): void {
  const all = { registry: world.server.url, ...settings };
  const lines = Object.entries(all).map(([k, v]) => `${k}=${v}\n`);
  Deno.writeTextFileSync(world.dir("home/.npmrc"), lines.join(""));
}

async function files(world: GitWorld, pin: Resolution) {
  return readTree(await world.fetch(pin));
}

Deno.test("a tarball that does not hash to what the registry says is refused", async () => {
  const integrity = "sha512-" + btoa("x".repeat(64));
  await using world = await open({ integrity });
  const pin = await world.resolve("npm:kit");
  const error = await fails(
    () => world.fetch(pin),
    "SOURCE_MISMATCH",
    /never changes/,
  );
  assert.ok(error.message.includes(integrity));
  assert.ok(error.message.includes(INTEGRITY));
});

Deno.test("an old package that has only a shasum is pinned by it", async () => {
  const shasum = createHash("sha1").update(TARBALL).digest("hex");
  await using world = await open({ integrity: undefined, shasum });
  const pin = await world.resolve("npm:kit");
  assert.ok(pin.kind === "npm");
  assert.match(pin.integrity, /^sha1-/);
  assert.deepEqual(await files(world, pin), { "SKILL.md": "x" });
});

Deno.test("of several hashes the strongest counts", async () => {
  const sha1 = "sha1-" + createHash("sha1").update(TARBALL).digest("base64");
  await using world = await open({ integrity: `${sha1} ${INTEGRITY}` });
  const pin = await world.resolve("npm:kit");
  assert.ok(pin.kind === "npm");
  assert.equal(pin.integrity, INTEGRITY);
});

Deno.test("the address of the default registry is replaced by that of its mirror", async () => {
  const { origin } = new URL(npmDefaults.registry);
  await using world = await open({ tarball: `${origin}/kit/-/kit-1.0.0.tgz` });
  const pin = await world.resolve("npm:kit");
  assert.deepEqual(await files(world, pin), { "SKILL.md": "x" });
});

Deno.test("a login goes to its own host and to no other, also when a tarball moves", async () => {
  await using world = await open();
  const { server } = world;
  const { host, port } = new URL(server.url);
  npmrc(world, { [`//${host}/:_authToken`]: "t0ken" });
  const logins: [string, string | null][] = [];
  const record = (path: string, response: () => Response) =>
    server.answers.set(path, (request) => {
      const { host } = new URL(request.url);
      logins.push([host, request.headers.get("authorization")]);
      return response();
    });
  const other = `https://127.0.0.1:${port}/moved.tgz`;
  record(
    "/kit/-/kit-1.0.0.tgz",
    () => new Response(null, { status: 302, headers: { location: other } }),
  );
  record("/moved.tgz", () => new Response(TARBALL));
  const pin = await world.resolve("npm:kit");
  assert.deepEqual(await files(world, pin), { "SKILL.md": "x" });
  assert.deepEqual(logins, [
    [host, "Bearer t0ken"],
    [`127.0.0.1:${port}`, null],
  ]);
});

Deno.test("a tarball without encryption, and what is no registry, are refused", async () => {
  await using world = await open({ tarball: "http://files.example/kit.tgz" });
  const pin = await world.resolve("npm:kit");
  await fails(() => world.fetch(pin), "SOURCE_REFUSED", /without encryption/);
  world.server.serve("/kit", "<html>");
  await fails(
    () => world.resolve("npm:kit"),
    "SOURCE_UNREACHABLE",
    /does not answer as an npm registry/,
  );
});

Deno.test("a proxy comes from npm's settings, else from the environment, and has exceptions", async () => {
  await using world = await open();
  await using proxy = new Proxy();
  const { port } = new URL(world.server.url);
  npmrc(world, { "https-proxy": `http://me:pw@${proxy.address}/` });
  await world.resolve("npm:kit");
  assert.deepEqual(proxy.requests, [{
    line: `CONNECT localhost:${port} HTTP/1.1`,
    login: "Basic " + btoa("me:pw"),
  }]);
  npmrc(world, {
    "https-proxy": `http://${proxy.address}/`,
    noproxy: "localhost",
  });
  await world.resolve("npm:kit");
  assert.equal(proxy.requests.length, 1);
  npmrc(world, {});
  const env = { HTTPS_PROXY: proxy.address };
  await world.resolve("npm:kit", world.context({ env }));
  assert.equal(proxy.requests.length, 2);
  const exempt = { ...env, NO_PROXY: `other,localhost:${port}` };
  await world.resolve("npm:kit", world.context({ env: exempt }));
  assert.equal(proxy.requests.length, 2);
});
