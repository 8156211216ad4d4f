import {
  deepStrictEqual,
  notStrictEqual,
  strictEqual,
  throws,
} from "node:assert/strict";
import { sha256Hex } from "../os/hash.ts";
import {
  compareLock,
  declarationHash,
  EMPTY_LOCK,
  type Lock,
  lockAgrees,
  makeLock,
  type Manifest,
  parseManifest,
} from "./mod.ts";

const TEXT = `[env]
name = "x"

[mcp.docs]
url = "https://docs.example.com/mcp"

[mcp.github]
command = "npx"
args = ["-y", "server"]
env = { A = "1", B = "2" }

[[plugins.enabled]]
name = "review"
source = "./review"
subpath = "a"

[[plugins.enabled]]
name = "audit"
source = "./audit"

[[skills.enabled]]
name = "strict"
source = "./strict"

[sandbox]
enabled = true
paths = ["~/data:ro"]
`;

function manifest(text = TEXT): Manifest {
  return parseManifest(text, "m");
}

function changed(from: string, to: string): Manifest {
  strictEqual(TEXT.includes(from), true, from);
  return manifest(TEXT.replace(from, to));
}

function lockOf(one: Manifest): Lock {
  const pinned = { pin: "p", tree: "a".repeat(64) };
  return makeLock(one, {
    plugins: one.plugins.map((entry) => ({ ...entry, ...pinned })),
    skills: one.skills.map((entry) => ({ ...entry, ...pinned })),
  });
}

const LOCK = lockOf(manifest());

/** What changed, in short. */
function differences(one: Manifest, lock = LOCK): string[] {
  return compareLock(one, lock).map((difference) => {
    const { kind, change } = difference;
    const what = "name" in difference
      ? difference.name
      : "entry" in difference
      ? difference.entry.name
      : "locked" in difference
      ? difference.locked.name
      : "";
    const keys = "keys" in difference ? difference.keys.join() : "";
    return [kind, what, change, keys].filter((word) => word !== "").join(" ");
  });
}

Deno.test("lockAgrees() holds for the lock of a manifest, and after changes that lock nothing", () => {
  strictEqual(lockAgrees(manifest(), LOCK), true);
  const reworded: readonly (readonly [string, string])[] = [
    ['name = "x"', 'name = "y"\ndescription = "d"\n[vars]\nA = "1"'],
    ['env = { A = "1", B = "2" }', 'env = { B = "2", A = "1" }'],
    ['url = "https', 'headers = {}\ntype = "http"\nurl = "https'],
    ["enabled = true", 'network = "open"\nprotect = []\nenabled = true'],
  ];
  for (const [from, to] of reworded) {
    deepStrictEqual(differences(changed(from, to)), [], to);
  }
  strictEqual(lockAgrees(manifest('[env]\nname = "x"'), EMPTY_LOCK), true);
});

Deno.test("compareLock() lists what a first install has to add, by kind and name", () => {
  deepStrictEqual(differences(manifest(), EMPTY_LOCK), [
    "plugins audit added",
    "plugins review added",
    "skills strict added",
    "mcp docs added",
    "mcp github added",
    "sandbox added",
  ]);
});

Deno.test("compareLock() lists what the manifest no longer declares", () => {
  deepStrictEqual(differences(manifest('[env]\nname = "x"')), [
    "plugins audit removed",
    "plugins review removed",
    "skills strict removed",
    "mcp docs removed",
    "mcp github removed",
    "sandbox removed",
  ]);
});

Deno.test("compareLock() says what changed", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['"./review"', '"./other"', "plugins review changed source"],
    ['subpath = "a"', 'subpath = "b"', "plugins review changed subpath"],
    ['subpath = "a"', "", "plugins review changed subpath"],
    ['"./strict"', '"./strict/"', "skills strict changed source"],
    ['"-y", "server"', '"server", "-y"', "mcp github changed"],
    ['A = "1"', 'A = "2"', "mcp github changed"],
    ["docs.example.com/mcp", "docs.example.com/sse", "mcp docs changed"],
    ["url =", 'type = "sse"\nurl =', "mcp docs changed"],
    ["url =", "disabled = true\nurl =", "mcp docs changed"],
    ["args =", "disabled = true\nargs =", "mcp github changed"],
    ["args =", 'cwd = "."\nargs =', "mcp github changed"],
    ["args =", 'secret_args = "allow"\nargs =', "mcp github changed"],
    [
      "args =",
      "sandbox = { paths = [] }\nargs =",
      "mcp github changed",
    ],
    [
      "args =",
      'sandbox = { project = "read" }\nargs =',
      "mcp github changed",
    ],
    ["~/data:ro", "~/data:rw", "sandbox changed"],
    [
      "enabled = true",
      'enabled = true\nunix_sockets = ["/a"]',
      "sandbox changed",
    ],
    ["enabled = true", "enabled = false", "sandbox changed"],
    ["enabled = true", 'enabled = true\nnetwork = "none"', "sandbox changed"],
    ["enabled = true", 'enabled = true\nenv_host = ["A"]', "sandbox changed"],
    ["enabled = true", 'enabled = true\npath_dirs = ["/a"]', "sandbox changed"],
    ["enabled = true", 'enabled = true\nprotect = ["a"]', "sandbox changed"],
  ];
  for (const [from, to, expected] of cases) {
    deepStrictEqual(differences(changed(from, to)), [expected], to);
  }
});

Deno.test("compareLock() tells no hosts from no network and from an open one", () => {
  const [none, hosts, open] = [
    '"none"',
    '{ mode = "hosts", allow = [] }',
    '"open"',
  ].map((network) =>
    lockOf(changed("enabled = true", `enabled = true\nnetwork = ${network}`))
      .sandbox
  );
  strictEqual(new Set([none, hosts, open]).size, 3);
});

Deno.test("compareLock() takes a server called like a part of every object for a server", () => {
  const one = changed("[mcp.docs]", "[mcp.constructor]");
  deepStrictEqual(differences(one), [
    "mcp constructor added",
    "mcp docs removed",
  ]);
});

Deno.test("declarationHash() is the hash of canonical JSON", () => {
  strictEqual(
    declarationHash({ b: [1, true, null, "ä\n"], a: { "": "x" } }),
    sha256Hex('{"a":{"":"x"},"b":[1,true,null,"ä\\n"]}'),
  );
  strictEqual(
    declarationHash(["a", "b"]) === declarationHash(["b", "a"]),
    false,
  );
  notStrictEqual(declarationHash({}), declarationHash([]));
  for (const value of [1.5, NaN, 2 ** 53, undefined as never]) {
    throws(() => declarationHash({ value }), TypeError);
  }
});

Deno.test("lockAgrees() takes a default that is written out for one that is not", () => {
  const text = changed(
    "args =",
    'secret_args = "refuse"\ndisabled = false\nargs =',
  );
  deepStrictEqual(differences(text), []);
});
