import assert from "node:assert/strict";
import { CopyBuffers } from "./copy_buffers.ts";

const SMALL = 32 * 1024;
const LARGE = 1024 * 1024;

/** A buffer after many reads that filled it. */
function grown(buffers: CopyBuffers) {
  const buffer = buffers.open();
  for (let count = 0; count < 10; count++) {
    buffer.adapt(buffer.first(Infinity).length, Infinity);
  }
  return buffer;
}

Deno.test("a copy's buffer grows while reads fill it, and shrinks when they do not any more", () => {
  using buffer = new CopyBuffers().open();
  assert.equal(buffer.first(Infinity).length, SMALL);
  buffer.adapt(SMALL - 1, Infinity);
  assert.equal(buffer.first(Infinity).length, SMALL);
  const sizes = Array.from({ length: 5 }, () => {
    buffer.adapt(buffer.first(Infinity).length, Infinity);
    return buffer.first(Infinity).length;
  });
  assert.deepEqual(sizes, [4 * SMALL, 16 * SMALL, LARGE, LARGE, LARGE]);
  buffer.adapt(1, Infinity);
  assert.equal(buffer.first(Infinity).length, SMALL);
});

Deno.test("a copy's buffer is not larger than what is left", () => {
  using buffer = new CopyBuffers().open();
  assert.equal(buffer.first(100).length, 100);
  buffer.adapt(40, 60);
  assert.equal(buffer.first(60).length, 60);
});

Deno.test("large buffers are few, and given back", () => {
  const buffers = new CopyBuffers();
  const all = Array.from({ length: 100 }, () => grown(buffers));
  const bytes = all.map((buffer) => buffer.first(Infinity).length);
  const sum = bytes.reduce((a, b) => a + b);
  assert.ok(sum <= 36 * LARGE, `${sum}`);
  // Who comes late still has one.
  assert.equal(bytes.at(-1), SMALL);
  for (const buffer of all) buffer[Symbol.dispose]();
  using again = grown(buffers);
  assert.equal(again.first(Infinity).length, LARGE);
});

Deno.test("a large buffer that was given back is the next one's, but not one that a call may still use", () => {
  const buffers = new CopyBuffers();
  const memory = (buffer: ReturnType<typeof grown>) =>
    buffer.first(Infinity).buffer;
  const first = grown(buffers);
  const shared = memory(first);
  first.shrink();
  const second = grown(buffers);
  assert.equal(memory(second), shared);
  second[Symbol.dispose]();
  using third = grown(buffers);
  assert.notEqual(memory(third), shared);
});

Deno.test("of large buffers that were given back few are kept", () => {
  const buffers = new CopyBuffers();
  const all = Array.from({ length: 20 }, () => grown(buffers));
  const old = new Set(all.map((buffer) => buffer.first(Infinity).buffer));
  for (const buffer of all) buffer.shrink();
  const next = Array.from({ length: 20 }, () => grown(buffers));
  const again = next.filter((buffer) => old.has(buffer.first(Infinity).buffer));
  assert.ok(again.length > 0 && again.length <= 4, `${again.length}`);
});
