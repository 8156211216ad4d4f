/** An env that declares one item of each kind, and how to tell that the agent got it. */

import { type Canary, CanaryList } from "./canaries.ts";
import {
  mcpServerOf,
  writePlugin,
  writeSkill,
  writeText,
} from "./claude_items.ts";

/** What {@link writeDeclaredEnv} wrote. */
export interface DeclaredEnv {
  /** All of them must reach the agent. */
  readonly items: readonly Canary[];
  /** MCP servers as the agent names them. */
  readonly mcpServers: readonly string[];
  /** Files in `marks` whose content is the environment of a process of the env. */
  readonly environmentDumps: readonly string[];
  /** A line that each of these environments must have. */
  readonly variable: string;
}

/** What {@link writeDeclaredEnv} puts into the manifest. */
export interface DeclaredEnvOptions {
  readonly name: string;
  readonly isolation: "private" | "overlay";
  readonly projectConfig: "load" | "ignore";
  /** Where the env's hook and MCP servers report. */
  readonly marks: string;
}

/** Writes `aenv.toml`, a plugin and a skill into `directory`, the home of a global env. */
export function writeDeclaredEnv(
  directory: string,
  options: DeclaredEnvOptions,
): DeclaredEnv {
  const { marks } = options;
  const list = new CanaryList("decl");
  const tokens = {
    skill: list.add("plugin-skill"),
    command: list.add("plugin-command"),
    agent: list.add("plugin-agent"),
    hook: list.add("plugin-hook"),
    mcp: list.add("plugin-mcp"),
  };
  writePlugin(`${directory}/source/review`, "review", { tokens, marks });
  const skill = list.add("bare-skill");
  writeSkill(`${directory}/source`, skill);
  const server = list.add("mcp-server");
  const variable = `GREETING=${list.add("variable")}`;
  writeText(
    `${directory}/aenv.toml`,
    manifestOf(options, { skill, server, variable }),
  );
  return {
    items: list.canaries,
    mcpServers: [server, `plugin:review:${tokens.mcp}`],
    environmentDumps: [tokens.hook, tokens.mcp, server],
    variable,
  };
}

function manifestOf(
  options: DeclaredEnvOptions,
  names: {
    readonly skill: string;
    readonly server: string;
    readonly variable: string;
  },
): string {
  const { command, args } = mcpServerOf(names.server, options.marks);
  const [key, value] = names.variable.split("=");
  return `aenv_schema_version = "2"

[env]
name = "${options.name}"
isolation = "${options.isolation}"
project_config = "${options.projectConfig}"

[vars]
${key} = ${JSON.stringify(value)}

[mcp.${names.server}]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}

[[plugins.enabled]]
name = "review"
source = "./source/review"

[[skills.enabled]]
name = "${names.skill}"
source = "./source/skills/${names.skill}"
`;
}
