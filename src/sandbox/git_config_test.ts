import assert from "node:assert/strict";
import fc from "fast-check";
import { TempDir } from "../../tests/support/temp.ts";
import { isHarmlessGitChange } from "./git_config.ts";

const CORE = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
`;
const ORIGIN = `[remote "origin"]
\turl = https://example.com/a/b.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
`;
const MAIN = `[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
`;
const OWN = `[alias]
\tst = "!git status" # mine
[core]
\thooksPath = hooks
`;

function isHarmless(before: string, after: string): boolean {
  const encoder = new TextEncoder();
  return isHarmlessGitChange(encoder.encode(before), encoder.encode(after));
}

const HARMLESS: Readonly<Record<string, readonly [string, string]>> = {
  "a new repository": ["", CORE],
  "a clone": ["", CORE + ORIGIN + MAIN],
  "an upstream for a branch": [CORE + ORIGIN, CORE + ORIGIN + MAIN],
  "a branch that is gone": [CORE + ORIGIN + MAIN, CORE + ORIGIN],
  "a new remote, and a new branch that follows it": [
    CORE + ORIGIN + MAIN,
    `${CORE}${ORIGIN}${MAIN}[remote "fork"]\n\turl = git@example.com:me/b.git\n[branch "x"]\n\tremote = fork\n\tmerge = refs/heads/x\n`,
  ],
  "a local upstream": [
    CORE,
    CORE + '[branch "x"]\n\tremote = .\n\tmerge = refs/heads/main\n',
  ],
  "beside what the user has": [OWN + CORE, OWN + CORE + ORIGIN],
  "a name and an address": [
    CORE,
    CORE + "[user]\n\tname = A B\n\temail = a@b\n",
  ],
  "submodules": [
    CORE,
    CORE +
    '[submodule "lib/x"]\n\tactive = true\n\turl = ssh://git@example.com:22/x.git\n',
  ],
};

for (const [name, [before, after]] of Object.entries(HARMLESS)) {
  Deno.test(`isHarmlessGitChange() lets pass: ${name}`, () => {
    assert.equal(isHarmless(before, after), true);
  });
}

const HARMFUL: readonly string[] = [
  "[core]\n\thooksPath = x\n",
  "[core]\n\tfsmonitor = x\n",
  "[core]\n\tsshCommand = x\n",
  "[core]\n\tworktree = /\n",
  "[core] fsmonitor = x\n",
  "[Core]\n\tFsMonitor = x\n",
  "[core]\n\tfilemode = true\\\n\tfsmonitor = x\n",
  "[core]\n\tbare\n",
  "[core]\n\tbare = true ; x\n",
  "[core.x]\n\tbare = true\n",
  "\ufeff[core]\n\tbare = true\n",
  "[core]\r\n\tbare = true\n",
  "[alias]\n\tst = !x\n",
  '[filter "x"]\n\tclean = x\n',
  "[include]\n\tpath = x\n",
  '[includeIf "gitdir:/"]\n\tpath = x\n',
  '[url "ext::x"]\n\tinsteadOf = https://\n',
  "[user]\n\tsigningkey = x\n",
  "[gpg]\n\tprogram = x\n",
  '[remote "x"]\n\turl = ext::sh -c x\n',
  '[remote "x"]\n\turl = --upload-pack=x\n',
  '[remote "x"]\n\turl = ssh://-oProxyCommand=x/y\n',
  '[remote "x"]\n\turl = -x@host:y\n',
  '[remote "x"]\n\turl = /srv/evil\n',
  '[remote "x"]\n\turl = ../evil\n',
  '[remote "x"]\n\turl = file:///srv/evil\n',
  '[remote "x"]\n\turl = https://h/a b\n',
  '[remote "x"]\n\tuploadpack = x\n',
  '[remote "x"]\n\treceivepack = x\n',
  '[remote "x"]\n\tvcs = x\n',
  '[remote "x"]\n\tproxy = x\n',
  '[remote "x"]\n\tfetch = +refs/heads/*:refs/heads/*\n',
  '[remote "origin"]\n\tpushurl = https://evil.example/b.git\n',
  '[branch "x"]\n\tremote = ext::x\n',
  '[branch "x"]\n\tremote = https://evil.example/b.git\n',
  '[branch "x"]\n\tmerge = x\n',
  '[branch "x"]\n\tpushRemote = origin\n',
  '[branch "x"]\n\tmergeOptions = x\n',
  '[submodule "x"]\n\tupdate = !x\n',
  '[submodule "../x"]\n\turl = https://h/x\n',
  '[submodule "x"]\n\turl = ext::x\n',
  "[extensions]\n\tworktreeConfig = true\n",
  "what is this\n",
];

for (const text of HARMFUL) {
  Deno.test(`isHarmlessGitChange() stops ${JSON.stringify(text)}`, () => {
    const before = CORE + ORIGIN;
    assert.equal(isHarmless(before, before + text), false);
    assert.equal(isHarmless("", text), false);
  });
}

Deno.test("isHarmlessGitChange() stops what leads a branch that was there to a remote that was not", () => {
  const evil = '[remote "evil"]\n\turl = https://example.com/evil.git\n';
  const [before, led] = [CORE + ORIGIN + MAIN, MAIN.replace("origin", "evil")];
  assert.equal(isHarmless(before, before + evil), true);
  assert.equal(isHarmless(before, CORE + ORIGIN + led + evil), false);
  const second = evil.replace("evil", "origin");
  assert.equal(isHarmless(before, before + second), false);
});

Deno.test("isHarmlessGitChange() stops remotes on hosts that the user pushes nothing to", () => {
  for (const url of ["https://evil.example/b.git", "git@evil.example:b.git"]) {
    const evil = `[remote "evil"]\n\turl = ${url}\n`;
    assert.equal(isHarmless(CORE + ORIGIN, CORE + ORIGIN + evil), false);
    const local = ORIGIN.replace(/url = .*/, "url = ../b");
    assert.equal(isHarmless(CORE + local, CORE + local + evil), false);
    assert.equal(isHarmless(CORE, CORE + evil), true);
  }
});

Deno.test("isHarmlessGitChange() stops what takes away or changes what the user has", () => {
  for (
    const [from, to] of [["hooks\n", "other\n"], ["!git", "!x"], [
      "# mine",
      "# x",
    ]]
  ) {
    const after = OWN.replace(from!, to!);
    assert.notEqual(after, OWN);
    assert.equal(isHarmless(OWN + CORE, after + CORE), false);
  }
  assert.equal(isHarmless(OWN + CORE, CORE), false);
  assert.equal(isHarmless(CORE + ORIGIN, CORE), false);
});

/** Keys that a change may bring, as git names them. */
const KNOWN =
  /^(?:core\.(?:repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks)|user\.(?:name|email)|branch\.[^]*\.(?:remote|merge|rebase)|remote\.[^]*\.(?:fetch|url)|submodule\.[^]*\.(?:active|url))$/;

/** Texts that resemble configurations. */
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...'[ ] " \\ = ; # \n \t ! - . : / \r'.split(" "),
      " ",
      "\\\n",
      "[core]\n",
      "[Core]",
      '[remote "x"]\n',
      '[branch "x"]\n',
      '[submodule "x"]\n',
      "[core.x]\n",
      "[user]\n",
      "\tbare = true\n",
      "\tfsmonitor = x\n",
      "fsmonitor=x",
      "\turl = https://h/x\n",
      "\tmerge = refs/heads/x\n",
      "\tremote = x\n",
      "\tname = ",
      "\temail",
      "\thooksPath = x\n",
      "[include]\n",
      "path = x\n",
      "[alias]\n",
      "x = !y\n",
      '"',
      "\ufeff",
      "\x0b",
      "\x0c",
      "\x85",
      "\u00a0",
      "\u2028",
    ),
    fc.string({ maxLength: 3 }),
  ),
  { maxLength: 14 },
).map((parts) => parts.join(""));

Deno.test("isHarmlessGitChange() knows every key that git sees in what it lets pass", () => {
  using dir = new TempDir();
  const file = `${dir.path}/config`;
  let passed = 0;
  const texts = fc.sample(pieces, { numRuns: 25_000, seed: 5 })
    .filter((text) => isHarmless("", text));
  for (const text of new Set(texts)) {
    Deno.writeTextFileSync(file, text);
    const { code, stdout } = new Deno.Command("git", {
      args: ["config", "--file", file, "--list", "-z"],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: dir.path },
      stderr: "null",
    }).outputSync();
    // What git does not understand makes nothing run.
    if (code !== 0) continue;
    passed += 1;
    for (const entry of new TextDecoder().decode(stdout).split("\0")) {
      const key = entry.split("\n")[0]!;
      assert.ok(
        key === "" || KNOWN.test(key),
        `${key} in ${JSON.stringify(text)}`,
      );
    }
  }
  assert.ok(passed > 50, `${passed}`);
});
