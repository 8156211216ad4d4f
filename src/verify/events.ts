/** What the agent reports about itself: the lines of `--output-format stream-json`. */
import type { HookRun, Listed, Observation } from "./types.ts";

type Json = Readonly<Record<string, unknown>>;

/** Reads the output of one run; undefined when it holds no init event. */
export function parseEvents(output: string): Observation | undefined {
  const events = output.split("\n").flatMap(parseLine);
  const init = events.find((e) =>
    e["type"] === "system" && e["subtype"] === "init"
  );
  if (init === undefined) return undefined;
  const result = events.find((e) => e["type"] === "result");
  const tables = text(result?.["result"]);
  return {
    version: text(init["claude_code_version"]),
    session: text(init["session_id"]),
    plugins: records(init["plugins"]).map((p) => ({
      name: text(p["name"]),
      path: text(p["path"]),
      source: text(p["source"]),
    })),
    pluginErrors: records(init["plugin_errors"]).map((e) => ({
      plugin: text(e["plugin"]),
      message: text(e["message"]),
    })),
    servers: records(init["mcp_servers"]).map((s) => ({
      name: text(s["name"]),
      status: text(s["status"]),
    })),
    skills: texts(init["skills"]),
    commands: [
      ...texts(init["slash_commands"]),
      ...texts(init["terminal_slash_commands"]),
    ],
    agents: texts(init["agents"]),
    tools: texts(init["tools"]),
    style: text(init["output_style"]),
    model: text(init["model"]),
    autoMemory: optional(record(init["memory_paths"])["auto"]),
    directories: texts(init["additional_directories"]),
    hooks: hookRuns(events),
    listed: {
      memory: tableRows(tables, "Memory Files", { name: 1, source: 0 }),
      skills: tableRows(tables, "Skills", { name: 0, source: 1 })
        .map(withPlugin),
      agents: tableRows(tables, "Custom Agents", { name: 0, source: 1 }),
    },
  };
}

/** Output may hold lines that are no events: a program's own messages. */
function parseLine(line: string): Json[] {
  if (!line.startsWith("{")) return [];
  try {
    return [record(JSON.parse(line))];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}

/** Every hook that started, with how it ended. */
function hookRuns(events: readonly Json[]): HookRun[] {
  const ends = new Map(
    events.filter((e) => e["subtype"] === "hook_response")
      .map((e) => [e["hook_id"], e]),
  );
  return events.filter((e) => e["subtype"] === "hook_started").map((start) => {
    const end = ends.get(start["hook_id"]);
    const code = end?.["exit_code"];
    return {
      event: text(start["hook_event"]) ||
        text(start["hook_name"]).replace(/:.*/, ""),
      exitCode: typeof code === "number" ? code : undefined,
      stdout: text(end?.["stdout"]),
      stderr: text(end?.["stderr"]),
    };
  });
}

/** The rows below a heading, as name and source. */
function tableRows(
  tables: string,
  heading: string,
  columns: { readonly name: number; readonly source: number },
): Listed[] {
  const lines = tables.split("\n");
  const start = lines.indexOf(`### ${heading}`);
  if (start < 0) return [];
  const rows: string[][] = [];
  for (const line of lines.slice(start + 1)) {
    if (line.trim() === "" && rows.length === 0) continue;
    if (!line.startsWith("|")) break;
    rows.push(line.split("|").slice(1, -1).map((cell) => cell.trim()));
  }
  // The first two are the titles and the rule below them.
  return rows.slice(2).map((cells) => ({
    name: cells[columns.name] ?? "",
    source: cells[columns.source] ?? "",
  }));
}

/** 2.1.197 leaves the plugin's name out in this table. */
function withPlugin({ name, source }: Listed): Listed {
  const plugin = /^Plugin \((.+)\)$/.exec(source)?.[1];
  return plugin === undefined || name.startsWith(`${plugin}:`)
    ? { name, source }
    : { name: `${plugin}:${name}`, source };
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : {};
}

function records(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((v): v is string => typeof v === "string")
    : [];
}

function optional(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
