import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { Rewriter } from "./rewrite.ts";

const HOME = "/home/u" as AbsPath;

function rewriter(to: string, from = ["/home/u/.claude"]): Rewriter {
  return new Rewriter({
    from: from as AbsPath[],
    to: to as AbsPath,
    home: HOME,
  });
}

const moved = rewriter("/home/u/.aenv/envs/default/claude");

Deno.test("all() rewrites every way to write the old place and keeps the way", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["/home/u/.claude/x", "/home/u/.aenv/envs/default/claude/x"],
    ["~/.claude/x", "~/.aenv/envs/default/claude/x"],
    ["$HOME/.claude", "$HOME/.aenv/envs/default/claude"],
    [
      '"${HOME}/.claude/x"',
      '"${HOME}/.aenv/envs/default/claude/x"',
    ],
    ["Read(~/.claude/**)", "Read(~/.aenv/envs/default/claude/**)"],
    [
      "Read(//home/u/.claude/x)",
      "Read(//home/u/.aenv/envs/default/claude/x)",
    ],
    [
      "cc -I/home/u/.claude/inc",
      "cc -I/home/u/.aenv/envs/default/claude/inc",
    ],
    ["It is in ~/.claude.", "It is in ~/.aenv/envs/default/claude."],
  ];
  for (const [before, after] of cases) strictEqual(moved.all(before), after);
});

Deno.test("all() leaves names alone that only begin alike, and the login", () => {
  const texts = [
    "~/.claude.json",
    "/home/u/.claude.json",
    "/home/u/.claude-old/x",
    "/backup/home/u/.claude/x",
    "~/.claude/.credentials.json",
    "x~/.claude/y",
  ];
  for (const text of texts) strictEqual(moved.all(text), text);
});

Deno.test("all() is right when the new place lies inside the old one", () => {
  const inside = rewriter("/home/u/.claude/aenv/envs/a/claude");
  strictEqual(inside.all("~/.claude/x"), "~/.claude/aenv/envs/a/claude/x");
  strictEqual(
    inside.all("/home/u/.claude/x"),
    "/home/u/.claude/aenv/envs/a/claude/x",
  );
});

Deno.test("all() writes an absolute path where the new place is not below HOME", () => {
  const out = rewriter("/srv/aenv/envs/a/claude");
  strictEqual(out.all("~/.claude/x"), "/srv/aenv/envs/a/claude/x");
  strictEqual(
    out.all("Read(~/.claude/x)"),
    "Read(//srv/aenv/envs/a/claude/x)",
  );
});

Deno.test("all() quotes a new place with spaces where a shell reads it", () => {
  const spaced = rewriter("/home/u/My Envs/a/claude");
  strictEqual(
    spaced.all("bash ~/.claude/x.sh", "command"),
    "bash ~/My\\ Envs/a/claude/x.sh",
  );
  strictEqual(
    spaced.all('bash "$HOME/.claude/x.sh"', "command"),
    'bash "$HOME/My Envs/a/claude/x.sh"',
  );
  strictEqual(
    spaced.all("see @~/.claude/x.md", "markdown"),
    "see @~/My\\ Envs/a/claude/x.md",
  );
});

Deno.test("absolute() leaves what a person wrote with a sign", () => {
  strictEqual(
    moved.absolute("~/.claude /home/u/.claude"),
    "~/.claude /home/u/.aenv/envs/default/claude",
  );
});

Deno.test("references() finds the paths below the old place", () => {
  deepStrictEqual(
    moved.references(
      'node "/home/u/.claude/my hooks/a.js"; ~/.claude/b.sh --x, $CLAUDE_CONFIG_DIR/c/d. ~/.claude.json',
    ).sort(),
    ["b.sh", "c/d", "c/d.", "my", "my hooks/a.js"],
  );
});

Deno.test("isIn() finds the old place in bytes", () => {
  const encoder = new TextEncoder();
  ok(moved.isIn(encoder.encode("\0\0/home/u/.claude\0")));
  ok(!moved.isIn(encoder.encode("\0\0/home/u/.clau\0")));
});
