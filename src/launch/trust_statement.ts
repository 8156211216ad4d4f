/** What a project's manifest would run and allow, item by item, as the user is shown it. */
import { claude } from "../agents/mod.ts";
import type { OpenEnv } from "../env/mod.ts";
import type {
  Entry,
  Manifest,
  McpServer,
  NetworkMode,
  SandboxSection,
} from "../manifest/mod.ts";
import { socketRisk } from "../sandbox/mod.ts";
import { type Item, makeItem } from "../trust/mod.ts";
import { treeTitle } from "./trust_check.ts";
import { npmSettings } from "./trust_npm.ts";
import type { TreeEntry } from "./tree.ts";
import type { InstallStep } from "./types.ts";

/** A tree that was read for this. */
export interface ReadTree {
  readonly step: InstallStep;
  readonly entries: readonly TreeEntry[];
}

/** Most file names that are shown of one tree: what is in the files is covered by the hash anyway. */
const SHOWN_FILES = 20;

/** The items of a manifest and its trees. Empty exactly when the manifest asks for no trust. */
export function statementOf(
  env: OpenEnv,
  trees: readonly ReadTree[],
): Item[] {
  const { manifest } = env;
  const npm = npmSettings(env);
  return [
    ...(manifest.preActivate === undefined
      ? []
      : [makeItem("pre_activate hook", ["runs: " + manifest.preActivate])]),
    ...Object.entries(manifest.mcp).map(([name, server]) =>
      makeItem(`mcp server ${name}`, serverLines(server))
    ),
    ...treeItems("plugin", manifest.plugins, trees),
    ...treeItems("skill", manifest.skills, trees),
    ...(npm === undefined ? [] : [npm.item]),
    ...tableItem("variables", manifest.vars),
    ...secretItems(manifest),
    ...sandboxItems(manifest),
  ];
}

function serverLines(server: McpServer): string[] {
  const table = server.type === "stdio" ? server.env : server.headers;
  const word = server.type === "stdio" ? "env" : "header";
  return [
    server.type === "stdio"
      ? `runs: ${claude.commandWords(server.command, server.args)}`
      : `connects to: ${server.url}`,
    ...(server.type === "stdio" && server.cwd !== undefined
      ? [`in: ${server.cwd}`]
      : []),
    ...(server.disabled ? ["disabled"] : []),
    ...ownSandboxLines(server),
    ...Object.entries(table).map(([name, value]) => `${word} ${name}=${value}`),
  ];
}

/** What a server's own sandbox says, in the place of that of the agent. */
function ownSandboxLines(server: McpServer): string[] {
  if (server.type !== "stdio" || server.sandbox === undefined) return [];
  const { project, network, paths, ...lists } = server.sandbox;
  const { pathDirs, cacheDirs, unixSockets } = lists;
  const lines = [
    ...(project === undefined ? [] : [`may ${PROJECT_WORDS[project]}`]),
    ...(network === undefined ? [] : [`network: ${networkText(network)}`]),
    ...grantLines({
      paths: paths ?? [],
      pathDirs: pathDirs ?? [],
      cacheDirs: cacheDirs ?? [],
      unixSockets: unixSockets ?? [],
    }),
  ];
  return (lines.length === 0 ? ["a part of the agent's"] : lines)
    .map((line) => `its sandbox: ${line}`);
}

const PROJECT_WORDS = {
  write: "write to the project",
  read: "read and run what is in the project",
  none: "not read the project",
} as const;

function networkText(network: NetworkMode): string {
  return network.mode === "hosts"
    ? network.allow.join(", ") || "no host"
    : network.mode;
}

function pathLines(paths: SandboxSection["paths"]): string[] {
  return paths.map(({ path, access }) =>
    `${access === "rw" ? "reads and writes" : "reads"} ${path}`
  );
}

/** What a sandbox grants besides the built-in set. */
function grantLines(
  { paths, pathDirs, cacheDirs, unixSockets }: Pick<
    SandboxSection,
    "paths" | "pathDirs" | "cacheDirs" | "unixSockets"
  >,
): string[] {
  return [
    ...pathLines(paths),
    ...pathDirs.map((dir) => `runs programs of ${dir}`),
    ...cacheDirs.map((dir) => `reads and writes the cache ${dir}`),
    ...unixSockets.map((path) => {
      const risk = socketRisk(path);
      const why = risk === undefined ? "" : `: ${risk}`;
      return `connects to the socket ${path}${why}`;
    }),
  ];
}

function treeItems(
  kind: "plugin" | "skill",
  entries: readonly Entry[],
  trees: readonly ReadTree[],
): Item[] {
  return entries.map((entry) => {
    const title = treeTitle({ kind, name: entry.name });
    const tree = trees.find(({ step }) => treeTitle(step) === title);
    const inside = entry.subpath === undefined ? "" : `, ${entry.subpath}`;
    return makeItem(title, [
      `from ${entry.source}${inside}`,
      ...(tree === undefined
        ? ["not fetched yet: asked about again when it is"]
        : treeLines(tree)),
    ]);
  });
}

function treeLines({ step, entries }: ReadTree): string[] {
  const effects = step.kind === "plugin"
    ? claude.pluginEffects(step.source)
    : ["instructions for the agent", ...claude.textEffects(step.source)];
  const programs = entries.filter(({ executable, path }) =>
    executable && !path.startsWith("bin/")
  ).map(({ path }) => `program: ${path}`);
  const files = entries.filter(({ kind }) => kind !== "directory")
    .map(({ path }) => path);
  const more = files.length - SHOWN_FILES;
  const names = files.slice(0, SHOWN_FILES).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
  return [
    ...effects,
    ...programs,
    `${files.length} file${files.length === 1 ? "" : "s"}: ${names}`,
  ];
}

function tableItem(
  title: string,
  table: Readonly<Record<string, string>>,
): Item[] {
  const lines = Object.entries(table).map(([name, value]) =>
    `${name}=${value}`
  );
  return lines.length === 0 ? [] : [makeItem(title, lines)];
}

function secretItems({ secrets }: Manifest): Item[] {
  const lines = [
    ...Object.entries(secrets.tools).map(([name, tools]) =>
      `${name} is handed to: ${tools.join(", ")}`
    ),
    ...Object.entries(secrets.commands).map(([name, command]) =>
      `for ${name} it runs: ${command}`
    ),
    ...(secrets.command === undefined
      ? []
      : [`for other secrets it runs: ${secrets.command}`]),
    ...(secrets.expose === "env"
      ? ["all secrets are put into the agent's environment"]
      : []),
  ];
  return lines.length === 0 ? [] : [makeItem("secrets", lines)];
}

function sandboxItems({ sandbox }: Manifest): Item[] {
  if (sandbox === undefined) return [];
  const { network } = sandbox;
  const lines = [
    ...(sandbox.enabled ? [] : ["off: the agent is not confined"]),
    ...pathLines(sandbox.paths),
    ...(network.mode === "hosts" ? [`network: ${networkText(network)}`] : []),
    ...sandbox.envHost.map((name) => `sees your variable ${name}`),
    ...grantLines({ ...sandbox, paths: [] }),
  ];
  if (lines.length === 0) return [];
  const open = network.mode === "open" ? ["network: open"] : [];
  return [makeItem("sandbox", [...lines, ...open])];
}
