/**
 * What a plugin or skill would run, in words for the user who has to decide about it. Claude Code 2.1.329. What it cannot put
 * into words it prints as it stands; nothing is cut.
 */
import { type AbsPath, isWithin, join } from "../../base/paths.ts";
import { readDir, readText } from "../../os/fs.ts";
import { asList, asRecord, isRecord, readJsonObject } from "./user_config.ts";

/** Fields of plugin.json that say who and what, but do nothing. */
const DESCRIPTIVE = new Set([
  "name",
  "version",
  "description",
  "author",
  "homepage",
  "repository",
  "license",
  "keywords",
  "$schema",
]);

/** A file that the agent reads by itself: where it is, the table in it, and the word for its entries. */
const FILES = [
  { path: "hooks/hooks.json", field: "hooks" },
  { path: ".mcp.json", field: "mcpServers" },
  { path: ".lsp.json", field: "lspServers" },
  { path: "monitors/monitors.json", field: "monitors" },
  { path: "settings.json", field: "settings" },
] as const;

const MARKDOWN = /\.md$/i;
const MAX_DEPTH = 8;
/** Front matter of skills, commands and agents that runs something. */
const RUNNING_KEYS = /^(hooks|mcpServers|monitors|lspServers)\s*:/;
/** A command that is run before the text is given to the model. */
const INLINE_COMMAND = /!`([^`]+)`/g;

/** Lines about everything in the directory of a plugin that runs or connects to something. */
export function pluginEffects(root: AbsPath): string[] {
  const file = join(root, ".claude-plugin", "plugin.json");
  const manifest = readJsonObject(file) ?? {};
  return [
    ...FILES.flatMap(({ path, field }) => fileEffects(root, path, field)),
    ...Object.entries(manifest).filter(([key]) => !DESCRIPTIVE.has(key))
      .flatMap(([key, value]) =>
        asParts(value).flatMap((part) => declaredEffects(root, key, part))
      ),
    ...(readDir(join(root, "bin")) ?? []).map(({ name }) =>
      `program on PATH: bin/${name}`
    ),
    ...textEffects(root),
  ];
}

/** Lines about commands that the texts of skills, commands and agents in `root` run. */
export function textEffects(root: AbsPath): string[] {
  return markdownBelow(root, "").flatMap((path) => {
    const text = readText(join(root, path)) ?? "";
    const inline = [...text.matchAll(INLINE_COMMAND)].map((match) =>
      `${path} runs: ${match[1]}`
    );
    return [
      ...frontMatterEffects(text).map((line) => `${path}: ${line}`),
      ...inline,
    ];
  });
}

function asParts(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** A part of plugin.json: a table, or the path of a file that holds one. */
function declaredEffects(
  root: AbsPath,
  field: string,
  part: unknown,
): string[] {
  if (typeof part !== "string") return tableEffects(field, part);
  const words = `${field} from ${part}`;
  if (!isWithin(join(root, part), root)) {
    return [`${words}, which leads out of it`];
  }
  return /\.json$/.test(part)
    ? [words, ...fileEffects(root, part, field)]
    : [words];
}

function fileEffects(root: AbsPath, path: string, field: string): string[] {
  if (readText(join(root, path)) === undefined) return [];
  const value = readJson(join(root, path));
  if (value === undefined) return [`${path}: no valid JSON`];
  // The table, or an object that holds it under the field's name.
  return tableEffects(field, asRecord(value)[field] ?? value);
}

function readJson(file: AbsPath): unknown {
  try {
    return JSON.parse((readText(file) ?? "").replace(/^\ufeff/, ""));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function tableEffects(field: string, table: unknown): string[] {
  if (field === "hooks") return hookLines(table);
  const word = ({
    mcpServers: "mcp server",
    lspServers: "language server",
    monitors: "monitor",
  } as Readonly<Record<string, string>>)[field];
  if (word === undefined) return [`${field}: ${JSON.stringify(table)}`];
  if (Array.isArray(table)) {
    return table.map((entry) =>
      `${word} ${String(asRecord(entry)["name"] ?? "")}: ${serverWords(entry)}`
    );
  }
  // One entry of a list in plugin.json.
  if (typeof asRecord(table)["command"] === "string") {
    const name = asRecord(table)["name"];
    return [
      `${word}${typeof name === "string" ? ` ${name}` : ""}: ${
        serverWords(table)
      }`,
    ];
  }
  return Object.entries(asRecord(table)).map(([name, entry]) =>
    `${word} ${name}: ${serverWords(entry)}`
  );
}

function hookLines(table: unknown): string[] {
  if (!isRecord(table)) return [`hooks: ${JSON.stringify(table)}`];
  return Object.entries(table).flatMap(([event, matchers]) => {
    if (!Array.isArray(matchers)) {
      return [`hook ${event}: ${JSON.stringify(matchers)}`];
    }
    return matchers.flatMap((matcher) => {
      const { matcher: pattern, hooks } = asRecord(matcher);
      const where = typeof pattern === "string" && pattern !== ""
        ? `${event} (${pattern})`
        : event;
      return Array.isArray(hooks)
        ? hooks.map((hook) => `hook ${where}: ${hookWords(hook)}`)
        : [`hook ${where}: ${JSON.stringify(matcher)}`];
    });
  });
}

function hookWords(hook: unknown): string {
  const { type, command, timeout: _, ...rest } = asRecord(hook);
  const isPlain = type === "command" && typeof command === "string" &&
    Object.keys(rest).length === 0;
  return isPlain ? command : JSON.stringify(hook);
}

/** A server's command line or address with its variables; whatever is not of that form, as JSON. */
function serverWords(entry: unknown): string {
  const { type: _, command, args, env, url, headers, name: __, ...rest } =
    asRecord(entry);
  const isPlain = isTextOrNone(command) && isTextOrNone(url) &&
    (args === undefined || Array.isArray(args)) &&
    (env === undefined || isRecord(env)) &&
    (headers === undefined || isRecord(headers)) &&
    (command !== undefined || url !== undefined) &&
    Object.keys(rest).length === 0;
  if (!isPlain) return JSON.stringify(entry);
  return [
    ...(command === undefined ? [] : [commandWords(command, args)]),
    ...(url === undefined ? [] : [url]),
    ...tableWords("env", env),
    ...tableWords("headers", headers),
  ].join(" ");
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function tableWords(word: string, table: unknown): string[] {
  const words = Object.entries(asRecord(table)).map(([name, value]) =>
    commandWords(`${name}=${String(value)}`, [])
  );
  return words.length === 0 ? [] : [`(${word}: ${words.join(" ")})`];
}

/** A command line as one could type it: words with anything special in them in quotes. */
export function commandWords(command: string, args: unknown): string {
  return [command, ...asList(args).map(String)]
    .map((word) =>
      /^[\w@%+=:,./{}$~-]+$/.test(word) ? word : JSON.stringify(word)
    ).join(" ");
}

function frontMatterEffects(text: string): string[] {
  const block = /^\ufeff?---\r?\n([\s\S]*?)^---/m.exec(text);
  if (block === null || block.index > 0) return [];
  const found: string[] = [];
  let inside = false;
  for (const line of block[1]!.split(/\r?\n/)) {
    if (/^\S/.test(line)) inside = RUNNING_KEYS.test(line);
    if (inside && line.trim() !== "") found.push(line);
  }
  return found;
}

function markdownBelow(root: AbsPath, prefix: string): string[] {
  if (prefix.split("/").length > MAX_DEPTH) return [];
  return (readDir(join(root, prefix)) ?? []).flatMap(({ name, kind }) => {
    const path = prefix + name;
    if (kind === "directory") return markdownBelow(root, `${path}/`);
    return kind === "file" && MARKDOWN.test(name) ? [path] : [];
  });
}
