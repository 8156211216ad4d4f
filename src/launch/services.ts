/** MCP servers that need a secret: what runs beside the agent, and what the agent is told instead. */
import type { claude } from "../agents/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { type OpenEnv, serverSecrets } from "../env/mod.ts";
import type { Manifest, McpServer } from "../manifest/mod.ts";
import { isExecutable } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import type { PlannedFile, PlannedService } from "./types.ts";

/** Where services are planned. */
export interface ServicePlace {
  readonly runDir: AbsPath;
  /** Where the agent runs. */
  readonly cwd: AbsPath;
  readonly host: Pick<Host, "os" | "self">;
  /** Where a server with a `cwd` of its own is started. */
  readonly dirOf: (cwd: string) => AbsPath;
}

const PERL = "/usr/bin/perl" as AbsPath;
const RELAY_FILE = "relay.pl";
/** Stand for the address and the pass that a relay gets when it is started. */
const RELAY_URL = "http://127.0.0.1:PORT/PATH";
const RELAY_PASS = "Bearer PASS";

/** Whether a server runs beside the agent: it has a sandbox of its own, or a secret that the agent does not get. */
export function isBeside(
  server: McpServer,
  { secrets, sandbox }: Manifest,
): boolean {
  if (server.disabled) return false;
  const isConfined = server.type === "stdio" && server.sandbox !== undefined &&
    (sandbox?.enabled ?? false);
  return isConfined ||
    (secrets.expose === undefined && serverSecrets(server).length > 0);
}

/** Whether something of ours stays beside the agent of this env for a server of it. */
export function staysBeside({ manifest }: OpenEnv): boolean {
  return Object.values(manifest.mcp)
    .some((server) => isBeside(server, manifest));
}

/** The services of an env. Throws `NOT_SUPPORTED` (exit 3) on Windows. */
export function planServices(
  { manifest, label }: OpenEnv,
  place: ServicePlace,
): PlannedService[] {
  const servers = Object.entries(manifest.mcp).filter(([, server]) =>
    isBeside(server, manifest)
  );
  if (servers.length > 0 && place.host.os === "windows") {
    throw new AppError(
      "NOT_SUPPORTED",
      `Cannot start environment ${
        quote(label)
      }: its MCP servers need secrets, which are not kept from the agent on Windows`,
      { exitCode: ExitCode.refused },
    );
  }
  return servers.map(([name, server], index) =>
    planService(name, server, { ...place, index })
  );
}

function planService(
  name: string,
  server: McpServer,
  { runDir, cwd, dirOf, index }: ServicePlace & { readonly index: number },
): PlannedService {
  const secrets = [...new Set(serverSecrets(server))].sort();
  if (server.type !== "stdio") {
    const { type, url, headers } = server;
    return { kind: type, name, url, headers, secrets };
  }
  const { command, args, env } = server;
  return {
    kind: "stdio",
    name,
    command,
    args,
    env,
    cwd: server.cwd === undefined ? cwd : dirOf(server.cwd),
    secrets,
    // The name may be too long for a socket's path.
    socket: join(runDir, `${index + 1}.sock`),
    log: join(runDir, `${name}.log`),
  };
}

/** What the agent is told of a service, as far as it is known before that runs. */
export function serviceEntry(
  service: PlannedService,
  { host, runDir }: Pick<ServicePlace, "host" | "runDir">,
): claude.ServerEntry {
  if (service.kind !== "stdio") {
    // A header of that name keeps the agent from looking for a login of its own.
    const headers = { Authorization: RELAY_PASS };
    return { type: service.kind, url: RELAY_URL, headers };
  }
  return hasPerl()
    ? {
      type: "stdio",
      command: PERL,
      args: [join(runDir, RELAY_FILE), service.socket],
      // The user's own could have it load what it does not need.
      env: { PERL5OPT: "" },
    }
    : { type: "stdio", command: host.self, args: ["__relay", service.socket] };
}

/** How the agent's environment names its launcher: which it is itself, or which stays as its parent. */
export function launcherMark(
  pid: number,
  { stays }: { readonly stays: boolean },
): string {
  return stays ? supervisorMark(pid) : `${pid}`;
}

/** See {@link launcherMark}. */
export function supervisorMark(pid: number): string {
  return `supervisor:${pid}`;
}

/** Files that the agent needs to reach the services. */
export async function serviceFiles(
  services: readonly PlannedService[],
  runDir: AbsPath,
): Promise<PlannedFile[]> {
  if (!services.some(({ kind }) => kind === "stdio") || !hasPerl()) return [];
  const { RELAY_SCRIPT } = await import("../secrets/mod.ts");
  return [{ path: join(runDir, RELAY_FILE), content: RELAY_SCRIPT }];
}

function hasPerl(): boolean {
  return isExecutable(PERL);
}

/** What keeps the agent from asking a proxy for the relay on this machine. */
export function serviceVariables(
  services: readonly PlannedService[],
  base: Readonly<Record<string, string>>,
): Record<string, string> {
  const isProxied = Object.keys(base).some((name) =>
    /^(https?|all)_proxy$/i.test(name)
  );
  if (!isProxied || services.every(({ kind }) => kind === "stdio")) return {};
  const hosts = base["NO_PROXY"] ?? base["no_proxy"] ?? "";
  const all = [...hosts.split(",").filter((host) => host !== ""), "127.0.0.1"];
  const list = [...new Set(all)].join(",");
  return { NO_PROXY: list, no_proxy: list };
}

/** Throws `NOT_SUPPORTED` (exit 3) when a server of a plugin asks for a secret: what a team keeps is for what its manifest names. */
export function checkPluginServers(
  plugin: string,
  servers: Readonly<Record<string, unknown>>,
): void {
  for (const [name, entry] of Object.entries(servers)) {
    if (!JSON.stringify(entry).includes("${secret:")) continue;
    throw new AppError(
      "NOT_SUPPORTED",
      `Cannot start MCP server ${quote(name)} of plugin ${
        quote(plugin)
      }: it asks for a secret, which only the servers of the manifest get`,
      {
        hint: `Declare the server in aenv.toml: [mcp.${name}]`,
        exitCode: ExitCode.refused,
      },
    );
  }
}
