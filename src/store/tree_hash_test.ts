import { notStrictEqual, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  SAMPLE,
  type TreeSpec,
  writeTree,
} from "../../tests/support/store_world.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { compareBytes, type TreeEntry } from "./entries.ts";
import { hashEntries, hashTree } from "./tree_hash.ts";

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Four bytes for the length, then the text. */
function sized(text: string): string {
  const length = new TextEncoder().encode(text).length;
  return String.fromCharCode(0, 0, length >> 8, length & 0xff) + text;
}

Deno.test("hashTree() of an empty tree is the hash of its header", () => {
  using temp = new TempDir();
  strictEqual(hashTree(writeTree(temp.path, {})), sha256("aenv tree 1\n"));
  strictEqual(
    hashTree(writeTree(temp.path, {})),
    "2f1bb5bbbc2286c8d6aa1d7be13ea289357878017da63e3ec56b542f208d8d30",
  );
});

Deno.test("hashTree() is over kind, path and contents of each entry in order of bytes", () => {
  using temp = new TempDir();
  const root = writeTree(temp.path, {
    "b": "beta",
    "a/x": { program: "run" },
    "a-b": { link: "a/x" },
    "e": { directory: true },
  });
  strictEqual(
    hashTree(root),
    sha256(
      "aenv tree 1\n" + "d" + sized("a") + "l" + sized("a-b") + sized("a/x") +
        "x" + sized("a/x") + sha256("run") + "f" + sized("b") +
        sha256("beta") + "d" + sized("e"),
    ),
  );
});

Deno.test("hashTree() of a sample never changes", () => {
  using temp = new TempDir();
  strictEqual(
    hashTree(writeTree(temp.path, SAMPLE)),
    "49f0dfc3d82bf4953b7b1ae2e35a6b765b2eae805d28fb39d9b2f5dd572492df",
  );
});

Deno.test("hashTree() does not depend on times, owners, other permission bits, or the order of making", () => {
  using temp = new TempDir();
  const a = writeTree(`${temp.path}/a`, SAMPLE);
  const reversed = Object.fromEntries(Object.entries(SAMPLE).reverse());
  const b = writeTree(`${temp.path}/b`, reversed);
  Deno.utimeSync(`${b}/SKILL.md`, 5, 5);
  Deno.chmodSync(`${b}/SKILL.md`, 0o666);
  Deno.chmodSync(`${b}/bin/tool`, 0o700);
  Deno.chmodSync(`${b}/docs`, 0o777);
  strictEqual(hashTree(a), hashTree(b));
});

Deno.test("hashTree() is the same whatever Unicode form a file system gives names in", () => {
  using temp = new TempDir();
  const spec = (e: string): TreeSpec => ({
    [`caf${e}/men${e}.md`]: "x",
    "link": { link: `caf${e}/men${e}.md` },
  });
  const composed = writeTree(`${temp.path}/a`, spec("\u00e9"));
  const decomposed = writeTree(`${temp.path}/b`, spec("e\u0301"));
  strictEqual(hashTree(composed), hashTree(decomposed));
});

Deno.test("hashTree() tells trees apart that differ in one thing", () => {
  using temp = new TempDir();
  const variants: TreeSpec[] = [
    { "a/b": "x" },
    { "a/b": "y" },
    { "a/b": "" },
    { "a/c": "x" },
    { "ab": "x" },
    { "a/b": { program: "x" } },
    { "a/b": { link: "x" } },
    { "a/b": { link: "y" } },
    { "a/b/x": { directory: true } },
    { "a/b": { directory: true } },
    { "a": { directory: true } },
    { "a/b": "x", "c": { directory: true } },
    { "a/b": "x", "c": "" },
    { "a": "b", "b": "a" },
    { "a": "a", "b": "b" },
    { "a": "", "b": "ab" },
  ];
  const hashes = variants.map((spec, i) =>
    hashTree(writeTree(`${temp.path}/${i}`, spec))
  );
  strictEqual(new Set(hashes).size, variants.length);
});

/** Names as they come, with what encodings trip over. */
const name = fc.oneof(
  fc.constantFrom("a", "b", "a-", "a.b", "A", "ab", "é", "🎉", "\uffee", "d"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
).map((text) => text.normalize("NFC").replaceAll(/[/\0]/g, "_"));

const path = fc.array(name, { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("/"));

const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
  path.map((path) => ({ kind: "directory" as const, path })),
  fc.record({ path, target: path }).map((link) => ({
    kind: "symlink" as const,
    ...link,
  })),
  fc.record({
    path,
    text: fc.constantFrom("", "x", "d", "\0\0\0\x01a"),
    executable: fc.boolean(),
  }).map(({ path, text, executable }) => ({
    kind: "file" as const,
    path,
    executable,
    size: text.length,
    sha256: sha256(text),
  })),
);

const tree = fc.uniqueArray(entry, {
  selector: ({ path }) => path,
  maxLength: 8,
});

function canonical(entries: readonly TreeEntry[]): string {
  return JSON.stringify(
    entries.map((e) => Object.entries(e).sort()).sort((a, b) =>
      JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
    ),
  );
}

Deno.test("hashEntries() gives two trees one hash only when they are equal", () => {
  const seen = new Map<string, string>();
  const property = fc.property(tree, tree, (a, b) => {
    for (const entries of [a, b]) {
      const text = canonical(entries);
      const hash = hashEntries(entries);
      strictEqual(seen.get(hash) ?? text, text);
      seen.set(hash, text);
    }
  });
  fc.assert(property, { numRuns: 10_000 });
});

Deno.test("hashEntries() changes with any change of one entry, and with none of their order", () => {
  const property = fc.property(tree, entry, fc.nat(), (entries, other, at) => {
    const hash = hashEntries(entries);
    strictEqual(hashEntries(entries.toReversed()), hash);
    if (entries.length === 0) return;
    const changed = entries.with(at % entries.length, other);
    if (canonical(changed) === canonical(entries)) return;
    notStrictEqual(hashEntries(changed), hash);
  });
  fc.assert(property, { numRuns: 5_000 });
});

Deno.test("compareBytes() orders as the bytes of UTF-8 are ordered", () => {
  const text = fc.string({ unit: "binary", maxLength: 6 });
  const encoder = new TextEncoder();
  const property = fc.property(text, text, (a, b) => {
    const [x, y] = [encoder.encode(a), encoder.encode(b)];
    const at = x.findIndex((byte, i) => byte !== y[i]);
    const order = at < 0 || at >= y.length
      ? x.length - y.length
      : x[at]! - y[at]!;
    strictEqual(Math.sign(compareBytes(a, b)), Math.sign(order));
  });
  fc.assert(property, { numRuns: 5_000 });
});
