import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import type { AbsPath } from "../base/paths.ts";
import { type Host, hostWith } from "../os/host.ts";
import { route } from "./router.ts";
import { TABLE } from "./table.ts";

/** A host in a home of its own. */
function hostIn(home: string): Host {
  return hostWith({
    env: { HOME: home, PATH: "/usr/bin:/bin" },
    os: "linux",
    cwd: () => home as AbsPath,
  });
}

const HOST = hostIn("/no/such/home");

async function textOf(...args: string[]): Promise<string> {
  const { outcome } = await route(args, HOST);
  return outcome.text();
}

/** The refusal of a command line: its message, and its hint. */
async function refusal(...args: string[]): Promise<[string, string]> {
  let found: [string, string] | undefined;
  await rejects(() => route(args, HOST), (error) => {
    const { code, message, hint, exitCode } = error as Record<string, unknown>;
    deepStrictEqual([code, exitCode], ["USAGE", 2]);
    found = [String(message), String(hint)];
    return true;
  });
  return found!;
}

Deno.test("route() prints the commands, and takes a missing one for a wrong command line", async () => {
  const { outcome, json } = await route([], HOST);
  deepStrictEqual([outcome.exitCode, json], [2, false]);
  for (const words of [["help"], ["--help"], ["-h"]]) {
    const routed = await route(words, HOST);
    strictEqual(routed.outcome.exitCode ?? 0, 0);
    strictEqual(routed.outcome.text(), outcome.text());
  }
});

Deno.test("route() prints the version", async () => {
  for (const words of ["--version", "-V"]) {
    strictEqual(await textOf(words), "dev");
  }
  match(await textOf("version"), /^aenv dev\ncommit unknown\ndeno \d/);
});

Deno.test("route() says what was meant by a mistyped command", async () => {
  deepStrictEqual(await refusal("curent"), [
    'Cannot run "curent": there is no such command',
    "Did you mean: aenv current",
  ]);
  deepStrictEqual(await refusal("xyzzy-plugh"), [
    'Cannot run "xyzzy-plugh": there is no such command',
    "See the commands: aenv --help",
  ]);
  strictEqual((await refusal("deactivat"))[1], "Did you mean: aenv deactivate");
});

Deno.test("route() does not offer hidden commands", async () => {
  strictEqual(
    (await refusal("__use-targt"))[1],
    "See the commands: aenv --help",
  );
});

Deno.test("route() takes no name of JavaScript for a command", async () => {
  for (const word of ["constructor", "__proto__", "toString"]) {
    match((await refusal(word))[0], /there is no such command/);
  }
});

Deno.test("route() shows control characters of a mistyped command as text", async () => {
  strictEqual(
    (await refusal("\u001b[31m"))[0],
    'Cannot run "\\u001b[31m": there is no such command',
  );
});

Deno.test("route() says what is wrong with the arguments of a command", async () => {
  deepStrictEqual(await refusal("current", "--explian"), [
    'Cannot run "aenv current": unknown option "--explian"',
    "Did you mean --explain?",
  ]);
  const [message, hint] = await refusal("version", "now");
  strictEqual(
    message,
    'Cannot run "aenv version": too many arguments: expected 0 arguments but got 1: now',
  );
  strictEqual(hint, "See its words: aenv version --help");
  match((await refusal("rename"))[0], /missing required argument "/);
});

Deno.test("route() prints JSON only where it is asked to", async () => {
  strictEqual((await route(["version"], HOST)).json, false);
  const { json, outcome } = await route(["version", "--json"], HOST);
  strictEqual(json, true);
  deepStrictEqual(Object.keys(outcome.data as object), [
    "version",
    "commit",
    "target",
    "deno",
  ]);
});

Deno.test("every command of the table loads and says its words", async () => {
  for (const { name, summary } of TABLE) {
    const text = await textOf(...name.split(" "), "--help");
    match(text, new RegExp(`^Usage: aenv ${name}\\b`));
    ok(text.includes(summary.split(" ")[0]!), name);
    if (!name.startsWith("_")) {
      strictEqual(await textOf("help", ...name.split(" ")), text);
    }
  }
});

Deno.test("every example of a command starts with that command", async () => {
  for (const { name, aliases = [], load } of TABLE) {
    const { command } = await load();
    for (const example of command.words.examples ?? []) {
      const names = [name, ...aliases].join("|");
      match(example, new RegExp(`\\baenv (${names})\\b`));
    }
  }
});

Deno.test("the table has every name and alias once, and says what each does in one line", () => {
  const names = TABLE.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  strictEqual(new Set(names).size, names.length);
  for (const { summary } of TABLE) {
    ok(/^[A-Z][^\n]*[^.]$/.test(summary) && summary.length <= 80, summary);
  }
});

Deno.test("current answers from the host that it is given", async () => {
  using temp = new TempDir();
  const { outcome } = await route(["current", "--json"], hostIn(temp.path));
  deepStrictEqual(outcome.data, { env: "global", source: "none", file: null });
  strictEqual(outcome.text(), "global");
});
