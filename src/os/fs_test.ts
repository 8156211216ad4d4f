import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { runUnprivileged } from "../../tests/support/unprivileged.ts";
import { type AbsPath, join } from "../base/paths.ts";
import {
  copyFile,
  ensureDir,
  isDirectory,
  isExecutable,
  isFile,
  linkAtomic,
  lstat,
  makeDir,
  readBytes,
  readDir,
  readLink,
  readText,
  realPath,
  removeFile,
  removeTree,
  rename,
  stat,
  symlink,
  tempName,
  writeAtomic,
  writeNew,
} from "./fs.ts";
import { sameContents } from "./same_contents.ts";

/** Runs `body` in a directory of its own and removes it. */
function inTemp(body: (dir: AbsPath) => void): void {
  const dir = Deno.realPathSync(Deno.makeTempDirSync()) as AbsPath;
  try {
    body(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map((entry) => entry.name).sort();
}

Deno.test("readText() returns the text, and undefined when there is nothing", () => {
  inTemp((dir) => {
    Deno.writeTextFileSync(join(dir, "a"), "grüße\r\n");
    strictEqual(readText(join(dir, "a")), "grüße\r\n");
    strictEqual(readText(join(dir, "b")), undefined);
    strictEqual(readText(join(dir, "a", "b")), undefined);
    Deno.symlinkSync("nowhere", join(dir, "dangling"));
    strictEqual(readText(join(dir, "dangling")), undefined);
  });
});

Deno.test("readText() says what stands there instead of a text file", () => {
  inTemp((dir) => {
    const bad = join(dir, "bad");
    Deno.writeFileSync(bad, new Uint8Array([0x61, 0xff, 0xfe]));
    throws(() => readText(bad), { code: "IO", message: /not UTF-8 text/ });
    throws(() => readText(dir), { code: "IO", message: /it is a directory/ });
    throws(() => readText("/dev/null"), { message: /not a regular file/ });
    throws(() => readText(bad, 2), { message: /more than 2 bytes/ });
    Deno.symlinkSync("loop", join(dir, "loop"));
    throws(() => readText(join(dir, "loop")), {
      code: "IO",
      message: /too many levels of symbolic links/,
    });
  });
});

Deno.test("readText() does not wait for a writer of a named pipe", () => {
  inTemp((dir) => {
    const pipe = join(dir, "pipe");
    new Deno.Command("mkfifo", { args: [pipe] }).outputSync();
    throws(() => readText(pipe), { message: /not a regular file/ });
  });
});

Deno.test("writeNew() never writes over something and never through a link", () => {
  inTemp((dir) => {
    const path = join(dir, "a");
    writeNew(path, "one");
    throws(() => writeNew(path, "two"), {
      code: "IO",
      message: /Cannot write ".*": it exists already/,
    });
    strictEqual(Deno.readTextFileSync(path), "one");
    const planted = join(dir, "planted");
    Deno.symlinkSync(join(dir, "target"), planted);
    throws(() => writeNew(planted, "x"), { message: /it exists already/ });
    deepStrictEqual(names(dir), ["a", "planted"]);
  });
});

Deno.test("writeAtomic() replaces the file as a whole: an open reader keeps the old text", () => {
  inTemp((dir) => {
    const path = join(dir, "a");
    writeAtomic(path, "old");
    using reader = Deno.openSync(path);
    writeAtomic(path, new TextEncoder().encode("new text"));
    const buffer = new Uint8Array(20);
    const count = reader.readSync(buffer) ?? 0;
    strictEqual(new TextDecoder().decode(buffer.subarray(0, count)), "old");
    strictEqual(Deno.readTextFileSync(path), "new text");
    deepStrictEqual(names(dir), ["a"]);
  });
});

Deno.test("writeAtomic() replaces a planted link and leaves its target alone", () => {
  inTemp((dir) => {
    Deno.writeTextFileSync(join(dir, "target"), "precious");
    Deno.symlinkSync("target", join(dir, "a"));
    writeAtomic(join(dir, "a"), "new");
    strictEqual(Deno.readTextFileSync(join(dir, "target")), "precious");
    strictEqual(lstat(join(dir, "a"))?.kind, "file");
  });
});

Deno.test("writeAtomic() leaves no temporary file when it fails", () => {
  inTemp((dir) => {
    const path = join(dir, "taken");
    Deno.mkdirSync(join(path, "x"), { recursive: true });
    throws(() => writeAtomic(path, "x"), { code: "IO", message: /taken/ });
    deepStrictEqual(names(dir), ["taken"]);
    throws(() => writeAtomic(join(dir, "no", "x"), "x"), {
      code: "IO",
      message: /it does not exist/,
    });
  });
});

Deno.test("linkAtomic() makes a link and replaces what is there, also a link", () => {
  inTemp((dir) => {
    const path = join(dir, "link");
    linkAtomic(path, "one");
    linkAtomic(path, "two");
    strictEqual(readLink(path), "two");
    const file = join(dir, "file");
    Deno.writeTextFileSync(file, "x");
    linkAtomic(file, "three");
    strictEqual(readLink(file), "three");
    deepStrictEqual(names(dir), ["file", "link"]);
  });
});

Deno.test("symlink() makes a new link and never replaces anything", () => {
  inTemp((dir) => {
    symlink(join(dir, "link"), "nowhere");
    strictEqual(readLink(join(dir, "link")), "nowhere");
    throws(() => symlink(join(dir, "link"), "other"), {
      code: "IO",
      message: /it exists already/,
    });
    strictEqual(readLink(join(dir, "link")), "nowhere");
  });
});

Deno.test("ensureDir() leaves an existing directory and its mode alone", () => {
  inTemp((dir) => {
    const path = join(dir, "a");
    Deno.mkdirSync(path);
    Deno.chmodSync(path, 0o755);
    ensureDir(path);
    strictEqual(stat(path)?.mode, 0o755);
    ensureDir(join(path, "b", "c"));
    strictEqual(stat(join(path, "b", "c"))?.mode, 0o700);
  });
});

Deno.test("ensureDir() fails when something else is in the way", () => {
  inTemp((dir) => {
    Deno.writeTextFileSync(join(dir, "file"), "");
    throws(() => ensureDir(join(dir, "file")), { message: /in the way/ });
    throws(() => ensureDir(join(dir, "file", "x")), { code: "IO" });
    Deno.symlinkSync("nowhere", join(dir, "dangling"));
    throws(() => ensureDir(join(dir, "dangling")), { code: "IO" });
  });
});

Deno.test("makeDir() tells whether it made the directory", () => {
  inTemp((dir) => {
    const path = join(dir, "a");
    strictEqual(makeDir(path), true);
    strictEqual(makeDir(path, { mayExist: true }), false);
    throws(() => makeDir(path), { code: "IO", message: /it exists already/ });
  });
});

Deno.test("readDir() lists by name with kinds, links not followed", () => {
  inTemp((dir) => {
    Deno.mkdirSync(join(dir, "c"));
    Deno.writeTextFileSync(join(dir, "b"), "");
    Deno.symlinkSync("c", join(dir, "a"));
    deepStrictEqual(readDir(dir), [
      { name: "a", kind: "symlink" },
      { name: "b", kind: "file" },
      { name: "c", kind: "directory" },
    ]);
    strictEqual(readDir(join(dir, "none")), undefined);
    strictEqual(readDir(join(dir, "b")), undefined);
  });
});

Deno.test("removeTree() removes links in a tree and not what they lead to", () => {
  inTemp((dir) => {
    Deno.mkdirSync(join(dir, "precious"));
    Deno.writeTextFileSync(join(dir, "precious", "x"), "");
    Deno.mkdirSync(join(dir, "tree"));
    Deno.symlinkSync("../precious", join(dir, "tree", "link"));
    Deno.symlinkSync("precious", join(dir, "link"));
    removeTree(join(dir, "tree"));
    removeTree(join(dir, "link"));
    removeTree(join(dir, "none"));
    deepStrictEqual(names(dir), ["precious"]);
    deepStrictEqual(names(join(dir, "precious")), ["x"]);
  });
});

Deno.test("removeTree() removes directories that cannot be written", async () => {
  const dir = Deno.realPathSync(Deno.makeTempDirSync()) as AbsPath;
  Deno.mkdirSync(join(dir, "tree", "sub", "deep"), { recursive: true });
  Deno.writeTextFileSync(join(dir, "tree", "sub", "file"), "x");
  Deno.mkdirSync(join(dir, "outside"), { mode: 0o500 });
  Deno.symlinkSync("../../outside", join(dir, "tree", "sub", "link"));
  for (const name of ["tree/sub/deep", "tree/sub", "tree", "outside"]) {
    Deno.chmodSync(join(dir, name), 0o500);
  }
  const module = new URL("./fs.ts", import.meta.url).href;
  const script = `
    import { removeTree } from ${JSON.stringify(module)};
    removeTree(Deno.args[0] + "/tree");
  `;
  await runUnprivileged(script, dir, [dir]);
  deepStrictEqual(names(dir), ["outside"]);
  strictEqual(lstat(join(dir, "outside"))?.mode, 0o500);
  Deno.removeSync(dir, { recursive: true });
});

Deno.test("removeFile() is silent when there is nothing", () => {
  inTemp((dir) => {
    removeFile(join(dir, "none"));
    Deno.writeTextFileSync(join(dir, "a"), "");
    removeFile(join(dir, "a"));
    deepStrictEqual(names(dir), []);
  });
});

Deno.test("rename() and copyFile() name the file in their errors", () => {
  inTemp((dir) => {
    const none = join(dir, "none");
    throws(() => rename(none, join(dir, "x")), {
      message: /Cannot move ".*none/,
    });
    throws(() => copyFile(none, join(dir, "x")), {
      message: /Cannot copy ".*none/,
    });
  });
});

Deno.test("copyFile() sets the mode that it is told, not the source's", () => {
  inTemp((dir) => {
    const from = join(dir, "a");
    Deno.writeTextFileSync(from, "x");
    Deno.chmodSync(from, 0o444);
    copyFile(from, join(dir, "b"));
    strictEqual(stat(join(dir, "b"))?.mode, 0o600);
    copyFile(from, join(dir, "c"), 0o700);
    strictEqual(stat(join(dir, "c"))?.mode, 0o700);
  });
});

Deno.test("stat() follows links and lstat() does not", () => {
  inTemp((dir) => {
    Deno.writeTextFileSync(join(dir, "a"), "four");
    Deno.symlinkSync("a", join(dir, "link"));
    const [file, link] = [stat(join(dir, "link")), lstat(join(dir, "link"))];
    strictEqual(file?.kind, "file");
    strictEqual(file?.size, 4);
    strictEqual(file?.ino, stat(join(dir, "a"))?.ino);
    strictEqual(link?.kind, "symlink");
    strictEqual(isFile(join(dir, "link")), true);
    strictEqual(isDirectory(join(dir, "link")), false);
    strictEqual(stat(join(dir, "none")), undefined);
  });
});

Deno.test("realPath() resolves links, and knows dangling ones from loops", () => {
  inTemp((dir) => {
    Deno.mkdirSync(join(dir, "a"));
    Deno.symlinkSync("a", join(dir, "link"));
    Deno.symlinkSync("nowhere", join(dir, "dangling"));
    Deno.symlinkSync("loop", join(dir, "loop"));
    strictEqual(realPath(join(dir, "link")), join(dir, "a"));
    strictEqual(realPath(join(dir, "dangling")), undefined);
    throws(() => realPath(join(dir, "loop")), { code: "IO" });
  });
});

Deno.test("readLink() returns the target of a link only", () => {
  inTemp((dir) => {
    Deno.writeTextFileSync(join(dir, "a"), "");
    strictEqual(readLink(join(dir, "a")), undefined);
    strictEqual(readLink(join(dir, "none")), undefined);
  });
});

Deno.test("isExecutable() wants a file with an execute bit", () => {
  inTemp((dir) => {
    const path = join(dir, "a");
    Deno.writeTextFileSync(path, "");
    Deno.chmodSync(path, 0o644);
    strictEqual(isExecutable(path), false);
    Deno.chmodSync(path, 0o755);
    strictEqual(isExecutable(path), true);
    strictEqual(isExecutable(dir), false);
    strictEqual(isExecutable(join(dir, "none")), false);
  });
});

Deno.test("sameContents() compares bytes across block borders", () => {
  inTemp((dir) => {
    const [a, b] = [join(dir, "a"), join(dir, "b")];
    const bytes = new Uint8Array((1 << 20) + 10);
    Deno.writeFileSync(a, bytes);
    Deno.writeFileSync(b, bytes);
    strictEqual(sameContents(a, b), true);
    bytes[bytes.length - 1] = 1;
    Deno.writeFileSync(b, bytes);
    strictEqual(sameContents(a, b), false);
    Deno.writeFileSync(b, bytes.subarray(0, 1 << 20));
    strictEqual(sameContents(a, b), false);
    strictEqual(sameContents(a, join(dir, "none")), false);
    strictEqual(sameContents(join(dir, "none"), a), false);
  });
});

Deno.test("readBytes() returns the bytes as they are", () => {
  inTemp((dir) => {
    Deno.writeFileSync(join(dir, "a"), new Uint8Array([0, 255, 10]));
    deepStrictEqual(readBytes(join(dir, "a")), new Uint8Array([0, 255, 10]));
    strictEqual(readBytes(join(dir, "none")), undefined);
  });
});

Deno.test("readBytes() refuses what is no regular file", {
  ignore: Deno.build.os === "windows",
}, () => {
  inTemp((dir) => {
    const fifo = join(dir, "fifo");
    new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
    throws(() => readBytes(fifo), /it is not a regular file/);
    throws(() => readBytes("/dev/zero"), /it is not a regular file/);
  });
});

Deno.test("tempName() gives names that sort out and do not repeat", () => {
  const all = new Set(Array.from({ length: 100 }, tempName));
  strictEqual(all.size, 100);
  ok([...all].every((name) => name.startsWith(".tmp-")));
});
