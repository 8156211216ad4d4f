import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { bundle } from "./build/bundle.ts";
import { elfLength } from "./build/elf.ts";
import {
  checkIntegrity,
  checkSha256,
  obtainPinned,
  type PinnedFile,
} from "./build/pinned.ts";
import { capture, repositoryRoot, ScriptError } from "./support/script.ts";

const IMAGE_BYTES = 64 + 2 * 40;

/** An ELF header that announces two section entries directly behind it, then `tail` more bytes. */
function elfWithTail(tail: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IMAGE_BYTES + tail);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0x28, 64n, true);
  view.setUint16(0x3a, 40, true);
  view.setUint16(0x3c, 2, true);
  return bytes;
}

Deno.test("elfLength() finds the end of the image when a program is appended", () => {
  assert.equal(elfLength(elfWithTail(1000)), IMAGE_BYTES);
  assert.equal(elfLength(elfWithTail(0)), IMAGE_BYTES);
});

if (Deno.build.os === "linux") {
  Deno.test("elfLength() agrees with the runtime that runs this test", () => {
    const bytes = Deno.readFileSync(Deno.execPath());
    assert.equal(elfLength(bytes), bytes.length);
  });
}

Deno.test("elfLength() refuses what is not a whole 64-bit ELF file", () => {
  const truncated = elfWithTail(0).subarray(0, IMAGE_BYTES - 1);
  const of32Bits = elfWithTail(0);
  of32Bits[4] = 1;
  for (const bytes of [new Uint8Array(100), truncated, of32Bits]) {
    assert.throws(() => elfLength(bytes), ScriptError);
  }
});

Deno.test("checkSha256() and checkIntegrity() refuse a single flipped bit", () => {
  const bytes = elfWithTail(100);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const integrity = "sha512-" +
    createHash("sha512").update(bytes).digest("base64");
  const options = { label: "x" };
  checkSha256(bytes, sha256, options);
  checkIntegrity(bytes, integrity, options);
  bytes[150]! ^= 1;
  assert.throws(() => checkSha256(bytes, sha256, options), /its SHA-256 is/);
  assert.throws(
    () => checkIntegrity(bytes, integrity, options),
    /its integrity is/,
  );
});

Deno.test("obtainPinned() refuses a cached file that was changed", async () => {
  const directory = await Deno.makeTempDir();
  const path = join(directory, "runtime");
  const pinned: PinnedFile = {
    npmPackage: "no-such-package@0.0.0",
    integrity: "sha512-none",
    member: "package/none",
    sha256: createHash("sha256").update("good").digest("hex"),
  };
  try {
    await Deno.writeTextFile(path, "good");
    assert.equal(await obtainPinned(pinned, path), path);
    await Deno.writeTextFile(path, "goof");
    await assert.rejects(obtainPinned(pinned, path), /its SHA-256 is/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Bundles one source text and returns the directory listing with contents. */
async function bundleText(source: string): Promise<Map<string, string>> {
  const work = await Deno.makeTempDir();
  try {
    for (const name of ["packages", "out"]) await Deno.mkdir(join(work, name));
    await Deno.writeTextFile(join(work, "entry.ts"), source);
    await Deno.writeTextFile(join(work, "lazy.ts"), "export const late = 1;");
    await bundle(join(work, "entry.ts"), {
      root: repositoryRoot(),
      packagesDir: join(work, "packages"),
      outDir: join(work, "out"),
      constants: { __AENV_VERSION__: "9.8.7" },
    });
    const files = new Map<string, string>();
    for await (const { name } of Deno.readDir(join(work, "out"))) {
      files.set(name, await Deno.readTextFile(join(work, "out", name)));
    }
    return files;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

Deno.test("bundle() refuses an import() of a computed name", async () => {
  const computed = "const name = Deno.args[0]!; await import(name);";
  await assert.rejects(bundleText(computed), /entry\.ts:1:.*string literal/);
  const template = "const n = Deno.args[0]; await import(`./${n}.ts`);";
  await assert.rejects(bundleText(template), ScriptError);
});

Deno.test("bundle() splits at a literal import(), bundles npm code and writes the constants", async () => {
  const files = await bundleText(`
    declare const __AENV_VERSION__: string | undefined;
    import semver from "semver";
    import { readFileSync } from "fs";
    const version = typeof __AENV_VERSION__ === "string" ? __AENV_VERSION__ : "dev";
    const { late } = await import("./lazy.ts");
    console.log(semver.satisfies(version, "9.x"), version, late, typeof readFileSync);
  `);
  assert.ok(files.size >= 2, [...files.keys()].join(" "));
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of files) {
      await Deno.writeTextFile(join(directory, name), text);
    }
    const run = await capture(Deno.execPath(), [
      "run",
      "--no-config",
      "--no-npm",
      join(directory, "main.js"),
    ], { env: { NO_COLOR: "1" } });
    assert.equal(run.stdout, "true 9.8.7 1 function\n", run.stderr);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
