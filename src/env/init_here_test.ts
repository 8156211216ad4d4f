import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { type AbsPath } from "../base/paths.ts";
import { parseManifest } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import { initHere } from "./init_here.ts";

/** Makes one with the sandbox. */
function make(name: string | undefined, host: Host) {
  return initHere({ name, sandbox: true }, host);
}

const LINES = "aenv.toml text eol=lf\naenv.lock text eol=lf\n";

Deno.test("initHere() writes a manifest named after the directory, and the attributes", async () => {
  using world = new EnvWorld();
  const made = await make(undefined, world.host());
  strictEqual(made.name, "sub");
  deepStrictEqual(world.names("p/sub"), [".gitattributes", "aenv.toml"]);
  const manifest = parseManifest(world.read("p/sub/aenv.toml"), "m");
  strictEqual(manifest.name, "sub");
  strictEqual(manifest.sandbox?.enabled, true);
  strictEqual(world.read("p/sub/.gitattributes"), LINES);
  strictEqual(world.exists(".aenv/envs"), false);
});

Deno.test("initHere() writes no sandbox where none is wanted", async () => {
  using world = new EnvWorld();
  await initHere({ name: "x", sandbox: false }, world.host());
  const manifest = parseManifest(world.read("p/sub/aenv.toml"), "m");
  strictEqual(manifest.sandbox, undefined);
});

Deno.test("initHere() says when a pin beside the manifest wins", async () => {
  using world = new EnvWorld();
  const pin = world.write("p/sub/.aenv-version", "x\n");
  strictEqual((await make("mine", world.host())).shadowedBy, pin);
});

Deno.test("initHere() refuses where a manifest is, and leaves the attributes alone", async () => {
  using world = new EnvWorld();
  world.write("p/sub/aenv.toml", "mine");
  await rejects(make("x", world.host()), /it exists already/);
  deepStrictEqual(world.tree("p/sub"), { "aenv.toml": "mine" });
});

Deno.test("initHere() refuses directories that are no project", async () => {
  using world = new EnvWorld();
  world.env("e");
  const places: readonly (readonly [string, RegExp])[] = [
    ["/", /it is the root of the file system/],
    [world.home, /it is your home directory/],
    [world.path(".aenv/envs/e"), /it is inside the aenv home/],
  ];
  for (const [place, state] of places) {
    const host = world.host({}, { cwd: () => place as AbsPath });
    await rejects(make("x", host), state);
  }
});

Deno.test("initHere() asks for a name where the directory's cannot be used", async () => {
  using world = new EnvWorld();
  for (const name of ["a b", "global", ".x"]) {
    Deno.mkdirSync(world.path(name));
    const host = world.host({}, { cwd: () => world.path(name) });
    await rejects(make(undefined, host), { code: "NAME_INVALID" }, name);
    deepStrictEqual(world.names(name), []);
  }
});

Deno.test("initHere() keeps every byte of .gitattributes, and its mode", async () => {
  using world = new EnvWorld();
  const path = world.path("p/sub/.gitattributes");
  const before = new Uint8Array([0xef, 0xe9, 0x20, 0x78, 0x0d, 0x0a]);
  Deno.writeFileSync(path, before);
  Deno.chmodSync(path, 0o640);
  await make("x", world.host());
  const after = Deno.readFileSync(path);
  deepStrictEqual(after.subarray(0, before.length), before);
  strictEqual(
    new TextDecoder().decode(after.subarray(before.length)),
    LINES.replaceAll("\n", "\r\n"),
  );
  strictEqual(world.mode("p/sub/.gitattributes"), "640");
});

Deno.test("initHere() writes through a link inside the directory and refuses one that leads out", async () => {
  using world = new EnvWorld();
  const link = world.path("p/sub/.gitattributes");
  world.write("p/sub/git/attributes", "");
  Deno.symlinkSync("git/attributes", link);
  await make("x", world.host());
  strictEqual(world.read("p/sub/git/attributes"), LINES);
  Deno.removeSync(link);
  Deno.removeSync(world.path("p/sub/aenv.toml"));
  world.write("outside", "mine");
  for (const target of ["../../outside", "missing"]) {
    Deno.symlinkSync(target, link);
    await rejects(make("x", world.host()), { code: "PATH_INVALID" });
    Deno.removeSync(link);
  }
  strictEqual(world.read("outside"), "mine");
  strictEqual(world.exists("p/sub/aenv.toml"), false);
});
