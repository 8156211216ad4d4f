import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { TempDir } from "../../tests/support/temp.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { findPin, parsePin, readPin } from "./pin.ts";

Deno.test("parsePin() reads one name between blank lines and comments, with any line ends", () => {
  const texts = [
    "review",
    "review\n",
    "review\r\n",
    "  review \t\n",
    "\ufeffreview\n",
    "# the team's env\n\nreview # since May\n\n# end",
    "#a\r\n\r\nreview\r\n",
    "review\r",
  ];
  for (const text of texts) strictEqual(parsePin(text, "f"), "review", text);
});

Deno.test("parsePin() reads global as the user's own configuration", () => {
  strictEqual(parsePin("global\n", "f"), "global");
});

Deno.test("parsePin() refuses a file without a name or with two", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /it names no environment/],
    ["\n\r\n  \n", /it names no environment/],
    ["# only a comment", /it names no environment/],
    ["a\nb\n", /it has 2 lines with names, one is allowed/],
    ["a\ra\r\na\n", /it has 3 lines with names/],
    ["global\nglobal\n", /it has 2 lines/],
  ];
  for (const [text, message] of cases) {
    throws(() => parsePin(text, "f"), { code: "PIN_INVALID", message }, text);
  }
});

Deno.test("parsePin() refuses what is no name, with the reason as cause", () => {
  const bad = ["..", "-x", "a b", "a#b", "../x", "Global", "a\u001b[31m", "é"];
  for (const text of bad) {
    throws(() => parsePin(text, "/p/.aenv-version"), (error) => {
      const { code, message, cause, hint } = error as AppError;
      strictEqual(code, "PIN_INVALID");
      strictEqual(
        message.startsWith('Cannot read pin "/p/.aenv-version": '),
        true,
      );
      strictEqual(cause instanceof AppError, true);
      return hint === "Write one name into it: aenv use NAME";
    }, text);
  }
});

Deno.test("parsePin() returns a safe name or fails with PIN_INVALID for any text", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."ab.-#\r\n /\\\0é\u202e"),
  });
  fc.assert(fc.property(text, (any) => {
    try {
      strictEqual(/^[ab][ab.-]*$/.test(parsePin(any, "f")), true);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      strictEqual(error.code, "PIN_INVALID");
    }
  }));
});

Deno.test("readPin() refuses a dangling link, a directory and a huge file", () => {
  using temp = new TempDir();
  const file = join(temp.path as AbsPath, "pin");
  Deno.symlinkSync("nowhere", file);
  throws(() => readPin(file), {
    code: "PIN_INVALID",
    message: /a link that leads nowhere/,
  });
  throws(() => readPin(temp.path as AbsPath), { message: /is a directory/ });
  const big = join(temp.path as AbsPath, "big");
  Deno.writeTextFileSync(big, "#".repeat(5000));
  throws(() => readPin(big), { message: /more than 4096 bytes/ });
});

Deno.test("findPin() takes the nearest directory, and the version file in one directory", () => {
  using temp = new TempDir();
  const top = temp.path as AbsPath;
  const deep = join(top, "a", "b");
  Deno.mkdirSync(deep, { recursive: true });
  const expected = (kind: string, file: string, empty: string[]) => {
    deepStrictEqual(findPin(deep), { pin: { kind, file }, empty });
  };
  Deno.writeTextFileSync(join(top, "aenv.toml"), "");
  expected("project manifest", join(top, "aenv.toml"), [deep, join(top, "a")]);
  Deno.writeTextFileSync(join(top, ".aenv-version"), "");
  expected("version file", join(top, ".aenv-version"), [deep, join(top, "a")]);
  Deno.writeTextFileSync(join(top, "a", "aenv.toml"), "");
  expected("project manifest", join(top, "a", "aenv.toml"), [deep]);
  Deno.writeTextFileSync(join(deep, "aenv.toml"), "");
  Deno.writeTextFileSync(join(deep, ".aenv-version"), "");
  expected("version file", join(deep, ".aenv-version"), []);
});

Deno.test("findPin() stops at a broken pin instead of looking further up", () => {
  using temp = new TempDir();
  const top = temp.path as AbsPath;
  const sub = join(top, "sub");
  Deno.mkdirSync(sub);
  Deno.writeTextFileSync(join(top, ".aenv-version"), "fine\n");
  Deno.symlinkSync("nowhere", join(sub, ".aenv-version"));
  strictEqual(findPin(sub).pin?.file, join(sub, ".aenv-version"));
});

Deno.test("findPin() finds nothing in the root", () => {
  deepStrictEqual(findPin("/" as AbsPath), { pin: undefined, empty: ["/"] });
});
