/** The proxies of a launch: one for each domain whose network is a list of hosts. */
import type { AbsPath } from "../base/paths.ts";
import type { Host } from "../os/host.ts";
import {
  parseRules,
  type ProxyEvent,
  type RunningProxy,
  type SandboxPolicy,
  startProxy,
} from "../sandbox/mod.ts";
import { presetHostsFor } from "./sandbox_hosts.ts";

/** Who hears of decisions: the domain, and what was decided. */
export type HearProxy = (domain: string, event: ProxyEvent) => void;

/** Starts and ends proxies. Each has a port and a credential of its own: what one domain learns of its proxy is of no use in another. */
export class Proxies {
  readonly #running = new Map<string, RunningProxy>();
  readonly #manifest: AbsPath;
  readonly #host: Host;
  readonly #audit: HearProxy;
  #caCerts: Promise<readonly string[]> | undefined;

  constructor(
    { manifest, host, audit }: {
      /** For the messages that tools show. */
      readonly manifest: AbsPath;
      readonly host: Host;
      readonly audit: HearProxy;
    },
  ) {
    this.#manifest = manifest;
    this.#host = host;
    this.#audit = audit;
  }

  /** Starts the proxy of a domain, where its network is a list of hosts. */
  async open(policy: SandboxPolicy): Promise<void> {
    const { network, domain } = policy;
    if (network.mode !== "hosts") return;
    const entries = network.allow.map(({ pattern }) => pattern);
    const rules = parseRules(entries, await presetHostsFor(policy, this.#host));
    const proxy = startProxy(rules, {
      manifest: this.#manifest,
      audit: (event) => this.#audit(domain, event),
      // The session that it happened in has ended; the agent has the terminal.
      onBug: () => {},
      // The user's own: what a manifest sets says nothing of the network that this machine is in.
      env: this.#host.env,
      caCerts: () => this.#certificates(),
    });
    this.#running.set(domain, proxy);
  }

  /** Loads what they need for the first connection, which waits for it else. */
  async load(): Promise<void> {
    await Promise.all([...this.#running.values()].map((each) => each.load()));
  }

  /** Asked for only where the user's own network has a proxy that is spoken to over TLS. */
  #certificates(): Promise<readonly string[]> {
    this.#caCerts ??= caCertificatesOf(this.#host);
    return this.#caCerts;
  }

  /** The policy with the port of its proxy. */
  named(policy: SandboxPolicy): SandboxPolicy {
    const { network, domain } = policy;
    if (network.mode !== "hosts") return policy;
    const port = this.#running.get(domain)?.port;
    const proxy = port === undefined ? undefined : { port };
    return { ...policy, network: { ...network, proxy } };
  }

  /** Variables with those that lead to the proxy of a domain; `direct` are ports of this machine that are asked directly. */
  variables(
    domain: string,
    env: Readonly<Record<string, string>>,
    direct: readonly number[] = [],
  ): Readonly<Record<string, string>> {
    const proxy = this.#running.get(domain);
    if (proxy === undefined) return env;
    const set = proxy.environment(env);
    const hosts = direct.map((port) => `127.0.0.1:${port}`);
    for (const name of ["NO_PROXY", "no_proxy", "npm_config_noproxy"]) {
      const words = (set[name] ?? "").split(",").filter((word) => word !== "");
      set[name] = [...words, ...hosts].join(",");
    }
    return { ...env, ...set };
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((each) => each.close()));
  }
}

async function caCertificatesOf(host: Host): Promise<readonly string[]> {
  const { caCertificates } = await import("../sources/mod.ts");
  return caCertificates(host);
}
