import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { posix } from "node:path";
import { AppError } from "../../base/errors.ts";
import { LIMITS } from "../source.ts";
import { type Candidate, TreeGuard } from "./guard.ts";

const PARTS = fc.constantFrom(
  "a",
  "A",
  "b",
  "..",
  ".",
  "",
  "é",
  "e\u0301",
  "x\\y",
  "C:",
  "a\0b",
  "\u202e",
  "aux",
  ".git",
  "l",
  "ſ",
  "s",
);
const PATHS = fc.array(PARTS, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"));
const CANDIDATES = fc.record({
  path: PATHS,
  kind: fc.constantFrom("file", "directory", "symlink", "hardlink"),
  size: fc.constantFrom(0, 1),
  target: PATHS,
}) as fc.Arbitrary<Candidate>;

/** Passes candidates through a guard until it refuses; the ones it let pass, by their written paths. */
function admitted(candidates: readonly Candidate[]): Map<string, Candidate> {
  const guard = new TreeGuard("x", LIMITS);
  const passed = new Map<string, Candidate>();
  for (const candidate of candidates) {
    try {
      const path = guard.accept(candidate);
      if (path !== undefined) passed.set(path, candidate);
    } catch (error) {
      ok(error instanceof AppError && error.code === "SOURCE_REFUSED");
    }
  }
  return passed;
}

Deno.test("TreeGuard lets nothing pass that would be written outside, in one another's place, or through a link", () => {
  fc.assert(
    fc.property(fc.array(CANDIDATES, { maxLength: 8 }), (candidates) => {
      const passed = admitted(candidates);
      const folded = new Map<string, string>();
      for (const [path, { kind }] of passed) {
        const full = posix.join("/root", path);
        ok(full.startsWith("/root/") && full === `/root/${path}`, path);
        // deno-lint-ignore no-control-regex
        ok(!/[\\\u0000]/.test(path));
        const key = path.normalize("NFKC").toUpperCase();
        ok(!folded.has(key) || folded.get(key) === path, path);
        folded.set(key, path);
        for (let up = posix.dirname(path); up !== "."; up = posix.dirname(up)) {
          const above = passed.get(up);
          ok(
            above === undefined || above.kind === "directory",
            `${path} (${kind})`,
          );
        }
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("TreeGuard lets only symlinks pass that stay inside when the system follows them", () => {
  const links = fc.record({
    path: fc.constantFrom("l", "a/l", "a/b/l", "m", "a/m", "n"),
    kind: fc.constant("symlink" as const),
    size: fc.constant(0),
    target: fc.array(fc.constantFrom("..", "a", "b", "l", "m", "n", "."), {
      minLength: 1,
      maxLength: 5,
    }).map((parts) => parts.join("/")),
  });
  fc.assert(
    fc.property(fc.array(links, { maxLength: 6 }), (candidates) => {
      const passed = admitted(candidates);
      for (const path of passed.keys()) {
        ok(follow(path, passed) !== "outside", path);
      }
    }),
    { numRuns: 20_000 },
  );
});

/** Resolves a path as a kernel does, in a tree where every name that is no link is a directory. */
function follow(
  path: string,
  links: ReadonlyMap<string, Candidate>,
): string {
  const todo = path.split("/");
  const at: string[] = [];
  for (let steps = 0; todo.length > 0 && steps < 200; steps++) {
    const part = todo.shift()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) return "outside";
      at.pop();
      continue;
    }
    const link = links.get([...at, part].join("/"));
    if (link?.kind === "symlink") todo.unshift(...link.target!.split("/"));
    else at.push(part);
  }
  return at.join("/");
}

Deno.test("TreeGuard counts implied directories and the copies that hard links become", () => {
  const guard = new TreeGuard("x", { entries: 5, unpackedBytes: 25 });
  strictEqual(
    guard.accept({ path: "a/b/c", kind: "file", size: 10 }),
    "a/b/c",
  );
  strictEqual(
    guard.accept({ path: "./d", kind: "hardlink", size: 0, target: "a/b/c" }),
    "d",
  );
  strictEqual(guard.bytes, 20);
  throws(
    () => guard.accept({ path: "e", kind: "hardlink", size: 0, target: "d" }),
    /more than 25 bytes/,
  );
  throws(
    () => guard.accept({ path: "f", kind: "directory", size: 0 }),
    /more than 5 entries/,
  );
});

Deno.test("TreeGuard takes the root's own entry, trailing slashes and a directory named twice", () => {
  const guard = new TreeGuard("x", LIMITS);
  const paths = ["./", ".", "a/", "./a", "a/b"].map((path) =>
    guard.accept({ path, kind: "directory", size: 0 })
  );
  deepStrictEqual(paths, [undefined, undefined, "a", "a", "a/b"]);
});
