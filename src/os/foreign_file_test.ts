import assert from "node:assert/strict";
import "../../tests/support/open_libc.ts";
import { TempDir } from "../../tests/support/temp.ts";
import type { AbsPath } from "../base/paths.ts";
import { readForeign, readForeignText } from "./foreign_file.ts";

const unix = { ignore: Deno.build.os === "windows" };

class Place extends TempDir {
  at(name: string): AbsPath {
    return `${this.path}/${name}` as AbsPath;
  }

  write(name: string, text: string): AbsPath {
    const path = this.at(name);
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(path, text);
    return path;
  }

  text(name: string, maxBytes = 100): string | undefined {
    const below = this.path as AbsPath;
    return readForeignText(this.at(name), { below, maxBytes });
  }
}

Deno.test("readForeign() reads a file, and a large one as far as it is asked to", () => {
  using place = new Place();
  const path = place.write("a/b", "0123456789");
  assert.equal(place.text("a/b"), "0123456789");
  assert.equal(place.text("a/b", 10), "0123456789");
  assert.throws(() => place.text("a/b", 9), /it has more than 9 bytes/);
  const end = readForeign(path, { maxBytes: 3, tail: true });
  assert.equal(new TextDecoder().decode(end), "789");
  Deno.writeFileSync(path, new Uint8Array([0xff]));
  assert.throws(() => place.text("a/b"), /it is not UTF-8 text/);
  assert.equal(place.text("a/missing"), undefined);
  assert.equal(place.text("missing/b"), undefined);
  assert.equal(place.text("a/b/c"), undefined);
});

Deno.test(
  "readForeign() follows no link below the directory, and any that leads to it",
  unix,
  () => {
    using place = new Place();
    place.write("out/secret", "secret");
    place.write("in/file", "file");
    Deno.symlinkSync("../out/secret", place.at("in/link"));
    Deno.symlinkSync("../out", place.at("in/dir"));
    Deno.symlinkSync("in", place.at("way"));
    const below = place.at("in");
    const read = (path: AbsPath) =>
      readForeignText(path, { below, maxBytes: 100 });
    assert.equal(read(place.at("in/file")), "file");
    assert.throws(() => read(place.at("in/link")), /Cannot read/);
    assert.equal(read(place.at("in/dir/secret")), undefined);
    const through = place.at("way/file");
    const options = { below: place.at("way"), maxBytes: 100 };
    assert.equal(readForeignText(through, options), "file");
    assert.throws(() => read(place.at("out/secret")), RangeError);
  },
);

Deno.test(
  "readForeign() neither waits for pipes nor reads devices and directories",
  unix,
  () => {
    using place = new Place();
    const fifo = place.at("fifo");
    new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
    assert.throws(() => place.text("fifo"), /it is not a regular file/);
    Deno.mkdirSync(place.at("dir"));
    assert.throws(() => place.text("dir"), /Cannot read/);
    assert.throws(
      () => readForeign("/dev/zero" as AbsPath, { maxBytes: 10, tail: true }),
      /it is not a regular file/,
    );
  },
);

const SWAPPER = `
import os, sys
file, pipe, place = sys.argv[1:]
print("ready", flush=True)
while True:
    for kind in (file, pipe):
        os.link(kind, place + ".new")
        os.rename(place + ".new", place)
        if os.path.exists(place + ".new"): os.unlink(place + ".new")
`;

Deno.test(
  "readForeign() comes back when a pipe takes the file's place again and again",
  {
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    using place = new Place();
    const [file, pipe] = [place.write("kept", "text"), place.at("pipe")];
    new Deno.Command("mkfifo", { args: [pipe] }).outputSync();
    await using swapper = new Deno.Command("python3", {
      args: ["-c", SWAPPER, file, pipe, place.at("file")],
      stdout: "piped",
    }).spawn();
    const reader = swapper.stdout.getReader();
    await reader.read();
    const seen = new Set<string>();
    const deadline = Date.now() + 20_000;
    while (seen.size < 2 && Date.now() < deadline) {
      try {
        seen.add(place.text("file") ?? "");
      } catch (error) {
        seen.add((error as Error).message.replace(/.*: /, ""));
      }
      seen.delete("");
    }
    await reader.cancel();
    assert.deepEqual([...seen].sort(), ["it is not a regular file", "text"]);
  },
);
