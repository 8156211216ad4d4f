/** `[sandbox]`. */
import { quote } from "../base/text.ts";
import type { Reader } from "./reader.ts";
import type { NetworkMode, SandboxSection } from "./schema.ts";

/** Keys of `[sandbox]`. */
export const SANDBOX_KEYS = [
  "enabled",
  "paths",
  "network",
  "env_host",
  "path_dirs",
  "cache_dirs",
  "protect",
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
  return {
    enabled: reader.boolean(table["enabled"], [...path, "enabled"], false),
    paths: reader.strings(table["paths"], [...path, "paths"]).map((text, i) =>
      parseGrant(reader, text, i)
    ),
    network: parseNetwork(reader, table["network"]),
    envHost: parseList(reader, table, { key: "env_host", problemOf: variable }),
    pathDirs: parseList(reader, table, { key: "path_dirs", problemOf: place }),
    cacheDirs: parseList(reader, table, {
      key: "cache_dirs",
      problemOf: place,
    }),
    protect: parseList(reader, table, { key: "protect", problemOf: inside }),
  };
}

function parseList(
  reader: Reader,
  table: Readonly<Record<string, unknown>>,
  { key, problemOf }: {
    readonly key: string;
    readonly problemOf: (text: string) => string | undefined;
  },
): readonly string[] {
  const path = ["sandbox", key];
  return reader.strings(table[key], path).map((text, index) => {
    const problem = problemOf(text);
    if (problem === undefined) return text;
    reader.fail([...path, index], `${quote(text)} cannot be used: ${problem}`);
  });
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

function parseGrant(
  reader: Reader,
  text: string,
  index: number,
): SandboxSection["paths"][number] {
  const match = /^(.+):(ro|rw)$/.exec(text);
  if (!match) {
    reader.fail(
      ["sandbox", "paths", index],
      `${quote(text)} does not say how the path may be used`,
      `Write ${quote(text + ":ro")} or ${quote(text + ":rw")}`,
    );
  }
  const problem = place(match[1]!);
  if (problem !== undefined) {
    reader.fail(
      ["sandbox", "paths", index],
      `${quote(text)} cannot be used: ${problem}`,
    );
  }
  return { path: match[1]!, access: match[2] as "ro" | "rw" };
}

function parseNetwork(reader: Reader, value: unknown): NetworkMode {
  const path = ["sandbox", "network"];
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
    `sandbox.network.mode is ${quote(mode)}`,
    'Use "open", "none" or { mode = "hosts", allow = […] }',
  );
}
