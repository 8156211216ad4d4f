/** What one launch tells the log. What its agent can cause is limited: it must fill neither the disk nor the log. */
import { AppError } from "../base/errors.ts";
import { monotonicMs } from "../os/clock.ts";
import type { AuditEvent, EventName, Subject } from "./event.ts";
import type { AuditLog } from "./log.ts";

/** Events that the agent causes as often as it likes. */
const LIMITED: ReadonlySet<EventName> = new Set([
  "host-allowed",
  "host-refused",
  "connect-refused",
  "kernel-refused",
  "tool-refused",
  "secret-used",
]);
/** How many of a kind are written at once, for each domain, and how many milliseconds give one more. */
const BURST = 30;
const REFILL_MS = 2000;
/** How many hosts are remembered, so that each is told once. */
const MAX_HOSTS = 1000;

/** Of one kind and domain. */
interface Budget {
  left: number;
  filled: number;
  omitted: number;
  readonly what: EventName;
  readonly domain: string | undefined;
}

/** The log of one launch. `end` it. */
export class SessionLog {
  readonly #log: AuditLog;
  readonly #subject: Subject;
  readonly #now: () => number;
  readonly #budgets = new Map<string, Budget>();
  readonly #hosts = new Set<string>();
  #problem: string | undefined;

  constructor(log: AuditLog, subject: Subject, now = monotonicMs) {
    this.#log = log;
    this.#subject = subject;
    this.#now = now;
  }

  /** Why something could not be written; undefined when all was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Adds an event of the launch itself. Throws `IO`. */
  add(event: AuditEvent): void {
    this.#log.add(event, this.#subject);
  }

  /** Adds what happened in a domain, unless there was too much of it. Never throws for the disk: see {@link problem}. */
  tell(event: AuditEvent, domain: string): void {
    if (event.event === "host-allowed" && !this.#isNew(event, domain)) return;
    if (!LIMITED.has(event.event)) return this.#write(event, domain);
    const budget = this.#budgetOf(event.event, domain);
    if (budget.left < 1) {
      budget.omitted++;
      return;
    }
    budget.left--;
    this.#tellOmitted(budget);
    this.#write(event, domain);
  }

  /** Adds how much was left out. */
  end(): void {
    for (const budget of this.#budgets.values()) this.#tellOmitted(budget);
  }

  #isNew(
    { host, port }: { readonly host: string; readonly port: number },
    domain: string,
  ): boolean {
    const name = `${domain} ${host} ${port}`;
    if (this.#hosts.has(name)) return false;
    if (this.#hosts.size < MAX_HOSTS) this.#hosts.add(name);
    return true;
  }

  #budgetOf(what: EventName, domain: string): Budget {
    const name = `${what} ${domain}`;
    const now = this.#now();
    const budget = this.#budgets.get(name) ??
      { left: BURST, filled: now, omitted: 0, what, domain };
    this.#budgets.set(name, budget);
    const earned = Math.floor((now - budget.filled) / REFILL_MS);
    budget.left = Math.min(BURST, budget.left + earned);
    budget.filled += earned * REFILL_MS;
    return budget;
  }

  #tellOmitted(budget: Budget): void {
    const { omitted: count, what, domain } = budget;
    if (count === 0) return;
    budget.omitted = 0;
    this.#write({ event: "left-out", what, count }, domain);
  }

  #write(event: AuditEvent, domain: string | undefined): void {
    try {
      this.#log.add(event, { ...this.#subject, domain });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#problem ??= error.message;
    }
  }
}
