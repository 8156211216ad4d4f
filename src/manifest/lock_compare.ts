/** Manifest against lock: what each item is hashed from, and where the two differ. */
import { sha256Hex } from "../os/hash.ts";
import type { Lock, LockedItem } from "./lock.ts";
import type {
  Entry,
  EntryKind,
  Manifest,
  McpServer,
  NetworkMode,
  SandboxSection,
  ServerSandbox,
} from "./schema.ts";

/** What can be declared, and hashed alike on every system. Numbers are safe integers. */
export type Declaration =
  | string
  | number
  | boolean
  | null
  | readonly Declaration[]
  | { readonly [key: string]: Declaration };

/** SHA-256 of a declaration in canonical JSON (sorted keys, no white space), 64 lower-case hexadecimal digits. */
export function declarationHash(value: Declaration): string {
  return sha256Hex(canonicalJson(value));
}

function canonicalJson(value: Declaration): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const table = value as { readonly [key: string]: Declaration };
    const pairs = Object.keys(table).sort().map((key) =>
      `${JSON.stringify(key)}:${canonicalJson(table[key]!)}`
    );
    return `{${pairs.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new TypeError(`Not a safe integer: ${value}`);
  }
  // What JSON does not know would be written as "undefined" and hash like that text.
  if (value === undefined) throw new TypeError("Not a declaration: undefined");
  return JSON.stringify(value);
}

/** The hash that a lock holds for an MCP server. Defaults are left out, so that a later version's new ones change no hash. */
export function serverHash(server: McpServer): string {
  if (server.type === "stdio") {
    const { type, command, args, env, ...more } = server;
    const { cwd, secretArgs, disabled, sandbox, ...rest } = more;
    rest satisfies Record<string, never>;
    return declarationHash({
      type,
      command,
      ...withoutEmpty({ args, env }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(secretArgs ? { secret_args: "allow" } : {}),
      ...(disabled ? { disabled } : {}),
      ...(sandbox === undefined ? {} : { sandbox: sandboxWords(sandbox) }),
    });
  }
  const { type, url, headers, disabled, ...rest } = server;
  rest satisfies Record<string, never>;
  return declarationHash({
    type,
    url,
    ...withoutEmpty({ headers }),
    ...(disabled ? { disabled } : {}),
  });
}

/** What is written counts, also an empty list: it takes away what `[sandbox]` grants. */
function sandboxWords(sandbox: ServerSandbox): Declaration {
  const { project, paths, network, ...more } = sandbox;
  const { pathDirs, cacheDirs, unixSockets, ...rest } = more;
  rest satisfies Record<string, never>;
  const words = {
    project,
    paths: paths?.map(pathWord),
    network: network && networkWords(network),
    "path_dirs": pathDirs,
    "cache_dirs": cacheDirs,
    "unix_sockets": unixSockets,
  };
  return Object.fromEntries(
    Object.entries(words).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]]
    ),
  );
}

function pathWord({ path, access }: SandboxSection["paths"][number]): string {
  return `${path}:${access}`;
}

function networkWords(network: NetworkMode): Declaration {
  const { mode } = network;
  return mode === "hosts" ? { mode, allow: network.allow } : { mode };
}

/** The hash that a lock holds for `[sandbox]`. */
export function policyHash(section: SandboxSection): string {
  const { enabled, paths, network, ...more } = section;
  const { envHost, pathDirs, cacheDirs, unixSockets, protect, ...rest } = more;
  rest satisfies Record<string, never>;
  const lists = {
    paths: paths.map(pathWord),
    "env_host": envHost,
    "path_dirs": pathDirs,
    "cache_dirs": cacheDirs,
    "unix_sockets": unixSockets,
    protect,
  };
  return declarationHash({
    enabled,
    network: networkWords(network),
    ...withoutEmpty(lists),
  });
}

function withoutEmpty(
  table: Readonly<Record<string, Declaration>>,
): Record<string, Declaration> {
  return Object.fromEntries(
    Object.entries(table).filter(([, value]) =>
      typeof value === "object" && value !== null &&
      Object.keys(value).length > 0
    ),
  );
}

/** The lock of `manifest` when its plugins and skills were installed as `items`. */
export function makeLock(
  manifest: Manifest,
  items: Pick<Lock, EntryKind>,
): Lock {
  return {
    plugins: items.plugins,
    skills: items.skills,
    mcp: Object.fromEntries(
      Object.entries(manifest.mcp).map(([name, server]) => [
        name,
        serverHash(server),
      ]),
    ),
    sandbox: manifest.sandbox && policyHash(manifest.sandbox),
  };
}

/** One thing in which manifest and lock differ. `change` is what the manifest did since the lock was written. */
export type LockDifference =
  | {
    readonly kind: EntryKind;
    readonly change: "added";
    readonly entry: Entry;
  }
  | {
    readonly kind: EntryKind;
    readonly change: "changed";
    readonly entry: Entry;
    readonly locked: LockedItem;
    /** Which of its words changed. */
    readonly keys: readonly ("source" | "subpath")[];
  }
  | {
    readonly kind: EntryKind;
    readonly change: "removed";
    readonly locked: LockedItem;
  }
  | {
    readonly kind: "mcp";
    readonly change: "added" | "changed" | "removed";
    readonly name: string;
  }
  | {
    readonly kind: "sandbox";
    readonly change: "added" | "changed" | "removed";
  };

/** Where `manifest` and `lock` differ: plugins, skills, MCP servers, sandbox, each by name. Says nothing about the disk. */
export function compareLock(manifest: Manifest, lock: Lock): LockDifference[] {
  const { mcp, sandbox } = makeLock(manifest, lock);
  return [
    ...compareEntries("plugins", manifest.plugins, lock.plugins),
    ...compareEntries("skills", manifest.skills, lock.skills),
    ...sortedNames(Object.keys(mcp), Object.keys(lock.mcp)).flatMap((name) => {
      const change = compareHashes(own(mcp, name), own(lock.mcp, name));
      return change === undefined
        ? []
        : [{ kind: "mcp", change, name }] as const;
    }),
    ...compareSandbox(sandbox, lock.sandbox),
  ];
}

/** Whether the lock pins all that the manifest declares, as it declares it, and nothing else. */
export function lockAgrees(manifest: Manifest, lock: Lock): boolean {
  return compareLock(manifest, lock).length === 0;
}

function compareEntries(
  kind: EntryKind,
  entries: readonly Entry[],
  items: readonly LockedItem[],
): LockDifference[] {
  const declared = new Map(entries.map((entry) => [entry.name, entry]));
  const pinned = new Map(items.map((item) => [item.name, item]));
  const names = sortedNames([...declared.keys()], [...pinned.keys()]);
  return names.flatMap((name): LockDifference[] => {
    const [entry, locked] = [declared.get(name), pinned.get(name)];
    if (entry === undefined) {
      return locked ? [{ kind, change: "removed", locked }] : [];
    }
    if (locked === undefined) return [{ kind, change: "added", entry }];
    const keys = (["source", "subpath"] as const).filter((key) =>
      entry[key] !== locked[key]
    );
    if (keys.length === 0) return [];
    return [{ kind, change: "changed", entry, locked, keys }];
  });
}

function compareSandbox(
  declared: string | undefined,
  locked: string | undefined,
): LockDifference[] {
  const change = compareHashes(declared, locked);
  return change === undefined ? [] : [{ kind: "sandbox", change }];
}

function compareHashes(
  declared: string | undefined,
  locked: string | undefined,
): "added" | "changed" | "removed" | undefined {
  if (declared === locked) return undefined;
  if (locked === undefined) return "added";
  return declared === undefined ? "removed" : "changed";
}

function sortedNames<T extends string>(a: readonly T[], b: readonly T[]): T[] {
  return [...new Set([...a, ...b])].sort();
}

/** A server may be called like something that every object has. */
function own<T>(
  table: Readonly<Record<string, T>>,
  key: string,
): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
