import { strictEqual, throws } from "node:assert/strict";
import { aenvRoot, dirsAt, slotAt } from "./dirs.ts";
import { AppError } from "./errors.ts";
import { type AbsPath, isBelow, parseAbsPath } from "./paths.ts";

const home = () => parseAbsPath("/home/me", "HOME");
const noHome = (): AbsPath => {
  throw new AppError("HOME_UNSET", "Cannot find your home directory");
};

Deno.test("aenvRoot() prefers AENV_HOME, then XDG_DATA_HOME, then ~/.aenv", () => {
  const both = { AENV_HOME: "/a//b/", XDG_DATA_HOME: "/data" };
  strictEqual(aenvRoot(both, home), "/a/b");
  strictEqual(aenvRoot({ XDG_DATA_HOME: "/data" }, home), "/data/aenv");
  strictEqual(aenvRoot({}, home), "/home/me/.aenv");
});

Deno.test("aenvRoot() takes an empty variable for an unset one", () => {
  strictEqual(
    aenvRoot({ AENV_HOME: "", XDG_DATA_HOME: "" }, home),
    "/home/me/.aenv",
  );
});

Deno.test("aenvRoot() needs no HOME when a variable says where", () => {
  strictEqual(aenvRoot({ AENV_HOME: "/a" }, noHome), "/a");
  throws(() => aenvRoot({}, noHome), { code: "HOME_UNSET" });
});

Deno.test("aenvRoot() refuses relative directories, naming the variable", () => {
  throws(() => aenvRoot({ AENV_HOME: "a" }, home), {
    code: "PATH_INVALID",
    message: /\$AENV_HOME/,
  });
  throws(() => aenvRoot({ XDG_DATA_HOME: "./a" }, home), {
    code: "PATH_INVALID",
    message: /\$XDG_DATA_HOME/,
  });
});

Deno.test("dirsAt() and slotAt() keep everything below their root", () => {
  const root = parseAbsPath("/r", "x");
  for (const layout of [dirsAt(root), slotAt(root)]) {
    for (const [name, path] of Object.entries(layout)) {
      if (name !== "root") strictEqual(isBelow(path, root), true, name);
    }
  }
});
