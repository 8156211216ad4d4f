import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import { parseItemName } from "../base/ids.ts";
import { TempDir } from "../../tests/support/temp.ts";
import {
  EMPTY_LOCK,
  type Lock,
  type LockedItem,
  parseLock,
  printLock,
} from "./mod.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

function item(name: string, more: Partial<LockedItem> = {}): LockedItem {
  return {
    name: parseItemName(name),
    source: "git+https://example.com/plugins#v2",
    subpath: undefined,
    pin: "git+https://example.com/plugins#0123456789",
    tree: A,
    ...more,
  };
}

const LOCK: Lock = {
  plugins: [item("review", { subpath: "plugins/review" }), item("a.b")],
  skills: [item("strict", { source: "./skills/strict", tree: B })],
  mcp: { github: A, docs: B },
  sandbox: B,
};

const TEXT = `# Written by aenv from aenv.toml: commit it, and do not edit it.
# When git reports a conflict here, keep what both sides added and run: aenv lock
aenv_lock_version = "1"

plugins."a.b".source = "git+https://example.com/plugins#v2"
plugins."a.b".pin = "git+https://example.com/plugins#0123456789"
plugins."a.b".tree = "sha256-${A}"

plugins.review.source = "git+https://example.com/plugins#v2"
plugins.review.subpath = "plugins/review"
plugins.review.pin = "git+https://example.com/plugins#0123456789"
plugins.review.tree = "sha256-${A}"

skills.strict.source = "./skills/strict"
skills.strict.pin = "git+https://example.com/plugins#0123456789"
skills.strict.tree = "sha256-${B}"

mcp.docs = "sha256-${B}"
mcp.github = "sha256-${A}"

sandbox.policy = "sha256-${B}"
`;

Deno.test("printLock() writes one block an item, sorted by kind and name", () => {
  strictEqual(printLock(LOCK), TEXT);
});

Deno.test("parseLock() reads what printLock() writes, with LF or CRLF", () => {
  const sorted = { ...LOCK, plugins: [...LOCK.plugins].reverse() };
  deepStrictEqual(parseLock(TEXT, "l"), sorted);
  deepStrictEqual(parseLock(TEXT.replaceAll("\n", "\r\n"), "l"), sorted);
  deepStrictEqual(parseLock(printLock(EMPTY_LOCK), "l"), EMPTY_LOCK);
});

Deno.test("printLock() shows what cannot be seen, and parseLock() reads it back", () => {
  const source = './"x\\y"\t\u202e\u200b\u{e0041}é😀\n';
  const lock = { ...EMPTY_LOCK, skills: [item("x", { source })] };
  const text = printLock(lock);
  ok(
    text.includes(String.raw`"./\"x\\y\"\t\u202e\u200b\U000e0041é😀\n"`),
    text,
  );
  deepStrictEqual(parseLock(text, "l"), lock);
});

/** The message and hint with which a lock is refused. */
function refusal(text: string): { message: string; hint: string | undefined } {
  try {
    parseLock(text, "/p/aenv.lock");
  } catch (error) {
    ok(error instanceof AppError, String(error));
    strictEqual(error.code, "LOCK_INVALID");
    return {
      message: error.message.replace('Cannot read lock "/p/aenv.lock": ', ""),
      hint: error.hint,
    };
  }
  throw new Error(`accepted: ${text}`);
}

const HEAD = 'aenv_lock_version = "1"\n';
const ITEM = `source = "./a"\npin = "path"\ntree = "sha256-${A}"\n`;

Deno.test("parseLock() names line and column of what is wrong", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "aenv_lock_version is missing"],
    ["aenv_lock_version = 1", "line 1, column 1: aenv_lock_version must be a"],
    ['x = 1\naenv_lock_version = "2"', "line 2, column 1: unsupported lock"],
    [HEAD + "[plugin.a]\n" + ITEM, 'line 2, column 1: unknown key "plugin"'],
    [
      HEAD + "[plugins.a]\n" + ITEM + "sha = 1",
      "line 6, column 1: unknown key",
    ],
    [HEAD + "[plugins.a]\n", "line 2, column 1: plugins.a.source is missing"],
    [HEAD + '[plugins."../a"]\n' + ITEM, 'line 2, column 1: the name "../a"'],
    [
      HEAD + "[plugins.a]\n" + ITEM + 'subpath = "../b"',
      "line 6, column 1: the",
    ],
    [HEAD + "[plugins]\na = 1", "line 3, column 1: plugins.a must be a table"],
    [
      HEAD + `[mcp]\na = "sha256-${"A".repeat(64)}"`,
      "line 3, column 1: mcp.a is",
    ],
    [HEAD + `[mcp]\na = "${A}"`, "line 3, column 1: mcp.a is"],
    [HEAD + "[sandbox]\n", "line 2, column 1: sandbox.policy is missing"],
    [HEAD + "[plugins.a]\n" + ITEM + "[plugins.a]\n", "line 6, column"],
    [
      HEAD + "[plugins.a]\n" + ITEM + "[plugins.A]\n" + ITEM,
      'line 6, column 1: "A" is locked twice',
    ],
    [
      HEAD + "[plugins.a]\n" + ITEM.replace('"path"', '"a\\nb"'),
      "line 4, column 1: plugins.a.pin holds control characters",
    ],
  ];
  for (const [text, expected] of cases) {
    const { message } = refusal(text);
    ok(message.startsWith(expected), `${message}\nnot: ${expected}`);
  }
});

Deno.test("parseLock() suggests the key that was meant", () => {
  const text = HEAD + "[skills.a]\n" + ITEM.replace("source", "sorce");
  strictEqual(refusal(text).hint, 'Did you mean "source"?');
});

Deno.test("parseLock() tells a merge conflict from broken text", () => {
  const text = HEAD + "<<<<<<< HEAD\n[plugins.a]\n=======\n>>>>>>> b\n";
  const { message } = refusal(text);
  strictEqual(message, "line 2, column 1: unresolved merge conflict");
});

/** A git repository whose lock two branches changed; what a merge of the two leaves. */
class MergeWorld implements Disposable {
  readonly #dir = new TempDir();

  merge(base: Lock, ours: Lock, theirs: Lock): { code: number; text: string } {
    const file = `${this.#dir.path}/aenv.lock`;
    const commit = (lock: Lock, message: string): void => {
      Deno.writeTextFileSync(file, printLock(lock));
      strictEqual(this.#git("add", "."), 0);
      strictEqual(this.#git("commit", "-qm", message), 0);
    };
    strictEqual(this.#git("init", "-q", "-b", "main"), 0);
    commit(base, "base");
    strictEqual(this.#git("checkout", "-qb", "theirs"), 0);
    commit(theirs, "theirs");
    strictEqual(this.#git("checkout", "-q", "main"), 0);
    commit(ours, "ours");
    const code = this.#git("merge", "-q", "theirs", "-m", "merge");
    return { code, text: Deno.readTextFileSync(file) };
  }

  #git(...args: string[]): number {
    return new Deno.Command("git", {
      args: ["-c", "user.name=t", "-c", "user.email=t@t", ...args],
      cwd: this.#dir.path,
      env: {
        HOME: this.#dir.path,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        PATH: Deno.env.get("PATH")!,
      },
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync().code;
  }

  [Symbol.dispose](): void {
    this.#dir[Symbol.dispose]();
  }
}

function withPlugins(...names: string[]): Lock {
  return { ...LOCK, plugins: names.map((name) => item(name, { pin: name })) };
}

Deno.test("git merges locks of two branches that each add a plugin", () => {
  using world = new MergeWorld();
  const { code, text } = world.merge(
    withPlugins("b", "d"),
    withPlugins("a", "b", "d"),
    withPlugins("b", "c", "d"),
  );
  strictEqual(code, 0, text);
  strictEqual(text, printLock(withPlugins("a", "b", "c", "d")));
});

Deno.test("git merges a plugin that one branch adds and a pin that another moves", () => {
  using world = new MergeWorld();
  const moved = [item("b", { pin: "b" }), item("d", { pin: "moved" })];
  const { code, text } = world.merge(
    withPlugins("b", "d"),
    withPlugins("a", "b", "d"),
    { ...LOCK, plugins: moved },
  );
  strictEqual(code, 0, text);
  const merged = { ...LOCK, plugins: [item("a", { pin: "a" }), ...moved] };
  strictEqual(text, printLock(merged));
});

Deno.test("a conflict between plugins added side by side is solved by keeping both", () => {
  using world = new MergeWorld();
  const { code, text } = world.merge(
    withPlugins("z"),
    withPlugins("a", "z"),
    withPlugins("b", "z"),
  );
  strictEqual(code, 1, text);
  throws(() => parseLock(text, "l"), /line 5, column 1: unresolved merge/);
  const kept = text.replace(/^(<<<<<<<|=======|>>>>>>>).*\n/gm, "");
  deepStrictEqual(
    parseLock(kept, "l"),
    parseLock(
      printLock(withPlugins("a", "b", "z")),
      "l",
    ),
  );
});
