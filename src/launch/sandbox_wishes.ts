/** What the manifest wants of a sandbox: for the agent, or for a server with one of its own. */
import { type AbsPath, isAbsolutePath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type {
  Manifest,
  NetworkMode,
  SandboxSection,
  ServerSandbox,
} from "../manifest/mod.ts";
import type { SandboxWishes } from "../sandbox/mod.ts";
import type { Variables } from "./environment.ts";
import { isBeside } from "./services.ts";

/** `[sandbox]` of a manifest that has none: nothing beyond the built-in set. */
const NO_SANDBOX: Omit<SandboxSection, "enabled"> = {
  paths: [],
  network: { mode: "open" },
  envHost: [],
  pathDirs: [],
  cacheDirs: [],
  unixSockets: [],
  protect: [],
};

/** Keys of a server's own sandbox, as the manifest and as the parser has them. */
const KEYS = [
  ["paths", "paths"],
  ["network", "network"],
  ["path_dirs", "pathDirs"],
  ["cache_dirs", "cacheDirs"],
  ["unix_sockets", "unixSockets"],
] as const;

/** What the manifest wants for the agent, or for one of its servers: what that says itself counts in the place of `[sandbox]`. */
export function wishesOf(
  manifest: Manifest,
  { server, variables, tmpDir }: {
    readonly server: string | undefined;
    readonly variables: Variables;
    readonly tmpDir: AbsPath;
  },
): SandboxWishes {
  const general = manifest.sandbox ?? NO_SANDBOX;
  const own = serverSandbox(manifest, server);
  const table = `mcp.${server}.sandbox`;
  const network = own?.network ?? general.network;
  const sockets = own?.unixSockets ?? general.unixSockets;
  return {
    ...general,
    paths: own?.paths ?? general.paths,
    pathDirs: own?.pathDirs ?? general.pathDirs,
    cacheDirs: own?.cacheDirs ?? general.cacheDirs,
    network: server === undefined ? withRelays(network, manifest) : network,
    unixSockets: sockets.map((text) => ({
      text,
      path: text === "$TMPDIR"
        ? tmpDir
        : text.startsWith("$")
        ? absolute(variables[text.slice(1)])
        : text,
    })),
    ...(own === undefined ? {} : {
      tables: Object.fromEntries(
        KEYS.filter(([, key]) => own[key] !== undefined)
          .map(([name]) => [name, table]),
      ),
    }),
  };
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolutePath(path) ? path : undefined;
}

/** What the server with this name says of its own sandbox. */
export function serverSandbox(
  { mcp }: Manifest,
  name: string | undefined,
): ServerSandbox | undefined {
  const server = name === undefined ? undefined : mcp[name];
  return server?.type === "stdio" ? server.sandbox : undefined;
}

/** The variables that lead to granted sockets. */
export function socketVariables(
  { unixSockets }: SandboxWishes,
): string[] {
  return unixSockets.flatMap(({ text }) =>
    text.startsWith("$") && text !== "$TMPDIR" ? [text.slice(1)] : []
  );
}

/**
 * An agent without a network cannot reach the relay of an http server with a secret. It gets an empty list of hosts instead,
 * under which nothing is reached but what is named by address and port.
 */
function withRelays(
  network: NetworkMode,
  manifest: Manifest,
): SandboxWishes["network"] {
  if (network.mode !== "none") return network;
  const relayed = Object.entries(manifest.mcp).filter(([, server]) =>
    isBeside(server, manifest) && server.type !== "stdio"
  ).map(([name]) => quote(name));
  if (relayed.length === 0) return network;
  const insteadOfNone =
    `none, but for the relay on this machine to MCP server ${
      relayed.join(", ")
    }`;
  return { mode: "hosts", allow: [], insteadOfNone };
}
