/**
 * A HOME full of configuration that must not reach an isolated agent, and a project below it.
 *
 * ```
 * <root>/            CLAUDE.md, .mcp.json, .claude/: above HOME
 *   home/            CLAUDE.md, .mcp.json; .claude/ and .claude.json: the user's own
 *     work/          CLAUDE.md, .mcp.json, .claude/: between HOME and the project
 *       project/     the project's own; a git repository or not
 *   marks/           what hooks, MCP servers and tools wrote
 * ```
 */

import { dirname } from "node:path";
import { type Canary, CanaryList } from "./canaries.ts";
import {
  hooksOf,
  mcpServerOf,
  writeAgent,
  writeCommand,
  writeConditionalRule,
  writeJson,
  writeOutputStyle,
  writePlugin,
  writeRule,
  writeSkill,
  writeText,
  writeWorkflow,
} from "./claude_items.ts";

/** What {@link makeDirtyHome} made. */
export interface DirtyHome {
  readonly home: string;
  readonly project: string;
  readonly marks: string;
  /** Items of the user and of directories above the project, which plain Claude Code loads. */
  readonly canaries: readonly Canary[];
  /** Items that plain Claude Code does not load from here either: still no business of an env. */
  readonly latent: readonly Canary[];
  /** The project's own items. */
  readonly projectItems: readonly Canary[];
  /** Variables of the caller that carry configuration into an agent. */
  readonly callerEnv: Readonly<Record<string, string>>;
  /** The login that an env shares with the user. */
  readonly credentials: string;
  /** Bearer token in `credentials`. */
  readonly accessToken: string;
}

/** What a dirty HOME is like. */
export interface DirtyHomeOptions {
  /** Whether the project is a git repository. */
  readonly git: boolean;
  /** URL of the stub, for an MCP server of type http. */
  readonly stubUrl: string;
}

/** A file of the project: when the agent reads it, rules about such files and the memory of its directory apply. */
export const PROJECT_FILE = "area/notes.txt";

const ACCESS_TOKEN = "sk-ant-oat01-FAKE-LOGIN";
/** A tool that each version offers from the first request on. */
const DENIED_TOOL = "ScheduleWakeup";
const FAR_FUTURE_MS = 4_102_444_800_000;

/** Directories and lists that the writers below share. */
interface Site {
  readonly root: string;
  readonly home: string;
  readonly claude: string;
  readonly project: string;
  readonly marks: string;
  readonly list: CanaryList;
}

/** Fills `root` (an empty directory). */
export function makeDirtyHome(
  root: string,
  options: DirtyHomeOptions,
): DirtyHome {
  const home = `${root}/home`;
  const project = `${home}/work/project`;
  const marks = `${root}/marks`;
  const list = new CanaryList("cnry");
  const claude = `${home}/.claude`;
  const site: Site = { root, home, claude, project, marks, list };
  Deno.mkdirSync(marks, { recursive: true });
  writeUserDirectory(site);
  writeUserSettings(site);
  writeUserPlugins(site);
  writeGlobalFile(site, options.stubUrl);
  const credentials = writeLogin(site);
  writeMemory(root, "above-home", list);
  writeMcpFile(root, list.add("above-home-mcp"), marks);
  writeMemory(home, "home", list);
  writeMcpFile(home, list.add("home-mcp"), marks);
  writeMemory(`${home}/work`, "work", list);
  writeMcpFile(`${home}/work`, list.add("work-mcp"), marks);
  // The agent looks for these only up to the root of the repository.
  const latent = new CanaryList("cnry");
  writeItems(`${home}/work/.claude`, "work", options.git ? latent : list);
  const projectList = new CanaryList("proj");
  writeProject({ ...site, list: projectList });
  if (options.git) initRepository(project);
  const callerEnv = writeCallerEnv(site);
  return {
    home,
    project,
    marks,
    canaries: list.canaries,
    latent: latent.canaries,
    projectItems: projectList.canaries,
    callerEnv,
    credentials,
    accessToken: ACCESS_TOKEN,
  };
}

/** Memory files of a directory: CLAUDE.md in its forms, and rules. */
function writeMemory(directory: string, label: string, list: CanaryList): void {
  writeText(`${directory}/CLAUDE.md`, `${list.add(`${label}-memory`)}\n`);
  const local = list.add(`${label}-local-memory`);
  writeText(`${directory}/CLAUDE.local.md`, `${local}\n`);
  if (label === "home") return; // its .claude is the user's own
  const inner = list.add(`${label}-inner-memory`);
  writeText(`${directory}/.claude/CLAUDE.md`, `${inner}\n`);
  writeRule(`${directory}/.claude`, list.add(`${label}-rule`));
  const conditional = list.add(`${label}-conditional-rule`);
  writeConditionalRule(`${directory}/.claude`, conditional);
}

/** Items that sit in a `.claude` directory of their own. */
function writeItems(claude: string, label: string, list: CanaryList): void {
  writeSkill(claude, list.add(`${label}-skill`));
  writeCommand(claude, list.add(`${label}-command`));
  writeAgent(claude, list.add(`${label}-agent`));
  writeWorkflow(claude, list.add(`${label}-workflow`));
}

function writeMcpFile(directory: string, token: string, marks: string): void {
  const mcpServers = { [token]: mcpServerOf(token, marks) };
  writeJson(`${directory}/.mcp.json`, { mcpServers });
}

function writeUserDirectory({ claude, list, project }: Site): void {
  writeItems(claude, "user", list);
  const nested = list.add("user-nested-command");
  writeCommand(`${claude}/commands/deeper`, nested);
  const imported = list.add("user-memory-import");
  writeText(`${claude}/imported.md`, `${imported}\n`);
  writeText(
    `${claude}/CLAUDE.md`,
    `${list.add("user-memory")}\n@imported.md\n`,
  );
  writeRule(claude, list.add("user-rule"));
  writeRule(`${claude}/rules/nested`, list.add("user-nested-rule"));
  writeConditionalRule(claude, list.add("user-conditional-rule"));
  const slug = project.replaceAll(/[^A-Za-z0-9]/g, "-");
  writeText(
    `${claude}/projects/${slug}/memory/MEMORY.md`,
    `- ${list.add("user-auto-memory")}\n`,
  );
}

function writeUserSettings({ root, claude, marks, list }: Site): void {
  const style = list.add("user-output-style");
  writeOutputStyle(claude, style);
  const extra = `${root}/extra/${list.add("user-additional-directory")}`;
  Deno.mkdirSync(extra, { recursive: true });
  list.addTest("user-permissions-deny", ({ tools }) => !tools.has(DENIED_TOOL));
  writeJson(`${claude}/settings.json`, {
    env: {
      USER_SETTINGS_ENV: list.add("user-settings-env"),
      ANTHROPIC_CUSTOM_HEADERS: `x-user: ${list.add("user-settings-header")}`,
    },
    model: list.add("user-model"),
    language: list.add("user-language"),
    outputStyle: style,
    attribution: {
      commit: list.add("user-attribution-commit"),
      pr: list.add("user-attribution-pr"),
    },
    permissions: { additionalDirectories: [extra], deny: [DENIED_TOOL] },
    hooks: {
      ...hooksOf("SessionStart", list.add("user-hook-session-start"), marks),
      ...hooksOf("UserPromptSubmit", list.add("user-hook-prompt"), marks),
      ...hooksOf("PreToolUse", list.add("user-hook-pre-tool"), marks),
      ...hooksOf("SessionEnd", list.add("user-hook-session-end"), marks),
    },
    enabledPlugins: { "from-market@dirty-market": true },
    extraKnownMarketplaces: {
      "dirty-market": {
        source: { source: "directory", path: `${root}/market` },
      },
    },
  });
}

function pluginTokens(label: string, list: CanaryList) {
  return {
    skill: list.add(`${label}-skill`),
    command: list.add(`${label}-command`),
    agent: list.add(`${label}-agent`),
    hook: list.add(`${label}-hook`),
    mcp: list.add(`${label}-mcp`),
  };
}

/** One plugin from a marketplace, one that lies among the user's skills. */
function writeUserPlugins({ root, claude, marks, list }: Site): void {
  const market = `${root}/market`;
  const name = "from-market";
  writePlugin(`${market}/${name}`, name, {
    tokens: pluginTokens("user-plugin", list),
    marks,
  });
  writeJson(`${market}/.claude-plugin/marketplace.json`, {
    name: "dirty-market",
    owner: { name: "test" },
    plugins: [{ name, source: `./${name}` }],
  });
  const stamp = "2026-01-01T00:00:00.000Z";
  const source = { source: "directory", path: market };
  writeJson(`${claude}/plugins/known_marketplaces.json`, {
    "dirty-market": { source, installLocation: market, lastUpdated: stamp },
  });
  const installed = {
    scope: "user",
    installPath: `${market}/${name}`,
    version: "1.0.0",
    installedAt: stamp,
    lastUpdated: stamp,
  };
  writeJson(`${claude}/plugins/installed_plugins.json`, {
    version: 2,
    plugins: { [`${name}@dirty-market`]: [installed] },
  });
  writePlugin(`${claude}/skills/among-skills`, "among-skills", {
    tokens: pluginTokens("user-skills-plugin", list),
    marks,
  });
}

/** `~/.claude.json`: MCP servers of user and local scope. */
function writeGlobalFile(site: Site, stubUrl: string): void {
  const { home, project, marks, list } = site;
  const user = list.add("user-mcp");
  const local = list.add("local-mcp");
  const http = list.add("user-mcp-http");
  writeJson(`${home}/.claude.json`, {
    hasCompletedOnboarding: true,
    mcpServers: {
      [user]: mcpServerOf(user, marks),
      remote: { type: "http", url: `${stubUrl}/${http}` },
    },
    projects: {
      [project]: {
        hasTrustDialogAccepted: true,
        mcpServers: { [local]: mcpServerOf(local, marks) },
      },
    },
  });
}

function writeLogin({ claude }: Site): string {
  const path = `${claude}/.credentials.json`;
  writeJson(path, {
    claudeAiOauth: {
      accessToken: ACCESS_TOKEN,
      refreshToken: "sk-ant-ort01-FAKE-LOGIN",
      expiresAt: FAR_FUTURE_MS,
      scopes: ["user:inference", "user:profile"],
      subscriptionType: "max",
    },
  });
  Deno.chmodSync(path, 0o600);
  return path;
}

function writeProject({ project, marks, list }: Site): void {
  writeMemory(project, "project", list);
  writeText(`${project}/${PROJECT_FILE}`, "notes\n");
  const area = dirname(`${project}/${PROJECT_FILE}`);
  writeText(`${area}/CLAUDE.md`, `${list.add("project-area-memory")}\n`);
  writeRule(`${area}/.claude`, list.add("project-area-rule"));
  writeItems(`${project}/.claude`, "project", list);
  writeMcpFile(project, list.add("project-mcp"), marks);
  writeJson(`${project}/.claude/settings.json`, {
    env: { PROJECT_ENV: list.add("project-settings-env") },
    hooks: hooksOf("SessionStart", list.add("project-hook"), marks),
  });
  writeJson(`${project}/.claude/settings.local.json`, {
    env: { PROJECT_LOCAL_ENV: list.add("project-local-settings-env") },
  });
}

function initRepository(project: string): void {
  const { success } = new Deno.Command("git", {
    args: ["init", "--quiet", project],
  }).outputSync();
  if (!success) throw new Error(`Cannot make a git repository in ${project}`);
}

function writeCallerEnv({ root, marks, list }: Site): Record<string, string> {
  const plugin = `${root}/caller-plugin`;
  const tokens = { skill: list.add("caller-plugin-dirs") };
  writePlugin(plugin, "caller", { tokens, marks });
  const prefix = `${root}/caller-prefix`;
  const mark = list.add("caller-shell-prefix");
  writeText(prefix, `#!/bin/sh\n: > '${marks}/${mark}'\neval "$1"\n`);
  Deno.chmodSync(prefix, 0o755);
  const extra = list.add("caller-extra-body");
  return {
    CLAUDE_CODE_PLUGIN_DIRS: plugin,
    CLAUDE_CODE_SHELL_PREFIX: prefix,
    CLAUDE_CODE_EXTRA_BODY: JSON.stringify({ metadata: { user_id: extra } }),
  };
}
