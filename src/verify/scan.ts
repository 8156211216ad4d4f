/**
 * What a directory offers to the agent: a plugin, a `.claude` of a project, or a config directory. They have one layout.
 * Naming rules measured on 2.1.197 and 2.1.329.
 */
import { basename } from "node:path";
import { type AbsPath, join } from "../base/paths.ts";
import { isFile, lstat, readDir, readText } from "../os/fs.ts";
import { claude } from "../agents/mod.ts";

/** One skill, command, agent or workflow. */
export interface Component {
  readonly kind: "skill" | "command" | "agent";
  /** The name it is offered under, without a plugin's prefix. */
  readonly name: string;
  /** Other names that lists show it under. */
  readonly aliases: readonly string[];
  /** Whether it is sure to be loaded. */
  readonly certain: boolean;
}

/** A hook command of a hooks table. */
export interface HookCommand {
  readonly event: string;
  readonly command: string;
}

/** How deep commands, agents and rules are looked for. */
const MAX_DEPTH = 6;
const WORKFLOW = /\.(js|mjs|ts|md|json)$/;

/** Where components lie; without paths, in the directory of that name. */
export interface Layout {
  readonly root: AbsPath;
  /** In plugins, agents need neither a name nor a description of their own. */
  readonly isPlugin: boolean;
  /** Paths named by a plugin's manifest: more skills; commands and agents instead of the usual ones. */
  readonly skills?: readonly string[];
  readonly commands?: readonly string[];
  readonly agents?: readonly string[];
}

/** Lists the components of a directory. */
export function scanComponents(layout: Layout): Component[] {
  const { root } = layout;
  return [
    ...skillsIn(join(root, "skills")),
    ...(layout.skills ?? []).flatMap((path) => skillsIn(join(root, path))),
    ...markdown(root, layout.commands ?? ["commands"]).map((file) =>
      component("command", file.name)
    ),
    ...markdown(root, layout.agents ?? ["agents"]).flatMap((file) =>
      agentIn(file, layout.isPlugin)
    ),
    ...filesBelow(join(root, "workflows"), WORKFLOW).map(workflowIn),
  ];
}

/** The components of a plugin, its manifest's own paths taken into account. */
export function scanPlugin(root: AbsPath): Component[] {
  const manifest = claude.readJsonObject(
    join(root, ".claude-plugin", "plugin.json"),
  ) ?? {};
  return [
    ...scanComponents({
      root,
      isPlugin: true,
      ...pathsOf("skills", manifest["skills"]),
      ...pathsOf("commands", manifest["commands"]),
      ...pathsOf("agents", manifest["agents"]),
    }),
    // A plugin may be a single skill.
    ...(isFile(join(root, "SKILL.md")) ? [skillAt(root)] : []),
  ];
}

function pathsOf(
  key: "skills" | "commands" | "agents",
  value: unknown,
): Partial<Layout> {
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list)) return {};
  return { [key]: list.filter((path) => typeof path === "string") };
}

function component(
  kind: Component["kind"],
  name: string,
  aliases: readonly string[] = [],
): Component {
  return { kind, name: offeredName(name), aliases, certain: true };
}

/** Characters that a name may not have are offered as a dash. */
export function offeredName(name: string): string {
  return name.replace(/[^A-Za-z0-9_:-]/g, "-");
}

function skillsIn(dir: AbsPath): Component[] {
  if (isFile(join(dir, "SKILL.md"))) return [skillAt(dir)];
  return (readDir(dir) ?? []).filter(({ name }) =>
    isFile(join(dir, name, "SKILL.md")) && !isPlugin(join(dir, name))
  ).map(({ name }) => skillAt(join(dir, name)));
}

function skillAt(dir: AbsPath): Component {
  const named = frontMatter(join(dir, "SKILL.md"))?.["name"];
  return component("skill", basename(dir), named ? [named] : []);
}

/** Whether a directory among the skills is a whole plugin. */
function isPlugin(dir: AbsPath): boolean {
  return lstat(join(dir, ".claude-plugin")) !== undefined;
}

interface Found {
  readonly path: AbsPath;
  /** Path below the directory, `:`-separated, without the ending. */
  readonly name: string;
}

/** Markdown files: those below a directory, or single ones. */
function markdown(root: AbsPath, places: readonly string[]): Found[] {
  return places.flatMap((place) => {
    const path = join(root, place);
    return isFile(path)
      ? [{ path, name: basename(path).replace(/\.md$/, "") }]
      : filesBelow(path, /\.md$/);
  });
}

function agentIn(file: Found, inPlugin: boolean): Component[] {
  const front = frontMatter(file.path);
  const named = front?.["name"];
  if (named === undefined) {
    return inPlugin ? [component("agent", file.name)] : [];
  }
  const folder = file.name.split(":").slice(0, -1);
  return [{
    kind: "agent",
    name: named,
    // Plugins put the folder before it, others do not.
    aliases: [[...folder, named].join(":")],
    certain: inPlugin || front?.["description"] !== undefined,
  }];
}

function workflowIn(file: Found): Component {
  const named = /\bname\s*:\s*["']([^"']+)["']/.exec(readSmall(file.path) ?? "")
    ?.[1];
  return named === undefined
    ? component("skill", file.name)
    : component("skill", named, [file.name]);
}

/** Files with this ending below `dir`. */
export function filesBelow(
  dir: AbsPath,
  ending: RegExp,
  depth = MAX_DEPTH,
): Found[] {
  if (depth === 0 || lstat(dir) === undefined) return [];
  return (readDir(dir) ?? []).flatMap(({ name }) => {
    const path = join(dir, name);
    if (ending.test(name)) {
      return isFile(path) ? [{ path, name: name.replace(ending, "") }] : [];
    }
    if (isFile(path)) return [];
    return filesBelow(path, ending, depth - 1).map((below) => ({
      path: below.path,
      name: `${name}:${below.name}`,
    }));
  });
}

/** The simple `key: value` lines of a Markdown file's front matter; undefined when it has none. */
export function frontMatter(
  path: AbsPath,
): Record<string, string> | undefined {
  const block = /^\ufeff?---\r?\n([\s\S]*?)^---/m.exec(readSmall(path) ?? "");
  if (block === null || block.index > 0) return undefined;
  const out: Record<string, string> = {};
  for (const line of block[1]!.split(/\r?\n/)) {
    const match = /^([A-Za-z][\w-]*):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match) out[match[1]!] = match[2]!.replace(/^(["'])(.*)\1$/, "$2");
  }
  return out;
}

function readSmall(path: AbsPath): string | undefined {
  return isFile(path) ? readText(path) : undefined;
}

/** The commands of a hooks table (event → matchers → hooks) that run when a session starts anew, or at all for other events. */
export function hookCommands(table: unknown): HookCommand[] {
  return Object.entries(claude.asRecord(table)).flatMap(([event, matchers]) =>
    asList(matchers).flatMap((matcher) => {
      const { matcher: pattern, hooks } = claude.asRecord(matcher);
      if (event === "SessionStart" && !matchesStartup(pattern)) return [];
      return asList(hooks).map(claude.asRecord)
        .filter((hook) => typeof hook["command"] === "string")
        .map((hook) => ({ event, command: String(hook["command"]) }));
    })
  );
}

function matchesStartup(pattern: unknown): boolean {
  if (typeof pattern !== "string" || pattern === "" || pattern === "*") {
    return true;
  }
  return pattern.split("|").some((part) => part.trim() === "startup") ||
    isMatch(pattern);
}

function isMatch(pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test("startup");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

/** The hook commands of a plugin: hooks/hooks.json, and `hooks` of its manifest (a table, a path, or a list of both). */
export function pluginHooks(root: AbsPath): HookCommand[] {
  const declared = claude.readJsonObject(
    join(root, ".claude-plugin", "plugin.json"),
  )?.["hooks"];
  const usual = join(root, "hooks", "hooks.json");
  const parts = asList(declared).map((part) =>
    typeof part === "string"
      ? claude.readJsonObject(join(root, part))?.["hooks"]
      : part
  );
  return [claude.readJsonObject(usual)?.["hooks"], ...parts].flatMap(
    hookCommands,
  );
}

function asList(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
