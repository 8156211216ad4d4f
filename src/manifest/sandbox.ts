/** `[sandbox]`, and `[mcp.<name>.sandbox]`. */
import { quote } from "../base/text.ts";
import { type KeyPath, type Reader, showPath, type Table } from "./reader.ts";
import type { NetworkMode, SandboxSection, ServerSandbox } from "./schema.ts";

/** Keys of `[sandbox]`. */
export const SANDBOX_KEYS = [
  "enabled",
  "paths",
  "network",
  "env_host",
  "path_dirs",
  "cache_dirs",
  "unix_sockets",
  "protect",
] as const;

/** Keys of `[mcp.<name>.sandbox]`. */
export const SERVER_SANDBOX_KEYS = [
  "project",
  "paths",
  "network",
  "path_dirs",
  "cache_dirs",
  "unix_sockets",
] as const;

/** Keys of `sandbox.network`. */
export const NETWORK_KEYS = ["mode", "allow"] as const;

/** Reads `[sandbox]`; undefined when there is none. */
export function parseSandbox(
  reader: Reader,
  value: unknown,
): SandboxSection | undefined {
  if (value === undefined) return undefined;
  const path = ["sandbox"];
  const table = reader.table(value, path, SANDBOX_KEYS);
  const lists = new Lists(reader, table, path);
  return {
    enabled: reader.boolean(table["enabled"], [...path, "enabled"], false),
    paths: lists.grants(),
    network: parseNetwork(reader, table["network"], [...path, "network"]),
    envHost: lists.of("env_host", variable),
    pathDirs: lists.of("path_dirs", place),
    cacheDirs: lists.of("cache_dirs", place),
    unixSockets: lists.of("unix_sockets", socket),
    protect: lists.of("protect", inside),
  };
}

/** Reads `[mcp.<name>.sandbox]`, which stands at `path`; undefined when there is none. A key that is not written stays undefined. */
export function parseServerSandbox(
  reader: Reader,
  value: unknown,
  path: KeyPath,
): ServerSandbox | undefined {
  if (value === undefined) return undefined;
  const table = reader.table(value, path, SERVER_SANDBOX_KEYS);
  const lists = new Lists(reader, table, path);
  function written<T>(key: string, read: () => T): T | undefined {
    return table[key] === undefined ? undefined : read();
  }
  return {
    project: written("project", () =>
      reader.choice(
        table["project"],
        [...path, "project"],
        ["write", "read", "none"],
      )),
    paths: written("paths", () => lists.grants()),
    network: written(
      "network",
      () => parseNetwork(reader, table["network"], [...path, "network"]),
    ),
    pathDirs: written("path_dirs", () => lists.of("path_dirs", place)),
    cacheDirs: written("cache_dirs", () => lists.of("cache_dirs", place)),
    unixSockets: written(
      "unix_sockets",
      () => lists.of("unix_sockets", socket),
    ),
  };
}

/** The lists of one table. */
class Lists {
  readonly #reader: Reader;
  readonly #table: Table;
  readonly #path: KeyPath;

  constructor(reader: Reader, table: Table, path: KeyPath) {
    this.#reader = reader;
    this.#table = table;
    this.#path = path;
  }

  of(
    key: string,
    problemOf: (text: string) => string | undefined,
  ): readonly string[] {
    const path = [...this.#path, key];
    return this.#reader.strings(this.#table[key], path).map((text, index) => {
      const problem = problemOf(text);
      if (problem === undefined) return text;
      this.#reader.fail(
        [...path, index],
        `${quote(text)} cannot be used: ${problem}`,
      );
    });
  }

  grants(): SandboxSection["paths"] {
    const path = [...this.#path, "paths"];
    return this.#reader.strings(this.#table["paths"], path)
      .map((text, index) => parseGrant(this.#reader, text, [...path, index]));
  }
}

/** Why a text is no place; undefined when it is one. `~` stands for the home directory, `*` and `?` for parts of one name. */
function place(text: string): string | undefined {
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) return "it has a control character in it";
  const names = text.split("/");
  if (names.includes("**")) return "* stands for one name at a time";
  return /^~[^/]/.test(text) ? "~ stands for your own home only" : undefined;
}

/** Why a text is no place inside the project. */
function inside(text: string): string | undefined {
  const isOutside = /^[/~]/.test(text) || text.split("/").includes("..");
  return place(text) ??
    (isOutside ? "it is not a path inside the project" : undefined);
}

/** Why a text names no variables: a name, or the beginning of names with a `*`. */
function variable(text: string): string | undefined {
  return /^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(text)
    ? undefined
    : "it is neither a name nor the beginning of one with a *";
}

/** Why a text names no sockets: the variable that holds a path, a socket, or a directory of them. */
function socket(text: string): string | undefined {
  if (!text.startsWith("$") || text === "$TMPDIR") return place(text);
  return /^\$[A-Z_][A-Z0-9_]*SOCK(ET)?$/.test(text)
    ? undefined
    : "a variable of a socket has a name that ends in SOCK or SOCKET";
}

function parseGrant(
  reader: Reader,
  text: string,
  at: KeyPath,
): SandboxSection["paths"][number] {
  const match = /^(.+):(ro|rw)$/.exec(text);
  if (!match) {
    reader.fail(
      at,
      `${quote(text)} does not say how the path may be used`,
      `Write ${quote(text + ":ro")} or ${quote(text + ":rw")}`,
    );
  }
  const problem = place(match[1]!);
  if (problem !== undefined) {
    reader.fail(at, `${quote(text)} cannot be used: ${problem}`);
  }
  return { path: match[1]!, access: match[2] as "ro" | "rw" };
}

function parseNetwork(
  reader: Reader,
  value: unknown,
  path: KeyPath,
): NetworkMode {
  if (value === undefined || typeof value === "string") {
    return { mode: reader.choice(value, path, ["open", "none"]) };
  }
  const table = reader.table(value, path, NETWORK_KEYS);
  const mode = reader.required(table["mode"], [...path, "mode"]);
  const allow = reader.strings(table["allow"], [...path, "allow"]);
  if (mode === "hosts") return { mode, allow };
  if ((mode === "open" || mode === "none") && table["allow"] === undefined) {
    return { mode };
  }
  reader.fail(
    [...path, "mode"],
    `${showPath([...path, "mode"])} is ${quote(mode)}`,
    'Use "open", "none" or { mode = "hosts", allow = […] }',
  );
}
