import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { parse } from "smol-toml";
import { lock } from "../../tests/support/locks.ts";
import { model, textOf } from "../../tests/support/manifest_texts.ts";
import { AppError } from "../base/errors.ts";
import { ENTRY_KEYS, SECTION_KEYS } from "./entries.ts";
import { LOCK_KEYS, LOCKED_ITEM_KEYS, LOCKED_SANDBOX_KEYS } from "./lock.ts";
import { SERVER_KEYS } from "./mcp.ts";
import { newManifest, parseLock, parseManifest, printLock } from "./mod.ts";
import { COMPAT_KEYS, ENV_KEYS, HOOK_KEYS, TOP_KEYS } from "./parse.ts";
import { NETWORK_KEYS, SANDBOX_KEYS, SERVER_SANDBOX_KEYS } from "./sandbox.ts";
import { SECRET_KEYS, SECRETS_KEYS } from "./secrets.ts";

/** A schema, or a part of one. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly [key: string]: unknown;
}

function readRepository(path: string): string {
  return Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
}

const MANIFEST: Schema = JSON.parse(
  readRepository("docs/schema/aenv.toml.schema.json"),
);
const LOCK: Schema = JSON.parse(
  readRepository("docs/schema/aenv.lock.schema.json"),
);

// Its own check of the schema against the meta-schema is part of the test.
const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
const validators = {
  manifest: ajv.compile(MANIFEST),
  lock: ajv.compile(LOCK),
};

/** What the schema finds wrong in TOML text. */
function faults(text: string, kind: keyof typeof validators): string[] {
  const validate = validators[kind];
  // Dates and null prototypes become what an editor sees.
  validate(JSON.parse(JSON.stringify(parse(text))));
  return (validate.errors ?? []).map((error) =>
    `${error.instancePath} ${error.message}`
  );
}

function checkManifest(text: string): void {
  parseManifest(text, "m");
  deepStrictEqual(faults(text, "manifest"), []);
}

Deno.test("the schema takes the README's example, the template and the example directory's manifest", () => {
  const readme = /\n## aenv\.toml\n[^]*?```toml\n([^]*?)```/.exec(
    readRepository("README.md"),
  );
  ok(readme, "no example in the README");
  checkManifest(readme[1]!);
  checkManifest(readRepository("examples/review-team/aenv.toml"));
  for (const bare of [true, false]) {
    for (const sandbox of [true, false]) {
      checkManifest(newManifest("x" as never, { bare, sandbox }));
    }
  }
});

const HEAD = '[env]\nname = "x"\n';

Deno.test("the schema takes every form that the parser takes", () => {
  for (
    const text of [
      'aenv_schema_version = "1"\n' + HEAD + 'cc_compatible = ">=2"\n',
      HEAD +
      'compat = { claude = ">=2.1, <3", codex = "1" }\ncreated = 2026-01-01\n',
      HEAD +
      '[mcp.a]\ntype = "stdio"\ncommand = "c"\nargs = [""]\nenv = { A = "" }\n',
      HEAD +
      '[mcp.a]\ncommand = "c"\nargs = ["${secret:k}"]\nsecret_args = "allow"\ncwd = "~/a"\ndisabled = true\n',
      HEAD +
      '[mcp.a]\ntype = "sse"\nurl = "HTTP://h"\nheaders = { X-A = "${secret:k}" }\n',
      HEAD +
      '[secrets]\nexpose = "env"\n[secrets.a-b]\n[secrets.C]\ntools = []\n',
      HEAD +
      '[sandbox]\nnetwork = "none"\nprotect = [".env"]\nenv_host = ["A"]\n',
      HEAD +
      '[sandbox]\nenabled = true\npaths = ["~/a:ro", "b:c:rw"]\nnetwork = { mode = "open" }\n',
      HEAD +
      '[sandbox]\nnetwork = { mode = "hosts", allow = ["@agent"] }\ncache_dirs = []\npath_dirs = ["a"]\n',
      HEAD +
      '[sandbox]\nenabled = true\nunix_sockets = ["$SSH_AUTH_SOCK", "$TMPDIR", "/run/a"]\n[mcp.a]\ncommand = "c"\n[mcp.a.sandbox]\nproject = "none"\nnetwork = "none"\npaths = ["a:ro"]\n',
      HEAD +
      '[sandbox]\nnetwork = { mode = "hosts" }\n[hooks]\npre_activate = ""\n',
    ]
  ) checkManifest(text);
});

Deno.test("the schema refuses what the parser refuses", () => {
  for (
    const text of [
      "",
      "[env]\n",
      '[env]\nname = "Global"\n',
      '[env]\nname = ".x"\n',
      '[env]\nname = "x."\n',
      HEAD + "[plugin]\n",
      HEAD + 'isolation = "none"\n',
      HEAD + 'cc_compatible = ">=2"\n',
      'aenv_schema_version = "1"\n' + HEAD + "compat = {}\n",
      'aenv_schema_version = "3"\n' + HEAD,
      HEAD + "[vars]\nA = 1\n",
      HEAD + '[vars]\n"A-B" = "1"\n',
      HEAD + "[mcp.a]\n",
      HEAD + '[mcp.a]\ncommand = "c"\nurl = "https://h"\n',
      HEAD + '[mcp.a]\ncommand = "c"\ntimeout = 1\n',
      HEAD + '[mcp.a]\ncommand = "c"\ncwd = "~me/a"\n',
      HEAD + '[mcp.a]\ncommand = "c"\ncwd = "${A}/a"\n',
      HEAD + '[mcp.a]\ncommand = "c"\nsecret_args = "yes"\n',
      HEAD + '[mcp.a]\nurl = "https://h"\ncwd = "/"\n',
      HEAD + '[mcp.a]\nurl = "https://h"\ndisabled = "yes"\n',
      HEAD + '[mcp.a]\nurl = "ftp://h"\n',
      HEAD + '[mcp."../a"]\ncommand = "c"\n',
      HEAD + '[[plugins.enabled]]\nname = "a"\n',
      HEAD + '[plugins]\nenabled = ["a"]\n',
      ...["..", "a/../b", "/a", "a//b", "a\\\\b", ""].map((subpath) =>
        `${HEAD}[[skills.enabled]]\nname = "a"\nsource = "b"\nsubpath = "${subpath}"\n`
      ),
      HEAD + '[sandbox]\npaths = ["/a"]\n',
      HEAD + '[sandbox]\nnetwork = "hosts"\n',
      HEAD + '[sandbox]\nnetwork = { mode = "none", allow = [] }\n',
      HEAD + '[sandbox]\nunix_sockets = ["$HOME"]\n',
      HEAD + '[mcp.a]\nurl = "https://h"\nsandbox = {}\n',
      HEAD + '[mcp.a]\ncommand = "c"\nsandbox = { project = "rw" }\n',
      HEAD + '[secrets.a]\ntools = "npm"\n',
      HEAD + '[hooks]\npost_activate = "a"\n',
    ]
  ) {
    ok(isRefused(() => parseManifest(text, "m")), text);
    ok(faults(text, "manifest").length > 0, text);
  }
});

function isRefused(parse: () => unknown): boolean {
  try {
    parse();
    return false;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return true;
  }
}

Deno.test("the schemas take any manifest and any lock that can be written", () => {
  fc.assert(
    fc.property(
      model,
      (one) => checkManifest(textOf(one).replace("\ufeff", "")),
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      lock,
      (one) => deepStrictEqual(faults(printLock(one), "lock"), []),
    ),
    { numRuns: 1000 },
  );
});

Deno.test("the lock's schema refuses what the parser refuses", () => {
  const version = 'aenv_lock_version = "1"\n';
  const tree = `tree = "sha256-${"a".repeat(64)}"\n`;
  for (
    const text of [
      "",
      'aenv_lock_version = "2"\n',
      version + "[plugin]\n",
      version + '[plugins.a]\nsource = "a"\npin = "b"\n',
      version + '[plugins.a]\nsource = "a"\n' + tree,
      version + '[plugins.a]\npin = "b"\n' + tree,
      version + '[plugins.a]\nsource = "a"\npin = "b\\n"\n' + tree,
      version + '[plugins.a]\nsource = "a"\npin = "b"\nsubpath = "../c"\n' +
      tree,
      version + '[plugins.".a"]\nsource = "a"\npin = "b"\n' + tree,
      version + '[skills.a]\nsource = "a"\npin = "b"\n' + tree.toUpperCase(),
      version + `[mcp]\na = "${"a".repeat(64)}"\n`,
      version + "[sandbox]\n",
    ]
  ) {
    ok(isRefused(() => parseLock(text, "l")), text);
    ok(faults(text, "lock").length > 0, text);
  }
});

/** The keys that a part of a schema knows. */
function keysOf(schema: Schema | undefined): string[] {
  return Object.keys(schema?.properties ?? {}).sort();
}

Deno.test("the schemas know the keys that the parsers know, and no others", () => {
  const { properties: top, $defs: defs } = MANIFEST;
  const server = [
    ...keysOf(defs?.["stdioServer"]),
    ...keysOf(defs?.["remoteServer"]),
  ];
  const item = LOCK.$defs?.["item"];
  const pairs: readonly (readonly [readonly string[], readonly string[]])[] = [
    [keysOf(MANIFEST), TOP_KEYS],
    [keysOf(top?.["env"]), [...ENV_KEYS, "compat", "cc_compatible"]],
    [keysOf(top?.["env"]?.properties?.["compat"]), COMPAT_KEYS],
    [keysOf(top?.["plugins"]), SECTION_KEYS],
    [keysOf(top?.["skills"]), SECTION_KEYS],
    [keysOf(top?.["sandbox"]), SANDBOX_KEYS],
    [keysOf(top?.["hooks"]), HOOK_KEYS],
    [keysOf(defs?.["entry"]), ENTRY_KEYS],
    [keysOf(top?.["secrets"]), SECRETS_KEYS],
    [keysOf(defs?.["secret"]), SECRET_KEYS],
    [keysOf(defs?.["network"]), NETWORK_KEYS],
    [keysOf(defs?.["serverSandbox"]), SERVER_SANDBOX_KEYS],
    [[...new Set(server)].sort(), SERVER_KEYS],
    [keysOf(LOCK), LOCK_KEYS],
    [keysOf(item), LOCKED_ITEM_KEYS],
    [keysOf(LOCK.properties?.["sandbox"]), LOCKED_SANDBOX_KEYS],
  ];
  for (const [known, expected] of pairs) {
    deepStrictEqual(known, [...expected].sort());
  }
});

Deno.test("the schemas explain every key that a user writes", () => {
  for (const schema of [MANIFEST, LOCK]) {
    const sections = [schema, ...Object.values(schema.properties ?? {})];
    for (const section of sections) {
      for (const [key, part] of Object.entries(section.properties ?? {})) {
        strictEqual(typeof part.description, "string", key);
      }
    }
  }
});
