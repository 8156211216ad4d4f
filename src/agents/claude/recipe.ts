/** How Claude Code is started in an env: a function from facts to arguments, variables and files. */
import { type AbsPath, join, PATH_LIST_SEPARATOR } from "../../base/paths.ts";
import {
  hoistPluginServers,
  type PluginPlace,
  type ServerEntry,
} from "./mcp.ts";
import { LOGIN_VARIABLE } from "./login.ts";
import type { ProjectFacts } from "./project.ts";
import { renderSettings } from "./settings.ts";
import { narrowSources, type UserArgs } from "./user_args.ts";
import {
  asRecord,
  isTrusted,
  readJsonObject,
  type UserConfig,
} from "./user_config.ts";

/** Everything the recipe depends on. */
export interface RecipeInput {
  readonly isolation: "private" | "overlay";
  readonly projectConfig: "load" | "ignore";
  /** The env's own config directory. */
  readonly configDir: AbsPath;
  /** Directory of the generated files. */
  readonly runDir: AbsPath;
  readonly user: UserConfig;
  readonly project: ProjectFacts;
  /** The env's servers, in the agent's form. */
  readonly mcp: Readonly<Record<string, ServerEntry>>;
  readonly plugins: readonly PluginPlace[];
  readonly args: UserArgs;
  /** Whether the organisation manages MCP servers: then the agent accepts no others and refuses our options. */
  readonly managedMcp: boolean;
  /** Settings that the caller passed. */
  readonly callerSettings: Readonly<Record<string, unknown>>;
  /** Whether the agent runs in a sandbox of ours; its own is switched off then. */
  readonly confined?: boolean;
}

/** A launch of Claude Code, as far as it is particular to it. */
export interface Recipe {
  readonly args: readonly string[];
  /** Variables to set. */
  readonly set: Readonly<Record<string, string>>;
  /** Variables to take away. */
  readonly unset: readonly string[];
  /** Generated files: name below the run directory → JSON value. */
  readonly files: Readonly<Record<string, unknown>>;
  /** Project to mark as trusted in the env's own state, so that no dialog asks; undefined leaves the question to the agent. */
  readonly trust: AbsPath | undefined;
  readonly notes: readonly string[];
}

/** Name of the generated settings file. */
export const SETTINGS_FILE = "settings.json";
/** Name of the generated MCP file. */
export const MCP_FILE = "mcp.json";

/** Plans a launch. Recipes measured on 2.1.197 and 2.1.329. */
export function claudeRecipe(input: RecipeInput): Recipe {
  const overlay = input.isolation === "overlay";
  const loads = input.projectConfig === "load" && !input.project.isHome;
  const project = loads ? input.project : undefined;
  const hoisted = overlay
    ? hoistAll(input, project)
    : { servers: {}, notes: [] };
  const servers = { ...hoisted.servers, ...input.mcp };
  const files = {
    [SETTINGS_FILE]: renderSettings({
      isolation: input.isolation,
      project: input.project,
      loads,
      callers: input.callerSettings,
      confined: input.confined ?? false,
    }),
    [MCP_FILE]: { mcpServers: servers },
  };
  const notes = [...hoisted.notes];
  const { root } = input.project;
  if (input.projectConfig === "load" && input.project.isHome) {
    notes.push(
      "your home directory is no project: its CLAUDE.md, .mcp.json and .claude are not loaded",
    );
  }
  for (const name of project?.ambiguous ?? []) {
    notes.push(
      `skill or command "${name}" is in ${root} and in a directory above it: old versions of the agent list both`,
    );
  }
  if (input.managedMcp) {
    notes.push(
      "your organisation manages MCP servers: those of the environment are not loaded",
    );
  }
  return {
    args: input.args.informational
      ? input.args.rest
      : [...isolationArgs(input, project), ...input.args.rest],
    ...(overlay
      ? overlayVariables(input.user, project)
      : privateVariables(input, project)),
    files,
    trust: overlay ? undefined : trustedRoot(input, project),
    notes,
  };
}

function isolationArgs(
  input: RecipeInput,
  project: ProjectFacts | undefined,
): string[] {
  const overlay = input.isolation === "overlay";
  const sources = [
    ...(overlay ? [] : ["user"]),
    ...(project ? ["project", "local"] : []),
  ];
  return [
    `--setting-sources=${narrowSources(sources, input.args.sources).join(",")}`,
    `--settings=${join(input.runDir, SETTINGS_FILE)}`,
    ...input.plugins.map((plugin) => `--plugin-dir=${plugin.installed}`),
    // With "=", since the option would take the words that follow it.
    ...(input.managedMcp
      ? []
      : [`--mcp-config=${join(input.runDir, MCP_FILE)}`]),
    // Without it, servers of the user's state file would come in.
    ...(overlay && !input.managedMcp ? ["--strict-mcp-config"] : []),
  ];
}

function privateVariables(
  input: RecipeInput,
  project: ProjectFacts | undefined,
): Pick<Recipe, "set" | "unset"> {
  return {
    set: {
      CLAUDE_CONFIG_DIR: input.configDir,
      [LOGIN_VARIABLE]: input.user.loginDir,
      ...commonVariables(project),
    },
    unset: [],
  };
}

function overlayVariables(
  user: UserConfig,
  project: ProjectFacts | undefined,
): Pick<Recipe, "set" | "unset"> {
  const set = {
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
    ...(user.loginDir === user.dir ? {} : { [LOGIN_VARIABLE]: user.loginDir }),
    ...commonVariables(project),
  };
  return user.explicit
    ? { set: { ...set, CLAUDE_CONFIG_DIR: user.dir }, unset: [] }
    : { set, unset: ["CLAUDE_CONFIG_DIR"] };
}

function commonVariables(
  project: ProjectFacts | undefined,
): Record<string, string> {
  const above =
    project?.above.filter((dir) => !dir.includes(PATH_LIST_SEPARATOR)) ?? [];
  return {
    // Servers of the user's claude.ai account are not the env's.
    ENABLE_CLAUDEAI_MCP_SERVERS: "false",
    // From 2.1.329 on: directories in which nothing is looked for. The settings do the same for earlier ones.
    ...(above.length > 0
      ? { CLAUDE_CODE_AUTOMOUNT_ROOTS: above.join(PATH_LIST_SEPARATOR) }
      : {}),
  };
}

/** Overlay: `--strict-mcp-config` drops the plugins' and the project's servers, so they are put into our file. */
function hoistAll(
  input: RecipeInput,
  project: ProjectFacts | undefined,
): { servers: Record<string, ServerEntry>; notes: string[] } {
  const servers: Record<string, ServerEntry> = {};
  const notes: string[] = [];
  const { root } = input.project;
  const approved = project
    ? approvedServers(project, input.user.stateFile)
    : new Set();
  for (const [name, entry] of Object.entries(project?.mcpServers ?? {})) {
    // With -p the agent itself starts them unasked; else it asks, and here it cannot.
    if (input.args.printMode || approved.has(name)) {
      servers[name] = asRecord(entry);
    } else {notes.push(
        `server "${name}" of ${root}/.mcp.json is not started: declare it as [mcp.${name}], or approve it with AENV_OVERRIDE=global claude`,
      );}
  }
  for (const plugin of input.plugins) {
    {
      Object.assign(servers, hoistPluginServers(plugin, input.project.cwd));
    }
  }
  return { servers, notes };
}

/** Servers of .mcp.json that the user said yes to in the agent's own dialog; asked only of a project they trust. */
function approvedServers(
  project: ProjectFacts,
  stateFile: AbsPath,
): Set<unknown> {
  if (!isTrusted(stateFile, [...project.inside, ...project.above])) {
    return new Set();
  }
  const all = localSettings(project).some((record) =>
    record["enableAllProjectMcpServers"] === true
  );
  return new Set(
    all
      ? Object.keys(project.mcpServers)
      : localLists(project, "enabledMcpjsonServers"),
  );
}

function localLists(project: ProjectFacts, key: string): unknown[] {
  return localSettings(project).flatMap((record) => record[key] ?? []);
}

/** The project's settings.local.json files, where the agent writes down the answers of its dialogs. */
function localSettings(project: ProjectFacts): Record<string, unknown>[] {
  return project.inside.map((dir) =>
    asRecord(readJsonObject(join(dir, ".claude", "settings.local.json")))
  );
}

/**
 * The directory to mark as trusted: when the project brings nothing that could run or steer the agent, or the user has
 * already trusted it in their own configuration. Else the agent asks, as it would without us.
 */
function trustedRoot(
  input: RecipeInput,
  project: ProjectFacts | undefined,
): AbsPath | undefined {
  const { project: facts } = input;
  const harmless = project === undefined || !project.hasAgentFiles;
  return harmless ||
      isTrusted(input.user.stateFile, [...facts.inside, ...facts.above])
    ? facts.root
    : undefined;
}
