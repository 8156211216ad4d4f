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
    envHost: reader.strings(table["env_host"], [...path, "env_host"]),
    pathDirs: reader.strings(table["path_dirs"], [...path, "path_dirs"]),
    cacheDirs: reader.strings(table["cache_dirs"], [...path, "cache_dirs"]),
    protect: reader.strings(table["protect"], [...path, "protect"]),
  };
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
