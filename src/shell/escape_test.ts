import assert from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import { pathEntry, quoteFor, quoteIfNeeded, scriptPath } from "./escape.ts";

Deno.test("quoteFor() closes the quotes around an apostrophe in bash and zsh", () => {
  assert.equal(quoteFor("bash", "it's $(x) \\"), "'it'\\''s $(x) \\'");
  assert.equal(quoteFor("zsh", ""), "''");
});

Deno.test("quoteFor() escapes apostrophes and backslashes in fish", () => {
  assert.equal(quoteFor("fish", "it's $(x) \\"), "'it\\'s $(x) \\\\'");
});

Deno.test("quoteIfNeeded() leaves plain paths bare", () => {
  assert.equal(
    quoteIfNeeded("bash", "/usr/bin/aenv-1.0_x"),
    "/usr/bin/aenv-1.0_x",
  );
  assert.equal(quoteIfNeeded("bash", "~/aenv"), "'~/aenv'");
  assert.equal(quoteIfNeeded("fish", ""), "''");
});

Deno.test("scriptPath() writes a Windows path as Git Bash names it", () => {
  assert.equal(scriptPath("C:\\Users\\A b\\shims", "x"), "/c/Users/A b/shims");
  assert.equal(scriptPath("/a\\b:c", "x"), "/a\\b:c");
});

Deno.test("pathEntry() takes a Windows drive and refuses any other colon", () => {
  assert.equal(pathEntry("D:\\shims", "x"), "/d/shims");
  assert.throws(
    () => pathEntry("/a:b", "the directory of shims"),
    refusal(
      'Cannot use "/a:b" as the directory of shims in a shell: it holds a colon, which separates the parts of PATH',
    ),
  );
});

for (const character of ["\n", "\0", "\x1b", "\x7f"]) {
  Deno.test(`scriptPath() refuses ${JSON.stringify(character)}`, () => {
    const shown = "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
    assert.throws(
      () => scriptPath(`/a${character}b`, "the aenv home"),
      refusal(
        `Cannot use "/a${shown}b" as the aenv home in a shell: it holds a control character`,
      ),
    );
  });
}

function refusal(message: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, "SHELL_UNSAFE");
    assert.equal(error.exitCode, 3);
    assert.equal(error.message, message);
    return true;
  };
}
