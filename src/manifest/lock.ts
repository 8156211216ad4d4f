/** `aenv.lock`: reading and writing what pins an environment. */
import type { ItemName } from "../base/ids.ts";
import { quote } from "../base/text.ts";
import { parseName, parseSubpath } from "./entries.ts";
import { type KeyPath, Reader, showPath } from "./reader.ts";
import type { EntryKind } from "./schema.ts";
import { parseTomlText, tomlKey, tomlString } from "./toml.ts";

/** A plugin or a skill as it was installed. */
export interface LockedItem {
  readonly name: ItemName;
  /** As the manifest writes it. */
  readonly source: string;
  readonly subpath: string | undefined;
  /** What the source was resolved to: one line, made and read by its kind of source. */
  readonly pin: string;
  /** Hash of the files, 64 lower-case hexadecimal digits. */
  readonly tree: string;
}

/** A whole lock. All hashes are SHA-256, 64 lower-case hexadecimal digits. */
export interface Lock {
  readonly plugins: readonly LockedItem[];
  readonly skills: readonly LockedItem[];
  /** Server → hash of its declaration. */
  readonly mcp: Readonly<Record<string, string>>;
  /** Hash of the policy; undefined when the manifest has no `[sandbox]`. */
  readonly sandbox: string | undefined;
}

/** The lock of a manifest that was never installed. */
export const EMPTY_LOCK: Lock = {
  plugins: [],
  skills: [],
  mcp: {},
  sandbox: undefined,
};

/** Keys at the top of a lock. */
export const LOCK_KEYS = [
  "aenv_lock_version",
  "plugins",
  "skills",
  "mcp",
  "sandbox",
] as const;

/** Keys of a plugin or skill in a lock. */
export const LOCKED_ITEM_KEYS = ["source", "subpath", "pin", "tree"] as const;

/** Keys of `[sandbox]` in a lock. */
export const LOCKED_SANDBOX_KEYS = ["policy"] as const;

const VERSION = "1";
const HASH = /^sha256-([0-9a-f]{64})$/;

const HEADER = `# Written by aenv from aenv.toml: commit it, and do not edit it.
# When git reports a conflict here, keep what both sides added and run: aenv lock
aenv_lock_version = "${VERSION}"
`;

/** Parses the text of a lock; `file` names it in errors. Throws `LOCK_INVALID` with line and column. */
export function parseLock(text: string, file: string): Lock {
  const reader = new Reader(text, file, { noun: "lock", code: "LOCK_INVALID" });
  const top = parseTomlText(
    text,
    (state, cause) => reader.failAt(state, cause),
  );
  checkVersion(reader, top["aenv_lock_version"]);
  const known = reader.table(top, [], LOCK_KEYS);
  const mcp: Record<string, string> = {};
  const servers = reader.anyTable(known["mcp"], ["mcp"]);
  for (const [name, hash] of Object.entries(servers)) {
    const path = ["mcp", name];
    mcp[parseName(reader, name, path)] = parseHash(reader, hash, path);
  }
  const sandbox = reader.table(
    known["sandbox"],
    ["sandbox"],
    LOCKED_SANDBOX_KEYS,
  );
  return {
    plugins: parseItems(reader, known["plugins"], "plugins"),
    skills: parseItems(reader, known["skills"], "skills"),
    mcp,
    sandbox: known["sandbox"] === undefined
      ? undefined
      : parseHash(reader, sandbox["policy"], ["sandbox", "policy"]),
  };
}

/** Before anything else: a newer lock may have keys that are unknown here, and the version is what to tell. */
function checkVersion(reader: Reader, value: unknown): void {
  const path = ["aenv_lock_version"];
  const version = reader.required(value, path);
  if (version === VERSION) return;
  reader.fail(
    path,
    `unsupported lock version ${quote(version)}`,
    "Use a newer aenv, or write the lock anew with: aenv lock",
  );
}

function parseItems(
  reader: Reader,
  value: unknown,
  kind: EntryKind,
): LockedItem[] {
  const seen = new Set<string>();
  const items = Object.entries(reader.anyTable(value, [kind])).map(
    ([key, item]) => {
      const path = [kind, key];
      const name = parseName(reader, key, path);
      if (seen.has(name.toLowerCase())) {
        reader.fail(path, `${quote(name)} is locked twice`);
      }
      seen.add(name.toLowerCase());
      return parseItem(reader, { name, item }, path);
    },
  );
  return sortByName(items);
}

function parseItem(
  reader: Reader,
  { name, item }: { name: ItemName; item: unknown },
  path: KeyPath,
): LockedItem {
  const table = reader.table(item, path, LOCKED_ITEM_KEYS);
  return {
    name,
    source: reader.required(table["source"], [...path, "source"]),
    subpath: parseSubpath(reader, table["subpath"], [...path, "subpath"]),
    pin: parsePin(reader, table["pin"], [...path, "pin"]),
    tree: parseHash(reader, table["tree"], [...path, "tree"]),
  };
}

function parsePin(reader: Reader, value: unknown, path: KeyPath): string {
  const pin = reader.required(value, path);
  // deno-lint-ignore no-control-regex
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(pin)) return pin;
  reader.fail(path, `${showPath(path)} holds control characters`);
}

function parseHash(reader: Reader, value: unknown, path: KeyPath): string {
  const text = reader.required(value, path);
  const match = HASH.exec(text);
  if (match) return match[1]!;
  reader.fail(
    path,
    `${showPath(path)} is ${quote(text)}`,
    "A hash is written as sha256- and 64 hexadecimal digits in lower case",
  );
}

/** A hash as it is shown and written: `sha256-` and its digits. */
export function showHash(hash: string): string {
  return `sha256-${hash}`;
}

/**
 * The text of `lock`. Equal locks have equal texts, whatever their order. No two lines are alike, for each starts with its
 * whole key: git then never takes a line of one item for that of another, and a merge is right when it keeps both sides.
 */
export function printLock(lock: Lock): string {
  const servers = Object.keys(lock.mcp).sort().map((name) =>
    row(["mcp", name], showHash(lock.mcp[name]!))
  );
  const policy = lock.sandbox === undefined
    ? []
    : [row(["sandbox", "policy"], showHash(lock.sandbox))];
  const blocks = [
    HEADER,
    ...printItems(lock.plugins, "plugins"),
    ...printItems(lock.skills, "skills"),
    servers.join(""),
    policy.join(""),
  ];
  return blocks.filter((block) => block !== "").join("\n");
}

function printItems(items: readonly LockedItem[], kind: EntryKind): string[] {
  return sortByName(items).map(({ name, source, subpath, pin, tree }) =>
    row([kind, name, "source"], source) +
    (subpath === undefined ? "" : row([kind, name, "subpath"], subpath)) +
    row([kind, name, "pin"], pin) +
    row([kind, name, "tree"], showHash(tree))
  );
}

function row(path: readonly string[], value: string): string {
  return `${path.map(tomlKey).join(".")} = ${tomlString(value)}\n`;
}

/** By code unit: the same everywhere, which the order of a locale is not. */
function sortByName<T extends { readonly name: string }>(
  items: readonly T[],
): T[] {
  return [...items].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0
  );
}
