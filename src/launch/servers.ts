/** MCP servers of a manifest as the agent is told of them. */
import { claude } from "../agents/mod.ts";
import { type AbsPath, join, resolveFrom } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import { type McpServer, toAgentForm } from "../manifest/mod.ts";
import { type Exposed, withExposed } from "./exposed.ts";

/** What the entries depend on. */
export interface ServerPlace {
  readonly env: OpenEnv;
  readonly home: AbsPath;
  readonly exposed: Exposed;
}

/** The entry of a server that the agent starts or reaches by itself. */
export function agentServer(
  server: McpServer,
  { env: { baseDir }, home, exposed }: ServerPlace,
): claude.ServerEntry {
  function form(text: string): string {
    return withExposed(toAgentForm(text), exposed);
  }
  function rendered(
    table: Readonly<Record<string, string>>,
  ): Record<string, string> {
    return Object.fromEntries(
      Object.entries(table).map(([name, text]) => [name, form(text)]),
    );
  }
  if (server.type !== "stdio") {
    return {
      type: server.type,
      url: form(server.url),
      headers: rendered(server.headers),
    };
  }
  const { args, env, cwd } = server;
  const words = [server.command, ...args].map(form);
  const [command, ...rest] = cwd === undefined
    ? words
    : claude.startedIn(serverDir(cwd, { baseDir, home }), words);
  return { type: "stdio", command, args: rest, env: rendered(env) };
}

/** Where a server is started: `cwd` as the manifest has it. */
export function serverDir(
  cwd: string,
  { baseDir, home }: { baseDir: AbsPath; home: AbsPath },
): AbsPath {
  return /^~(\/|$)/.test(cwd)
    ? join(home, cwd.slice(1))
    : resolveFrom(baseDir, cwd);
}
