/** What happens in a launch beside which something of ours stays, in the audit log. */
import { AuditLog, SessionLog } from "../audit/mod.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, relative } from "../base/paths.ts";
import { policyHash } from "../manifest/mod.ts";
import {
  type Asked,
  type Change,
  type ProxyEvent,
  readKernelFacts,
} from "../sandbox/mod.ts";
import { KernelListener } from "./audit_kernel.ts";
import { tellRefusedTools } from "./audit_told.ts";
import { epochMs } from "../os/clock.ts";
import { auditStart } from "./audit_start.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** Reasons of the proxy, for people. */
const REASONS: Readonly<Record<NonNullable<ProxyEvent["reason"]>, string>> = {
  malformed: "no name of a host",
  "not-listed": "not listed",
  "other-port": "listed for other ports",
  address: "it leads to an address that is not granted",
  credential: "asked without the credential",
};

/** The events of one launch. `end` it. */
export class LaunchAudit {
  readonly #plan: LaunchPlan;
  readonly #context: PerformContext;
  readonly #runDir: AbsPath;
  readonly #log: SessionLog;
  readonly #since = epochMs();
  #kernel: KernelListener | undefined;

  constructor(plan: LaunchPlan, context: PerformContext, runDir: AbsPath) {
    const { env, dirs } = context;
    this.#plan = plan;
    this.#context = context;
    this.#runDir = runDir;
    const subject = { env: env.label, session: basename(runDir) };
    this.#log = new SessionLog(new AuditLog(dirs.audit), subject);
  }

  /** The agent is about to start. Throws `IO`: what cannot be written down does not start. */
  begin(): void {
    const { sandbox } = this.#context.env.manifest;
    auditStart(this.#plan, this.#context, {
      ...{ runDir: this.#runDir, supervised: true },
      ...(this.#plan.sandbox && sandbox ? { policy: policyHash(sandbox) } : {}),
    });
    if (this.#plan.sandbox) this.#kernel = this.#listen();
  }

  /** A decision of a domain's proxy. */
  proxy(domain: string, event: ProxyEvent): void {
    const { host, port, rule = "", reason, via } = event;
    if (event.decision === "allowed") {
      const through = via === undefined ? {} : { via };
      const allowed = { host, port, rule, ...through };
      this.#log.tell({ event: "host-allowed", ...allowed }, domain);
      return;
    }
    const why = reason === "address"
      ? `it leads to ${event.addresses.join(", ")}, which is not granted`
      : REASONS[reason ?? "not-listed"];
    this.#log.tell({ event: "host-refused", host, port, why }, domain);
  }

  /** A decision of a domain's mediator. */
  connect(domain: string, { to, decision }: Asked): void {
    if (decision === "allow") return;
    this.#log.tell(
      { event: "connect-refused", to, why: "not granted" },
      domain,
    );
  }

  /** Whether the kernel tells what it refuses, if it is asked to; from {@link begin} on. */
  get hearsKernel(): boolean {
    return this.#kernel !== undefined;
  }

  /** A process that becomes the first one of a domain. */
  started(pid: number, domain: string): void {
    this.#kernel?.refusals.add(pid, domain);
  }

  /** A server got its values. */
  handOut(server: string): void {
    const service = this.#plan.services.find(({ name }) => name === server);
    const keys = service?.secrets ?? [];
    const by = `mcp.${server}`;
    if (keys.length > 0) this.#log.tell({ event: "secret-used", by, keys }, by);
  }

  /** Protected files are not as they were. */
  changed(changes: readonly Change[], project: AbsPath): void {
    const paths = changes.map(({ path }) => relative(project, path));
    if (paths.length === 0) return;
    this.#log.tell({ event: "files-changed", project, paths }, "agent");
  }

  /** Hears of the kernel no more. */
  async close(): Promise<void> {
    await this.#kernel?.end();
    this.#kernel = undefined;
  }

  /** The agent has ended. Returns what to tell the user. */
  async end(code: number): Promise<string[]> {
    await this.close();
    const { claude, codex } = this.#context.env.slot;
    if (this.#plan.sandbox) {
      tellRefusedTools({ claude, codex, since: this.#since }, this.#log);
    }
    this.#log.end();
    const problem = this.#lastLine(code) ?? this.#log.problem;
    return problem === undefined
      ? []
      : [`the audit log of this session is not complete: ${problem}`];
  }

  #listen(): KernelListener | undefined {
    if (this.#context.host.os !== "linux") return undefined;
    return KernelListener.open(
      readKernelFacts(),
      (domain, { rights, to }) =>
        this.#log.tell({ event: "kernel-refused", rights, to }, domain),
    );
  }

  #lastLine(code: number): string | undefined {
    try {
      this.#log.add({ event: "launch-end", code });
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error.message;
    }
  }
}
