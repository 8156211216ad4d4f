/** Tar files that nobody thought of. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { SourceWorld } from "../../../tests/support/sources/context.ts";
import {
  paxPart,
  tarOf,
  type TarPart,
} from "../../../tests/support/sources/tar_bytes.ts";
import { readTree } from "../../../tests/support/sources/trees.ts";
import { AppError } from "../../base/errors.ts";
import { LIMITS } from "../mod.ts";
import { type TarEntry, TarReader } from "./tar.ts";
import { unpackArchive } from "./unpack.ts";

class Refusal extends Error {}

/** What an entry says, with its content as text. */
interface Read extends Pick<TarEntry, "path" | "kind" | "target"> {
  readonly content: string;
}

/** Reads an archive in pieces of these sizes, again and again. Throws a {@link Refusal}. */
function readTar(bytes: Uint8Array, sizes: readonly number[]): Read[] {
  const found: Read[] = [];
  let content: number[] | undefined;
  let size = 0;
  const reader = new TarReader({
    entry: ({ path, kind, target, size: wanted }) => {
      strictEqual(content, undefined, "the last file was closed");
      found.push({ path, kind, target, content: "" });
      if (kind === "file") [content, size] = [[], wanted];
    },
    content: (part) => content!.push(...part),
    close: () => {
      strictEqual(content!.length, size, "all that was announced");
      const text = new TextDecoder().decode(Uint8Array.from(content!));
      found.push({ ...found.pop()!, content: text });
      content = undefined;
    },
    refuse: (state) => {
      throw new Refusal(state);
    },
  });
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = sizes[i % sizes.length]!;
    reader.push(bytes.subarray(at, at + length));
    at += length;
  }
  reader.end();
  return found;
}

const PIECES = fc.array(fc.integer({ min: 1, max: 2000 }), {
  minLength: 1,
  maxLength: 4,
});
const NAME = fc.array(
  fc.constantFrom("a", "b", "ä", "c.md", "x".repeat(40), "日本", " ", "-"),
  { minLength: 1, maxLength: 5 },
).map((parts) => parts.join("/"));
const CONTENT = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.integer({ min: 0, max: 1500 }).map((n) => "z".repeat(n)),
);
const ENTRY: fc.Arbitrary<Read> = fc.oneof(
  fc.record({
    path: NAME,
    kind: fc.constant("file" as const),
    target: fc.constant(""),
    content: CONTENT,
  }, { noNullPrototype: true }),
  fc.record({
    path: NAME,
    kind: fc.constant("directory" as const),
    target: fc.constant(""),
    content: fc.constant(""),
  }, { noNullPrototype: true }),
  fc.record({
    path: NAME,
    kind: fc.constantFrom("symlink" as const, "hardlink" as const),
    target: NAME,
    content: fc.constant(""),
  }, { noNullPrototype: true }),
);
const TYPES = { file: "0", directory: "5", symlink: "2", hardlink: "1" };

/** One entry in one of the ways to write it; long names need one of the others. */
function partsOf(
  { path, kind, target, content }: Read,
  way: number,
): TarPart[] {
  const part = { name: path, type: TYPES[kind], target, content };
  const isLong = [path, target].some((text) =>
    new TextEncoder().encode(text).length > 100
  );
  if (way === 0 && !isLong) return [part];
  const short = { ...part, name: "short", target: "" };
  if (way === 1) return [paxPart({ path, linkpath: target }), short];
  const long = (type: string, text: string): TarPart => ({
    name: "././@LongLink",
    type,
    content: text + "\0",
  });
  return [long("L", path), long("K", target), short];
}

Deno.test("TarReader reads what was written, in each of the ways to write a name, whatever the pieces", () => {
  const entries = fc.array(fc.tuple(ENTRY, fc.nat(2)), { maxLength: 6 });
  const property = fc.property(entries, PIECES, (list, pieces) => {
    const bytes = tarOf(list.flatMap(([entry, way]) => partsOf(entry, way)));
    deepStrictEqual(readTar(bytes, pieces), list.map(([entry]) => entry));
  });
  fc.assert(property, { numRuns: 10_000 });
});

Deno.test("TarReader refuses damage, or reads it as another archive; it never breaks, and never reads past the end", () => {
  const entries = fc.array(fc.tuple(ENTRY, fc.nat(2)), {
    minLength: 1,
    maxLength: 4,
  });
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    maxLength: 4,
  });
  const cut = fc.option(fc.nat(), { nil: undefined });
  let refused = 0;
  const damage = fc.property(entries, flips, cut, (list, changes, end) => {
    const whole = tarOf(list.flatMap(([entry, way]) => partsOf(entry, way)));
    for (const [at, change] of changes) whole[at % whole.length]! ^= change;
    const bytes = end === undefined
      ? whole
      : whole.subarray(0, end % whole.length);
    try {
      readTar(bytes, [512]);
    } catch (error) {
      ok(error instanceof Refusal, String(error));
      refused++;
    }
  });
  fc.assert(damage, { numRuns: 10_000 });
  ok(refused > 5_000, `${refused} refused`);
});

Deno.test("TarReader notices every changed bit of a header", () => {
  // The sum itself has eight bytes, in which a space says as much as a zero.
  const index = fc.nat(511).filter((at) => at < 148 || at >= 156);
  const header = fc.property(
    ENTRY,
    index,
    fc.nat(7),
    (entry, at, bit) => {
      const bytes = tarOf(partsOf(entry, 1));
      bytes[at]! ^= 1 << bit;
      throws(() => readTar(bytes, [512]), Refusal);
    },
  );
  fc.assert(header, { numRuns: 5_000 });
});

/** Whether two paths begin alike but for upper and lower case. */
function differInCase(a: string, b: string): boolean {
  const [as, bs] = [a.split("/"), b.split("/")];
  const first = as.findIndex((part, i) => part !== bs[i]);
  return as[first]?.toLowerCase() === bs[first]?.toLowerCase();
}

/** What the files on the disk must be, or undefined where something has to be refused. */
function expected(
  files: readonly (readonly [string, string])[],
): Record<string, string> | undefined {
  const tree: Record<string, string> = {};
  for (const [name, content] of files) {
    const path = name.replace(/^\.\//, "");
    const parts = path.split("/");
    const isBad = path === "" || path.startsWith("/") ||
      parts.some((part) => ["", ".", ".."].includes(part)) ||
      /^[A-Za-z]:|\\/.test(path);
    const clashes = Object.keys(tree).some((other) =>
      other === path || other.startsWith(path + "/") ||
      path.startsWith(other + "/") || differInCase(other, path)
    );
    if (isBad || clashes) return undefined;
    tree[path] = content;
  }
  return tree;
}

Deno.test("unpackArchive() writes just the files of an archive, or refuses it and writes nothing outside", async () => {
  using world = new SourceWorld();
  const part = fc.constantFrom("a", "b", "..", ".", "", "c\\d", "A", "e:f");
  const path = fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom("a", "b", "c") }, part),
    {
      minLength: 1,
      maxLength: 4,
    },
  ).map((parts) => parts.join("/"));
  const files = fc.uniqueArray(fc.tuple(path, fc.constantFrom("1", "two")), {
    maxLength: 5,
    selector: ([name]) => name,
  });
  const options = { what: "x", limits: LIMITS, signal: undefined };
  const archive = world.dir("archive");
  const names = () =>
    [...Deno.readDirSync(world.root)].map((e) => e.name).sort();
  const property = fc.asyncProperty(files, async (list) => {
    const parts = list.map(([name, content]) => ({ name, content }));
    Deno.writeFileSync(archive, gzipSync(tarOf(parts)));
    const into = world.fresh();
    const before = names();
    const tree = expected(list);
    try {
      await unpackArchive(archive, into, options);
      deepStrictEqual(readTree(into), sorted(tree));
    } catch (error) {
      ok(error instanceof AppError && tree === undefined, String(error));
    }
    deepStrictEqual(names(), before);
    Deno.removeSync(into, { recursive: true });
  });
  await fc.assert(property, { numRuns: 1_000 });
});

function sorted(
  tree: Record<string, string> | undefined,
): Record<string, string> | undefined {
  return tree && Object.fromEntries(Object.entries(tree).sort());
}
