import assert from "node:assert/strict";
import { errno, isAbsent, libc } from "./libc.ts";

const ELOOP = Deno.build.os === "darwin" ? 62 : 40;

Deno.test("isAbsent() never takes what cannot be looked at for absent", () => {
  const dir = Deno.makeTempDirSync();
  Deno.symlinkSync("loop", `${dir}/loop`);
  Deno.symlinkSync("nowhere", `${dir}/dangling`);
  let garbage: unknown[] = [];
  for (let i = 0; i < 50_000; i++) {
    // Leaves another errno behind, and gives the collector work.
    assert.equal(isAbsent(`${dir}/absent`, { follow: true }), true);
    assert.equal(isAbsent(`${dir}/loop/file`, { follow: true }), false);
    garbage.push([i]);
    if (garbage.length > 1000) garbage = [];
  }
  assert.equal(isAbsent(`${dir}/dangling`, { follow: true }), true);
  assert.equal(isAbsent(`${dir}/dangling`, { follow: false }), false);
  assert.equal(isAbsent(`${dir}/loop`, { follow: false }), false);
  assert.equal(isAbsent(`${dir}/a\0b`, { follow: false }), false);
});

Deno.test("errno() is that of the call before it", () => {
  const dir = Deno.makeTempDirSync();
  Deno.symlinkSync("loop", `${dir}/loop`);
  const path = new TextEncoder().encode(`${dir}/loop/x\0`);
  const here = Deno.build.os === "darwin" ? -2 : -100;
  assert.equal(libc().faccessat(here, path, 0, 0), -1);
  assert.equal(errno(), ELOOP);
});
