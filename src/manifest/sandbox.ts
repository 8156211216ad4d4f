/** `[sandbox]` and `[secrets]`. */
import { nameProblem } from "../base/ids.ts";
import { quote } from "../base/text.ts";
import type { KeyPath, Reader } from "./reader.ts";
import type { NetworkMode, SandboxSection, SecretsSection } from "./schema.ts";

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

/** Keys of `[secrets.<key>]`. */
export const SECRET_KEYS = ["tools"] as const;

/** Tools that get a secret when the manifest names none. */
const DEFAULT_TOOLS = [
  "npm",
  "npx",
  "yarn",
  "pnpm",
  "bun",
  "git",
  "gh",
  "aws",
  "s4cmd",
  "gcloud",
  "gsutil",
  "bq",
  "curl",
] as const;

/** Programs that run whatever they are told: a secret handed to one is handed to everything. */
const INTERPRETERS =
  /^(a|ba|da|k|z|fi|tc|c)?sh$|^(node|deno|python[0-9.]*|perl|ruby|php|lua|env|sudo|xargs)$/;

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

/** Reads `[secrets]`. */
export function parseSecrets(reader: Reader, value: unknown): SecretsSection {
  const { expose, ...rest } = reader.anyTable(value, ["secrets"]);
  const tools: Record<string, readonly string[]> = {};
  for (const [key, item] of Object.entries(rest)) {
    const path = ["secrets", key];
    const problem = nameProblem(key);
    if (problem !== undefined) {
      reader.fail(
        path,
        `the secret key ${quote(key)} cannot be used: ${problem}`,
      );
    }
    tools[key] = parseTools(
      reader,
      reader.table(item, path, SECRET_KEYS)["tools"],
      [...path, "tools"],
    );
  }
  const exposed = expose === undefined
    ? undefined
    : reader.choice(expose, ["secrets", "expose"], ["env"]);
  return { expose: exposed, tools };
}

function parseTools(
  reader: Reader,
  value: unknown,
  path: KeyPath,
): readonly string[] {
  if (value === undefined) return DEFAULT_TOOLS;
  const tools = reader.strings(value, path);
  for (const [i, tool] of tools.entries()) {
    const problem = nameProblem(tool) ??
      (INTERPRETERS.test(tool) ? "it runs whatever it is told" : undefined);
    if (problem !== undefined) {
      reader.fail(
        [...path, i],
        `the tool ${quote(tool)} cannot be given a secret: ${problem}`,
      );
    }
  }
  return tools;
}
