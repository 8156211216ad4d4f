/** Services at work: what a plan says is started here, and the agent's file gets what was not known before. */
import { claude } from "../agents/mod.ts";
import type { Child, ChildOptions, Children } from "../os/children.ts";
import { writeAtomic } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  Broker,
  type BrokerOptions,
  HttpRelay,
  isDescendant,
} from "../secrets/mod.ts";
import { caCertificates } from "../sources/mod.ts";
import type { FilledServices } from "./service_values.ts";
import type { LaunchPlan } from "./types.ts";

/** Starts a program of a launch: the agent's, or that of the server with this name. The place to confine it. */
export type StartProgram = (options: ChildOptions, server?: string) => Child;

/** What running services need. */
export interface ServiceTools {
  readonly host: Host;
  readonly children: Children;
  readonly start: StartProgram;
  /** See `BrokerOptions`. */
  readonly whoIs?: BrokerOptions["whoIs"] | undefined;
  /** Told when the server with this name gets its values: a program each time it starts, a remote one once. */
  readonly onHandOut: (server: string) => void;
}

/** Services that run. */
export interface RunningServices {
  /** Ports on loopback that the agent has to reach. */
  readonly ports: readonly number[];
  /** Ends them with all that they started. */
  stop(): Promise<void>;
}

/**
 * Starts what answers for the services; servers themselves start when they are asked for. Only this process and what it starts
 * may ask, and no server. Throws `PATH_INVALID`, `IO`.
 */
export function startServices(
  plan: LaunchPlan,
  { brokered, relayed }: FilledServices,
  { host, children, start, whoIs, onHandOut }: ServiceTools,
): RunningServices {
  const family = { root: host.pid, uid: host.uid };
  const broker = brokered.length === 0 ? undefined : new Broker({
    servers: brokered,
    children,
    start: (options, { name }) => start(options, name),
    mayAsk: (peer, servers) => isDescendant(peer, family, servers),
    onStart: ({ name }) => onHandOut(name),
    ...(whoIs ? { whoIs } : {}),
  });
  const caCerts = relayed.length === 0 ? [] : caCertificates(host);
  const relay = relayed.length === 0
    ? undefined
    : new HttpRelay(relayed, { caCerts, onUse: onHandOut });
  if (relay !== undefined) nameRelays(plan, relay);
  return {
    ports: relay === undefined ? [] : [relay.port],
    async stop() {
      await Promise.all([broker?.stop(), relay?.stop()]);
    },
  };
}

/** Writes the addresses of the relays into the agent's file. */
function nameRelays({ files }: LaunchPlan, relay: HttpRelay): void {
  const file = files.find(({ path }) => path.endsWith(claude.MCP_FILE));
  if (file === undefined) return;
  const content = claude.asRecord(JSON.parse(file.content));
  const servers = { ...claude.asRecord(content["mcpServers"]) };
  for (const [name, entry] of relay.entries()) {
    servers[name] = { ...claude.asRecord(servers[name]), ...entry };
  }
  const text = JSON.stringify({ ...content, mcpServers: servers }, null, 2);
  writeAtomic(file.path, text + "\n");
}
