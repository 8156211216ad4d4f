/** A planned sandbox where this process stays beside the agent: a domain for the agent and for each server, the proxy, what is left at the end. */
import { type AbsPath, join, parent } from "../base/paths.ts";
import type { Child, ChildOptions, Children } from "../os/children.ts";
import { ensureDir, realPath } from "../os/fs.ts";
import { Guardian } from "../os/guardian.ts";
import { whileReadable } from "../os/job.ts";
import { endMarked } from "../os/marked.ts";
import { sleep } from "../os/process.ts";
import type { Peer } from "../os/unix_socket.ts";
import {
  type Enforcement,
  type KernelFacts,
  mediate,
  passingVariables,
  planEnforcement,
  readKernelFacts,
  readSupervisorFacts,
  rememberPolicy,
  type SandboxPolicy,
  startConfined,
  type SupervisorFacts,
} from "../sandbox/mod.ts";
import type { LaunchAudit } from "./audit_session.ts";
import type { Variables } from "./environment.ts";
import { checkEnforced } from "./sandbox_probe.ts";
import { Proxies } from "./sandbox_proxies.ts";
import { recallPlanned } from "./sandbox_recall.ts";
import { prepareSandbox } from "./sandbox_prepare.ts";
import { type LaunchSession, newMark } from "./sandbox_session.ts";
import type { LaunchPlan, PerformContext, PlannedSandbox } from "./types.ts";

/** The agent has begun then, and has not yet asked for anything, milliseconds. */
const SOON_MS = 20;

/** One group of processes that can neither read nor signal those of another. */
interface Domain {
  readonly policy: SandboxPolicy;
  /** Undefined on macOS, where the profile is made from the policy. */
  readonly enforcement: Enforcement | undefined;
  readonly mark: number;
}

interface LinuxFacts {
  readonly kernel: KernelFacts;
  readonly supervisor: SupervisorFacts;
}

/** What a supervisor has. */
export interface SupervisorTools {
  readonly children: Children;
  /** Told of every decision. */
  readonly audit:
    & Pick<LaunchAudit, "proxy" | "connect" | "changed">
    & Partial<Pick<LaunchAudit, "hearsKernel" | "started">>;
}

type Seatbelt = typeof import("./sandbox_hook.ts").seatbeltArguments;

/** What a supervisor confines its agent and servers with. */
export class SupervisedSandbox {
  readonly #sandbox: PlannedSandbox;
  readonly #context: PerformContext;
  readonly #session: LaunchSession;
  readonly #audit: SupervisorTools["audit"];
  readonly #children: Children;
  readonly #guardian: Guardian;
  /** Undefined on macOS. */
  readonly #linux: LinuxFacts | undefined;
  readonly #proxies: Proxies;
  /** Of macOS. */
  readonly #seatbelt: Seatbelt | undefined;
  readonly #servers = new Map<string, Domain>();
  /** Real path of a service's socket → processes for which the mediator connected, and that the service has not yet taken. */
  readonly #clients = new Map<string, number[]>();
  /** Of all domains that there were. */
  readonly #marks: number[] = [];
  #agent: Domain | undefined;

  private constructor(
    sandbox: PlannedSandbox,
    context: PerformContext,
    { children, audit, session, seatbelt }: SupervisorTools & {
      readonly session: LaunchSession;
      readonly seatbelt: Seatbelt | undefined;
    },
  ) {
    this.#sandbox = sandbox;
    this.#session = session;
    this.#seatbelt = seatbelt;
    this.#context = context;
    this.#audit = audit;
    this.#children = children;
    this.#proxies = new Proxies({
      manifest: context.env.manifestPath,
      host: context.host,
      audit: (domain, event) => audit.proxy(domain, event),
    });
    this.#guardian = new Guardian(children, []);
    this.#linux = sandbox.policy.os === "darwin" ? undefined : {
      kernel: readKernelFacts(),
      supervisor: readSupervisorFacts(),
    };
  }

  /** Makes what every domain needs. Throws (exit 3) when protected files were changed, or the system cannot enforce it. */
  static async open(
    { sandbox, services }: LaunchPlan & { readonly sandbox: PlannedSandbox },
    context: PerformContext,
    tools: SupervisorTools,
  ): Promise<SupervisedSandbox> {
    const session = await prepareSandbox(sandbox, context);
    let opened: SupervisedSandbox | undefined;
    try {
      rememberPolicy(sandbox.policy);
      const seatbelt = sandbox.policy.os === "darwin"
        ? (await import("./sandbox_hook.ts")).seatbeltArguments
        : undefined;
      opened = new SupervisedSandbox(sandbox, context, {
        ...{ ...tools, session, seatbelt },
      });
      await opened.#openDomains(services);
      return opened;
    } catch (error) {
      if (opened) await opened.#proxies.close();
      await session.end();
      throw error;
    }
  }

  async #openDomains(services: LaunchPlan["services"]): Promise<void> {
    await this.#proxies.open(this.#sandbox.policy);
    for (const service of services) {
      if (service.kind !== "stdio") continue;
      this.#clients.set(realSocket(service.socket), []);
      const domain = await this.#serverDomain(service.name);
      this.#servers.set(service.name, domain);
    }
    // Once for now: nothing that a trial depends on is added to it any more.
    this.admitAgent([]);
    await this.#tryAll();
  }

  /** Makes the agent's own domain; from now on it can be started. `ports` are those of relays on this machine. */
  admitAgent(ports: readonly number[]): void {
    if (this.#agent !== undefined && ports.length === 0) return;
    const { policy } = this.#sandbox;
    const why = {
      source: "run",
      text: "an MCP server of this launch",
    } as const;
    const sockets = [...this.#clients.keys()].map((path) => ({
      path: path as AbsPath,
      why,
    }));
    const { network } = policy;
    this.#agent = this.#domain({
      ...policy,
      unixSockets: [...policy.unixSockets, ...sockets],
      network: network.mode !== "hosts" ? network : {
        ...network,
        ports: [...network.ports, ...ports.map((port) => ({ port, why }))],
      },
    });
  }

  /** The agent's variables with those that lead to the proxy. */
  variables(env: Variables, ports: readonly number[] = []): Variables {
    // Relays are asked directly.
    return this.#proxies.variables(this.#sandbox.policy.domain, env, ports);
  }

  /** Starts a program in the domain of the server with this name, or of the agent. */
  start(options: ChildOptions, server?: string): Child {
    const domain = server === undefined
      ? this.#agent
      : this.#servers.get(server);
    if (domain === undefined) {
      throw new Error(`nothing confines ${server ?? "the agent"}`);
    }
    const env = server === undefined
      ? options.env
      : this.#serverVariables(options.env, domain);
    return this.#startIn(domain, { ...options, env });
  }

  /** Who connected to a service: the mediator connects for its processes. Nobody else of this process does. */
  whoIs(peer: Peer, socket: AbsPath): Peer | undefined {
    if (peer.pid !== this.#context.host.pid) return peer;
    const pid = this.#clients.get(realSocket(socket))?.shift();
    return pid === undefined ? undefined : { ...peer, pid };
  }

  /** Loads what the first connection needs, a moment after the start: it is in nobody's way then. */
  async loadSoon(): Promise<void> {
    await sleep(SOON_MS);
    await this.#proxies.load();
  }

  /** Ends what is left of all domains; returns what to tell the user. */
  async end(): Promise<string[]> {
    await endMarked(this.#marks);
    await this.#proxies.close();
    const { changes, lines } = await this.#session.end();
    this.#audit.changed(changes, this.#sandbox.project);
    return [...lines];
  }

  async #tryAll(): Promise<void> {
    for (const domain of [...this.#servers.values(), this.#agent]) {
      if (domain?.enforcement === undefined || !this.#linux) continue;
      const { dirs } = this.#context;
      await checkEnforced(domain.enforcement, this.#linux.kernel, dirs);
    }
  }

  async #serverDomain(name: string): Promise<Domain> {
    const { env, host, dirs } = this.#context;
    const request = { env, program: host.self, server: name };
    const { policy } = await recallPlanned(request, {
      ...{ host, dirs, kernel: this.#linux?.kernel, place: undefined },
    });
    for (const dir of policy.make) ensureDir(dir);
    rememberPolicy(policy);
    await this.#proxies.open(policy);
    return this.#domain(policy);
  }

  /** Those that the agent would give it, where they lead to what is the agent's with what is the server's. */
  #serverVariables(env: Variables, { policy }: Domain): Variables {
    const { host } = this.#context;
    const own = ownVariables(env, this.#sandbox, policy);
    const sockets = passingVariables(
      host.env,
      policy.environment.filter(({ socket }) => socket),
    );
    return this.#proxies.variables(policy.domain, { ...sockets, ...own });
  }

  #domain(planned: SandboxPolicy): Domain {
    const policy = this.#proxies.named(planned);
    const mark = newMark();
    this.#marks.push(mark);
    if (!this.#linux) return { policy, enforcement: undefined, mark };
    const { kernel, supervisor } = this.#linux;
    const enforcement = planEnforcement(policy, kernel, { supervisor });
    this.#guardian.addMark(mark);
    return { policy, enforcement, mark };
  }

  #startIn(
    { policy, enforcement, mark }: Domain,
    options: ChildOptions,
  ): Child {
    if (enforcement === undefined) {
      const [path, ...args] = this.#seatbelt!(policy, options);
      return this.#children.start({ ...options, path: path!, args });
    }
    const { stdio, ownSession } = options;
    // A child of a process that hides cannot set up a namespace.
    const { pid, listener } = whileReadable(
      enforcement.mounts !== undefined,
      () =>
        startConfined(
          { ...enforcement, logs: this.#audit.hearsKernel === true },
          options,
          { stdio, ownSession, mark },
        ),
    );
    this.#audit.started?.(pid, policy.domain);
    if (listener !== undefined) {
      const { domain } = policy;
      this.#mediate(listener, enforcement, { mark, domain });
    }
    return this.#children.watch(pid, options.onStop);
  }

  #mediate(
    listener: number,
    { mediation }: Enforcement,
    { mark, domain }: { readonly mark: number; readonly domain: string },
  ): void {
    const mediated = mediate(listener, mediation!, {
      mark,
      report: (asked) => this.#audit.connect(domain, asked),
      connected: ({ pid, path }) => this.#clients.get(path)?.push(pid),
    });
    // Without it every call that would be asked about fails: the domain is only more closed.
    mediated.catch(() => {});
  }
}

/** A server's variables: where they would lead to the agent's temporary files and caches, to those of its own domain. */
function ownVariables(
  env: Variables,
  { policy }: PlannedSandbox,
  own: SandboxPolicy,
): Record<string, string> {
  const out: Record<string, string> = { ...env };
  for (const [name, value] of Object.entries(policy.sets)) {
    if (out[name] === value) delete out[name];
  }
  for (const [name, value] of Object.entries(own.sets)) out[name] ??= value;
  return out;
}

/** Where a socket, which may not be there yet, really lies. */
function realSocket(path: AbsPath): AbsPath {
  const dir = parent(path);
  return join(realPath(dir) ?? dir, path.slice(dir.length + 1));
}
