import assert from "node:assert/strict";
import "../../tests/support/open_libc.ts";
import { TempDir } from "../../tests/support/temp.ts";
import type { AbsPath } from "../base/paths.ts";
import { closeDescriptor } from "./fds.ts";
import { holdFile, makeHeld } from "./held_file.ts";
import { isAlive } from "./lock.ts";

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "makeHeld() makes a file that is held until its descriptor is closed",
  linux,
  () => {
    using dir = new TempDir();
    const path = `${dir.path}/file` as AbsPath;
    const fd = makeHeld(dir.path, "file")!;
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    assert.equal(isAlive(path), true);
    assert.equal(makeHeld(dir.path, "file"), undefined);
    assert.equal(makeHeld(`${dir.path}/missing`, "file"), undefined);
    closeDescriptor(fd);
    assert.equal(isAlive(path), false);
  },
);

Deno.test(
  "holdFile() lists the directory and reads another file",
  linux,
  () => {
    using dir = new TempDir();
    Deno.writeTextFileSync(`${dir.path}/other`, "what it holds");
    const options = { dir: dir.path, name: "own", reads: `${dir.path}/other` };
    const { fd, names, bytes } = holdFile({ ...options, maxBytes: 100 })!;
    assert.deepEqual([...names!].sort(), ["other", "own"]);
    assert.equal(new TextDecoder().decode(bytes), "what it holds");
    closeDescriptor(fd);
  },
);

Deno.test(
  "holdFile() says nothing of what is too much, or not there",
  linux,
  () => {
    using dir = new TempDir();
    for (let i = 0; i < 100; i++) {
      Deno.writeTextFileSync(`${dir.path}/${"x".repeat(100)}${i}`, "text");
    }
    const reads = `${dir.path}/${"x".repeat(100)}1`;
    for (
      const [name, path, maxBytes] of [["a", reads, 3], [
        "b",
        "/no/such",
        9,
      ]] as const
    ) {
      const options = { dir: dir.path, name, reads: path, maxBytes };
      const { fd, names, bytes } = holdFile(options)!;
      assert.equal(names, undefined);
      assert.equal(bytes, undefined);
      assert.equal(isAlive(`${dir.path}/${name}` as AbsPath), true);
      closeDescriptor(fd);
    }
  },
);
