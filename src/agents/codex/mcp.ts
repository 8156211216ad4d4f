/** MCP servers as Codex is told of them. It expands no `${…}`, and gives a server next to nothing of its own environment. */

/** A server as a manifest has it, its directory resolved. */
export type ServerFacts =
  | {
    readonly type: "stdio";
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd?: string;
  }
  | {
    readonly type: "http" | "sse";
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  };

/** One entry of `mcp_servers`. */
export type ServerEntry = Readonly<Record<string, unknown>>;

/** What an entry depends on. */
export interface ServerContext {
  /** A text with its variables filled in; undefined when one of them holds a credential, which is written down nowhere. */
  readonly fill: (text: string) => string | undefined;
  /** Variables of the launch that a server needs. */
  readonly forward: readonly string[];
}

/** What Codex accepts as a name. */
const NAME = /^[A-Za-z0-9_-]+$/;
const WHOLE = /^\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}$/;
const BEARER = /^Bearer \$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}$/i;

/** The entry of a server, or why Codex cannot have it. */
export function serverEntry(
  name: string,
  server: ServerFacts,
  context: ServerContext,
): ServerEntry | string {
  if (!NAME.test(name)) return "its name has other characters than A-Z 0-9 _ -";
  if (server.type === "sse") return "codex knows no SSE servers";
  const filled = new Filling(context.fill);
  const entry = server.type === "stdio"
    ? stdioEntry(server, filled, context.forward)
    : httpEntry(server, filled);
  return filled.isWhole ? entry : "a variable in it holds a credential";
}

/** Remembers whether something could not be filled in. */
class Filling {
  isWhole = true;
  readonly #fill: ServerContext["fill"];

  constructor(fill: ServerContext["fill"]) {
    this.#fill = fill;
  }

  text(text: string): string {
    const filled = this.#fill(text);
    if (filled === undefined) this.isWhole = false;
    return filled ?? "";
  }
}

function stdioEntry(
  server: Extract<ServerFacts, { type: "stdio" }>,
  filled: Filling,
  forward: readonly string[],
): ServerEntry {
  // A variable under its own name need not be written down.
  const passed = Object.entries(server.env)
    .filter(([key, text]) => WHOLE.exec(text)?.[1] === key)
    .map(([key]) => key);
  const env = Object.entries(server.env)
    .filter(([key]) => !passed.includes(key))
    .map(([key, text]) => [key, filled.text(text)]);
  const names = forward.filter((name) => !Object.hasOwn(server.env, name));
  return {
    command: filled.text(server.command),
    args: server.args.map((text) => filled.text(text)),
    env: Object.fromEntries(env),
    env_vars: [...new Set([...names, ...passed])],
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
  };
}

function httpEntry(
  { url, headers }: Exclude<ServerFacts, { type: "stdio" }>,
  filled: Filling,
): ServerEntry {
  const plain: Record<string, string> = {};
  const named: Record<string, string> = {};
  let bearer: string | undefined;
  for (const [header, text] of Object.entries(headers)) {
    const isLogin = header.toLowerCase() === "authorization";
    const token = isLogin ? BEARER.exec(text)?.[1] : undefined;
    const variable = WHOLE.exec(text)?.[1];
    if (token !== undefined) bearer = token;
    else if (variable !== undefined) named[header] = variable;
    else plain[header] = filled.text(text);
  }
  return {
    url: filled.text(url),
    ...(bearer === undefined ? {} : { bearer_token_env_var: bearer }),
    ...(Object.keys(plain).length > 0 ? { http_headers: plain } : {}),
    ...(Object.keys(named).length > 0 ? { env_http_headers: named } : {}),
  };
}
