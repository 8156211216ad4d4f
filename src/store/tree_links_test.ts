import { strictEqual } from "node:assert/strict";
import type { TreeEntry } from "./entries.ts";
import { checkLinks } from "./tree_links.ts";

/** A tree of links, and of directories for every path that ends in a slash. */
function treeOf(links: Readonly<Record<string, string>>): TreeEntry[] {
  return Object.entries(links).map(([path, target]) =>
    path.endsWith("/")
      ? { kind: "directory", path: path.slice(0, -1) }
      : { kind: "symlink", path, target }
  );
}

Deno.test("checkLinks() takes links that stay inside, also dangling ones", () => {
  const trees = [
    { "a": "b" },
    { "d/": "", "d/a": "../b/c" },
    { "a": "." },
    { "d/": "", "d/a": ".." },
    { "a": "d/../d/./b//c", "d/": "" },
    { "a": "x/y/../../z" },
    { "d/": "", "d/up": "..", "a": "d/up/d/up" },
    { "...": "..a" },
  ];
  for (const links of trees) strictEqual(checkLinks(treeOf(links)), undefined);
});

Deno.test("checkLinks() refuses links that lead out, directly or over other links", () => {
  const trees = [
    { "a": ".." },
    { "a": "../a" },
    { "d/": "", "d/a": "../../x" },
    { "a": "b/../../x" },
    // "up" is the root, so what lies above it is outside, however deep the link stands.
    { "d/": "", "d/e/": "", "d/e/up": "../..", "a": "d/e/up/.." },
    { "d/": "", "d/e/": "", "d/e/up": "../..", "a": "D/E/UP/.." },
    { "d/": "", "b": "d", "d/a": "../b/../../x" },
  ];
  for (const links of trees) {
    strictEqual(/leads out of it$/.test(checkLinks(treeOf(links)) ?? ""), true);
  }
});

Deno.test("checkLinks() refuses circles and targets that are no relative paths", () => {
  const cases: [Record<string, string>, string][] = [
    [{ "a": "a" }, 'the link "a" leads in a circle'],
    [{ "a": "b", "b": "a/c" }, 'the link "a" leads in a circle'],
    [{ "a": "" }, 'the link "a" leads nowhere'],
    [{ "a": "/etc/passwd" }, 'the link "a" has an absolute target'],
    [{ "a": "C:x" }, 'the link "a" has an absolute target'],
    [
      {
        "a": "b\\..\\..\\c",
      },
      'the link "a" has characters in its target that not every system can have',
    ],
    [
      {
        "a": "b\nc",
      },
      'the link "a" has characters in its target that not every system can have',
    ],
    [{ "a": "x/".repeat(600) }, 'the link "a" has too long a target'],
  ];
  for (const [links, problem] of cases) {
    strictEqual(checkLinks(treeOf(links)), problem);
  }
});
