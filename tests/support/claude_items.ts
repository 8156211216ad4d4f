/** Writes what Claude Code loads from a `.claude` directory, a plugin or a project, each item marked by a token. */

import { dirname } from "node:path";

const MCP_SERVER = decodeURIComponent(
  new URL("./mcp_server.pl", import.meta.url).pathname,
)
  .replace(/^\/([A-Za-z]:)/, "$1");

/** Writes a text file and the directories above it. */
export function writeText(path: string, text: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

/** Writes a JSON file and the directories above it. */
export function writeJson(path: string, value: unknown): void {
  writeText(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes `skills/<token>/SKILL.md`. */
export function writeSkill(directory: string, token: string): void {
  writeText(
    `${directory}/skills/${token}/SKILL.md`,
    `---\nname: ${token}\ndescription: does ${token}\n---\n${token}\n`,
  );
}

/** Writes `commands/<token>.md`. */
export function writeCommand(directory: string, token: string): void {
  writeText(
    `${directory}/commands/${token}.md`,
    `---\ndescription: does ${token}\n---\n${token}\n`,
  );
}

/** Writes `agents/<token>.md`. */
export function writeAgent(directory: string, token: string): void {
  writeText(
    `${directory}/agents/${token}.md`,
    `---\nname: ${token}\ndescription: does ${token}\n---\n${token}\n`,
  );
}

/** Writes `rules/<token>.md`. */
export function writeRule(directory: string, token: string): void {
  writeText(`${directory}/rules/${token}.md`, `${token}\n`);
}

/** Writes `rules/conditional.md`, which applies to text files. */
export function writeConditionalRule(directory: string, token: string): void {
  writeText(
    `${directory}/rules/conditional.md`,
    `---\npaths: "**/*.txt"\n---\n${token}\n`,
  );
}

/** Writes `workflows/<token>.js`. */
export function writeWorkflow(directory: string, token: string): void {
  const meta = JSON.stringify({ name: token, description: `does ${token}` });
  writeText(
    `${directory}/workflows/${token}.js`,
    `export const meta = ${meta};\nexport default async function () {}\n`,
  );
}

/** Writes `output-styles/<token>.md`, selected by its token. */
export function writeOutputStyle(directory: string, token: string): void {
  writeText(
    `${directory}/output-styles/${token}.md`,
    `---\nname: ${token}\ndescription: ${token}\n---\n${token}\n`,
  );
}

/** A `hooks` value: one event whose command dumps its environment to `<marks>/<token>`. */
export function hooksOf(
  event: string,
  token: string,
  marks: string,
): Record<string, unknown> {
  const command = `echo ${token}; env > '${marks}/${token}'`;
  return { [event]: [{ hooks: [{ type: "command", command }] }] };
}

/** An MCP declaration: a stdio server that dumps its environment to `<marks>/<token>`. */
export function mcpServerOf(
  token: string,
  marks: string,
): { readonly command: string; readonly args: readonly string[] } {
  return { command: "perl", args: [MCP_SERVER, token, marks] };
}

/** The tokens of a plugin's parts; a part without one is not written. */
export interface PluginTokens {
  readonly skill?: string;
  readonly command?: string;
  readonly agent?: string;
  readonly hook?: string;
  readonly mcp?: string;
}

/** Writes a plugin named `name` into `directory`; its hook and MCP server report to `marks`. */
export function writePlugin(
  directory: string,
  name: string,
  options: { readonly tokens: PluginTokens; readonly marks: string },
): void {
  const { tokens, marks } = options;
  writeJson(`${directory}/.claude-plugin/plugin.json`, {
    name,
    version: "1.0.0",
  });
  if (tokens.skill) writeSkill(directory, tokens.skill);
  if (tokens.command) writeCommand(directory, tokens.command);
  if (tokens.agent) writeAgent(directory, tokens.agent);
  if (tokens.hook) {
    const hooks = hooksOf("SessionStart", tokens.hook, marks);
    writeJson(`${directory}/hooks/hooks.json`, { hooks });
  }
  if (tokens.mcp) {
    const mcpServers = { [tokens.mcp]: mcpServerOf(tokens.mcp, marks) };
    writeJson(`${directory}/.mcp.json`, { mcpServers });
  }
}
