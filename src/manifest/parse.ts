/** Reads `aenv.toml`. */
import { type EnvName, isGlobal, nameProblem } from "../base/ids.ts";
import { quote } from "../base/text.ts";
import { parseEntries } from "./entries.ts";
import { parseMcp } from "./mcp.ts";
import { type KeyPath, Reader, showPath } from "./reader.ts";
import { parseSandbox } from "./sandbox.ts";
import type { Manifest } from "./schema.ts";
import { parseSecrets } from "./secrets.ts";
import { parseTomlText } from "./toml.ts";
import { parseVars } from "./vars.ts";

/** Keys at the top of a manifest. */
export const TOP_KEYS = [
  "aenv_schema_version",
  "env",
  "vars",
  "mcp",
  "plugins",
  "skills",
  "secrets",
  "sandbox",
  "hooks",
] as const;

/** Keys of `[env]` in every schema version. */
export const ENV_KEYS = [
  "name",
  "description",
  "isolation",
  "project_config",
  "xdg",
  "created",
] as const;

/** Keys of `[env.compat]`. */
export const COMPAT_KEYS = ["claude", "codex"] as const;

/** Keys of `[hooks]`. */
export const HOOK_KEYS = ["pre_activate"] as const;

/** Parses the text of a manifest; `file` names it in errors. Throws `MANIFEST_INVALID` with line and column. */
export function parseManifest(text: string, file: string): Manifest {
  const reader = new Reader(text, file);
  const top = reader.table(
    parseTomlText(text, (state, cause) => reader.failAt(state, cause)),
    [],
    TOP_KEYS,
  );
  const schema = parseSchemaVersion(reader, top["aenv_schema_version"]);
  const compatKey = schema === "1" ? "cc_compatible" : "compat";
  const env = reader.table(top["env"], ["env"], [...ENV_KEYS, compatKey]);
  const hooks = reader.table(top["hooks"], ["hooks"], HOOK_KEYS);
  const mcp = parseMcp(reader, top["mcp"]);
  const sandbox = parseSandbox(reader, top["sandbox"]);
  checkSandboxes(reader, mcp, sandbox);
  return {
    schema,
    name: parseName(reader, env["name"]),
    description: reader.string(env["description"], ["env", "description"]) ??
      "",
    isolation: reader.choice(env["isolation"], ["env", "isolation"], [
      "private",
      "overlay",
    ]),
    projectConfig: reader.choice(env["project_config"], [
      "env",
      "project_config",
    ], [
      "load",
      "ignore",
    ]),
    xdg: reader.choice(env["xdg"], ["env", "xdg"], ["shared", "private"]),
    compat: schema === "1"
      ? parseOldCompat(reader, env["cc_compatible"])
      : parseCompat(reader, env["compat"]),
    vars: parseVars(reader, top["vars"]),
    mcp,
    plugins: parseEntries(reader, top["plugins"], "plugins"),
    skills: parseEntries(reader, top["skills"], "skills"),
    secrets: parseSecrets(reader, top["secrets"]),
    sandbox,
    preActivate:
      reader.string(hooks["pre_activate"], ["hooks", "pre_activate"]) ||
      undefined,
  };
}

/** A sandbox that nothing would enforce is an error. */
function checkSandboxes(
  reader: Reader,
  mcp: Manifest["mcp"],
  sandbox: Manifest["sandbox"],
): void {
  if (sandbox?.enabled) return;
  for (const [name, server] of Object.entries(mcp)) {
    if (server.type !== "stdio" || server.sandbox === undefined) continue;
    const path = ["mcp", name, "sandbox"];
    reader.fail(
      path,
      `${showPath(path)} confines nothing while the agent is not confined`,
      "Write enabled = true under [sandbox], or take it out",
    );
  }
}

function parseSchemaVersion(reader: Reader, value: unknown): "1" | "2" {
  const version = reader.string(value, ["aenv_schema_version"]) ?? "2";
  if (version === "1" || version === "2") return version;
  reader.fail(
    ["aenv_schema_version"],
    `unsupported schema version ${quote(version)}`,
    'Use aenv_schema_version = "2", or a newer aenv',
  );
}

function parseName(reader: Reader, value: unknown): EnvName {
  const path = ["env", "name"];
  const name = reader.required(value, path);
  const problem = nameProblem(name) ??
    (isGlobal(name) ? "it is reserved for your own configuration" : undefined);
  if (problem !== undefined) {
    reader.fail(path, `the name ${quote(name)} cannot be used: ${problem}`);
  }
  return name as EnvName;
}

function parseCompat(reader: Reader, value: unknown): Manifest["compat"] {
  const table = reader.table(value, ["env", "compat"], COMPAT_KEYS);
  const out: Partial<Record<"claude" | "codex", string>> = {};
  for (const agent of COMPAT_KEYS) {
    if (table[agent] === undefined) continue;
    out[agent] = parseRange(reader, table[agent], ["env", "compat", agent]);
  }
  return out;
}

function parseOldCompat(reader: Reader, value: unknown): Manifest["compat"] {
  if (value === undefined) return {};
  return { claude: parseRange(reader, value, ["env", "cc_compatible"]) };
}

/** One comparator: an operator and up to three numbers. The full grammar is checked by `semver` where a range is used. */
const COMPARATOR =
  /^(>=|<=|>|<|=|\^|~)?\s*v?\d+(\.(\d+|[x*])){0,2}(-[0-9A-Za-z.-]+)?$/;

function parseRange(reader: Reader, value: unknown, path: KeyPath): string {
  const range = reader.required(value, path).trim();
  const valid = range === "*" ||
    range.split(",").every((part) => COMPARATOR.test(part.trim()));
  if (!valid) {
    reader.fail(
      path,
      `${quote(range)} is not a version range`,
      'Write it like ">=2.1, <3"',
    );
  }
  return range;
}
