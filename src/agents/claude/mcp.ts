/** The generated mcp.json, and the servers that plugins bring. */
import { type AbsPath, join } from "../../base/paths.ts";
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { realPath } from "../../os/fs.ts";
import { isWithin } from "../../base/paths.ts";
import { asRecord, isRecord, readJsonObject } from "./user_config.ts";

/** A server as the agent's configuration has it. */
export type ServerEntry = Readonly<Record<string, unknown>>;

/** A plugin at its installed place. */
export interface PluginPlace {
  /** The name in its own manifest, else the directory's. */
  readonly name: string;
  /** Where its files are read now. */
  readonly source: AbsPath;
  /** Where they will be when the agent runs. */
  readonly installed: AbsPath;
  /** Where it may keep data. */
  readonly data: AbsPath;
}

/**
 * The variables that the agent gives to a server, as far as they are known before it runs: all of its own but the login, and
 * those that name it and the project.
 */
export function serverVariables(
  environment: Readonly<Record<string, string>>,
  project: AbsPath,
): Record<string, string> {
  const kept = Object.entries(environment).filter(([name]) =>
    !name.startsWith("CLAUDE_CODE_OAUTH_")
  );
  return {
    ...Object.fromEntries(kept),
    CLAUDECODE: "1",
    CLAUDE_PROJECT_DIR: project,
  };
}

/** The command line that runs `words` in `dir`: the agent starts every server where it runs itself. */
export function startedIn(dir: AbsPath, words: readonly string[]): string[] {
  const script = 'cd -- "$1" && shift && exec "$@"';
  return ["/bin/sh", "-c", script, "sh", dir, ...words];
}

/**
 * The servers of a plugin under the names the agent gives them, `plugin:<plugin>:<server>`, with what only the agent would
 * have filled in. Needed where `--strict-mcp-config` drops them.
 */
export function hoistPluginServers(
  plugin: PluginPlace,
  cwd: AbsPath,
): Record<string, ServerEntry> {
  const out: Record<string, ServerEntry> = {};
  for (const [name, entry] of Object.entries(pluginServers(plugin.source))) {
    out[`plugin:${plugin.name}:${name}`] = fillIn(entry, plugin, cwd);
  }
  return out;
}

/** The servers a plugin declares: its .mcp.json, and `mcpServers` of its manifest (a table, a path, or a list of both). */
export function pluginServers(source: AbsPath): Record<string, ServerEntry> {
  const manifest = readJsonObject(
    join(source, ".claude-plugin", "plugin.json"),
  );
  const declared = manifest?.["mcpServers"];
  const parts = [
    readJsonObject(join(source, ".mcp.json")),
    ...(Array.isArray(declared) ? declared : [declared]).map((part) =>
      typeof part === "string" ? readServersFile(source, part) : part
    ),
  ];
  const out: Record<string, ServerEntry> = {};
  for (const part of parts) {
    const table = asRecord(part);
    for (
      const [name, entry] of Object.entries(
        asRecord(table["mcpServers"] ?? table),
      )
    ) {
      if (isRecord(entry)) out[name] = entry;
    }
  }
  return out;
}

function readServersFile(
  source: AbsPath,
  path: string,
): Record<string, unknown> | undefined {
  const file = join(source, path);
  const [real, base] = [realPath(file), realPath(source)];
  if (real === undefined || base === undefined) return undefined;
  if (!isWithin(real, base)) {
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot read MCP servers ${quote(path)} of plugin ${
        quote(source)
      }: the path leads out of it`,
    );
  }
  return readJsonObject(file);
}

/** `entry` with the directories put in that only the agent knows, and the two variables it would add. */
function fillIn(
  entry: ServerEntry,
  plugin: PluginPlace,
  cwd: AbsPath,
): ServerEntry {
  const variables = {
    CLAUDE_PLUGIN_ROOT: plugin.installed,
    CLAUDE_PLUGIN_DATA: plugin.data,
  };
  const filled = asRecord(
    substitute(entry, { ...variables, CLAUDE_PROJECT_DIR: cwd }),
  );
  if (typeof filled["command"] !== "string") return filled;
  return { ...filled, env: { ...variables, ...asRecord(filled["env"]) } };
}

function substitute(
  value: unknown,
  variables: Readonly<Record<string, string>>,
): unknown {
  if (typeof value === "string") {
    return value.replace(
      /\$\{(CLAUDE_(?:PLUGIN_ROOT|PLUGIN_DATA|PROJECT_DIR))\}/g,
      (_, name) => variables[name] ?? "",
    );
  }
  if (Array.isArray(value)) {
    return value.map((item) => substitute(item, variables));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, substitute(v, variables)]),
  );
}
