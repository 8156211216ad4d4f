/** MCP servers of a manifest as Codex is told of them. */
import { codex } from "../agents/mod.ts";
import type { AbsPath } from "../base/paths.ts";
import { looksLikeCredential } from "../base/redact.ts";
import type { OpenEnv } from "../env/mod.ts";
import { fillReferences, type McpServer } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import type { Variables } from "./environment.ts";
import { type Exposed, withExposed } from "./exposed.ts";
import { serverDir } from "./servers.ts";
import { planServices, serviceEntry } from "./services.ts";
import type { PlannedService } from "./types.ts";

/** What the entries depend on. */
export interface CodexServerPlace {
  readonly exposed: Exposed;
  readonly runDir: AbsPath;
  readonly cwd: AbsPath;
  readonly host: Host;
  /** Whether servers with secrets can be reached. */
  readonly beside: boolean;
  /** The variables of the launch. */
  readonly variables: Variables;
  /** Names of those that servers need. */
  readonly forward: readonly string[];
}

/** Servers by the way in which Codex learns of them. */
export interface CodexServers {
  /** The same at every launch: they stand in its settings. */
  readonly plain: Readonly<Record<string, codex.ServerEntry>>;
  /** Of this launch: they hold secrets, and run beside the agent. */
  readonly relayed: Readonly<Record<string, codex.ServerEntry>>;
  readonly services: readonly PlannedService[];
  /** What it does not get. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** What makes programs use a proxy. Codex gives a server next to nothing of its environment. */
const PROXY_VARIABLES: readonly string[] = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"],
  ...["http_proxy", "https_proxy", "all_proxy", "no_proxy"],
  ...["NODE_USE_ENV_PROXY", "npm_config_proxy", "npm_config_https_proxy"],
  ...["npm_config_noproxy", "PIP_PROXY", "NODE_EXTRA_CA_CERTS"],
  "SSL_CERT_FILE",
];

/** The servers of an env. Throws what `planServices` throws. */
export function codexServers(
  env: OpenEnv,
  place: CodexServerPlace,
): CodexServers {
  const home = place.host.home();
  const dirOf = (dir: string) => serverDir(dir, { baseDir: env.baseDir, home });
  const beside = planServices(env, { ...place, dirOf });
  const plain: Record<string, codex.ServerEntry> = {};
  const relayed: Record<string, codex.ServerEntry> = {};
  const left: { name: string; why: string }[] = [];
  const context = {
    fill: (text: string) => filled(text, place),
    forward: [...place.forward, ...PROXY_VARIABLES],
  };
  for (const [name, server] of Object.entries(env.manifest.mcp)) {
    if (server.disabled) continue;
    const service = beside.find((each) => each.name === name);
    const facts = service === undefined
      ? factsOf(server, { ...place, dirOf })
      : service.kind === "stdio" && place.beside
      ? { ...serviceEntry(service, place) } as codex.ServerFacts
      : "it needs a secret, which reaches codex's http servers in no way yet";
    const entry = typeof facts === "string"
      ? facts
      : codex.serverEntry(name, facts, context);
    if (typeof entry === "string") left.push({ name, why: entry });
    else if (service === undefined) plain[name] = entry;
    else relayed[name] = entry;
  }
  const services = beside.filter(({ name }) => Object.hasOwn(relayed, name));
  return { plain, relayed, services, left };
}

function factsOf(
  server: McpServer,
  { exposed, dirOf }: CodexServerPlace & {
    readonly dirOf: (dir: string) => AbsPath;
  },
): codex.ServerFacts {
  const form = (text: string) => withExposed(text, exposed);
  const table = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, form(text)]),
    );
  if (server.type !== "stdio") {
    const { type, url, headers } = server;
    return { type, url: form(url), headers: table(headers) };
  }
  return {
    type: "stdio",
    command: form(server.command),
    args: server.args.map(form),
    env: table(server.env),
    ...(server.cwd === undefined ? {} : { cwd: dirOf(server.cwd) }),
  };
}

/** A text with its variables; undefined when one of them is a credential, or gets its value only when the agent is started. */
function filled(
  text: string,
  { variables, exposed }: CodexServerPlace,
): string | undefined {
  let isPlain = true;
  const out = fillReferences(text, {
    secret: () => {
      isPlain = false;
      return "";
    },
    variable: (name, fallback) => {
      const value = variables[name] ?? fallback ?? "";
      const isSecret = Object.hasOwn(exposed, name) ||
        looksLikeCredential(name, value);
      if (isSecret) isPlain = false;
      return value;
    },
  });
  return isPlain ? out : undefined;
}
