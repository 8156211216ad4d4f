import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  type AbsPath,
  ancestors,
  basename,
  isBelow,
  isWithin,
  join,
  parseAbsPath,
  resolveFrom,
  tilde,
} from "./paths.ts";

const ROOT = parseAbsPath("/", "x");

Deno.test("parseAbsPath() normalises an absolute path", () => {
  strictEqual(parseAbsPath("/a//b/./c/../d/", "x"), "/a/b/d");
  strictEqual(parseAbsPath("/..", "x"), "/");
});

Deno.test("parseAbsPath() refuses relative paths, the empty one and NUL, naming what it was for", () => {
  for (const text of ["", "a", "./a", "~/a", "/a\0b"]) {
    throws(() => parseAbsPath(text, "$AENV_HOME"), {
      code: "PATH_INVALID",
      message: /Cannot use ".*" for "\$AENV_HOME": it is not an absolute path/,
    });
  }
});

Deno.test("isWithin() compares components, not text", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["/a", "/a", true],
    ["/a/", "/a", true],
    ["/a/b", "/a", true],
    ["/ab", "/a", false],
    ["/a-b/c", "/a", false],
    ["/", "/a", false],
    ["/a/..b", "/a", true],
    ["/a/../b", "/a", false],
    ["/a/..", "/a", false],
    ["/a", "/", true],
  ];
  for (const [path, base, expected] of cases) {
    strictEqual(isWithin(path, base), expected, `${path} in ${base}`);
  }
});

Deno.test("isBelow() is isWithin() without the directory itself", () => {
  strictEqual(isBelow("/a", "/a"), false);
  strictEqual(isBelow("/a/b", "/a"), true);
  strictEqual(isBelow("/ab", "/a"), false);
});

const component = fc.string({
  unit: fc.constantFrom(..."ab.-_ é"),
  minLength: 1,
  maxLength: 6,
}).filter((text) => text !== "." && text !== "..");
const path = fc.array(component, { maxLength: 6 }).map((parts) =>
  parseAbsPath("/" + parts.join("/"), "x")
);

Deno.test("join() with plain components stays within its base", () => {
  fc.assert(fc.property(path, component, (base, part) => {
    strictEqual(isBelow(join(base, part), base), true);
    strictEqual(isWithin(base, join(base, part)), false);
  }));
});

Deno.test("ancestors() goes from the path up to the root, each step one component", () => {
  deepStrictEqual(ancestors("/a/b" as AbsPath), ["/a/b", "/a", "/"]);
  deepStrictEqual(ancestors(ROOT), ["/"]);
  fc.assert(fc.property(path, (start) => {
    const all = ancestors(start);
    strictEqual(all[0], start);
    strictEqual(all[all.length - 1], "/");
    for (const at of all) strictEqual(isWithin(start, at), true);
  }));
});

Deno.test("resolveFrom() takes absolute texts as they are and relative ones from the base", () => {
  const base = "/p" as AbsPath;
  strictEqual(resolveFrom(base, "/x/../y"), "/y");
  strictEqual(resolveFrom(base, "./a"), "/p/a");
  strictEqual(resolveFrom(base, "../a"), "/a");
});

Deno.test("tilde() shortens only what lies in the home directory", () => {
  strictEqual(tilde("/home/me", "/home/me"), "~");
  strictEqual(tilde("/home/me/x", "/home/me"), "~/x");
  strictEqual(tilde("/home/mean/x", "/home/me"), "/home/mean/x");
  strictEqual(tilde("/etc", "/home/me"), "/etc");
});

Deno.test("basename() is the last component, whatever follows it", () => {
  const cases = [["/a/b", "b"], ["/a/b/", "b"], ["/", ""], ["a", "a"], [
    "a//b//",
    "b",
  ]] as const;
  for (const [path, expected] of cases) strictEqual(basename(path), expected);
});
