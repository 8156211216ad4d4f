import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import fc from "fast-check";
import {
  type Notation,
  POSIX,
  split,
  unsplit,
  way,
  WINDOWS,
} from "./path_words.ts";

const RUNS = { numRuns: 3000 };

function words(separators: string, roots: readonly string[]) {
  const piece = fc.constantFrom(
    "a",
    "b c",
    "..",
    ".",
    "ä",
    "c:",
    "x.y",
    "-",
    "",
  );
  const separator = fc.constantFrom(...separators.split(" "));
  return fc.tuple(
    fc.constantFrom(...roots),
    fc.array(fc.tuple(piece, separator), { maxLength: 8 }),
  ).map(([root, pieces]) => root + pieces.flat().join(""));
}

const posixPaths = words("/ // ///", ["/"]);
const windowsPaths = words("\\ / \\\\", ["C:\\", "d:/", "\\\\host\\share\\"]);

function normalised(path: string, notation: Notation): string {
  return unsplit(split(path, notation)!, notation);
}

Deno.test("split() and unsplit() normalise as node:path does", () => {
  fc.assert(
    fc.property(posixPaths, (path) => {
      assert.equal(normalised(path, POSIX), posix.resolve(path));
    }),
    RUNS,
  );
  fc.assert(
    fc.property(windowsPaths, (path) => {
      assert.equal(normalised(path, WINDOWS), win32.resolve(path));
    }),
    RUNS,
  );
});

Deno.test("way() leads from one path to the other as node:path has it", () => {
  fc.assert(
    fc.property(posixPaths, posixPaths, (base, path) => {
      assert.equal(
        way(split(base, POSIX)!, split(path, POSIX)!, POSIX),
        posix.relative(base, path),
      );
    }),
    RUNS,
  );
});

Deno.test("split() knows an absolute path when it sees one", () => {
  for (const path of ["a", "./a", "../a", "~/a", "", "C:\\a"]) {
    assert.equal(split(path, POSIX), undefined, path);
  }
  for (const path of ["a", "\\a", "C:a", "C:", "\\\\host", ""]) {
    assert.equal(split(path, WINDOWS), undefined, path);
  }
});
