/** What the kernel itself refused to confined processes, where it tells us: Landlock from ABI 7 on, see `KernelAudit`. */
import { KernelAudit, type KernelMessage } from "../os/kernel_audit.ts";
import { Poller } from "../os/poller.ts";
import type { KernelFacts } from "../sandbox/mod.ts";

/** A refusal: by which right, and of what. */
export interface KernelRefusal {
  /** The rights that were missing, as the kernel calls them: `fs.read_file`. */
  readonly rights: string;
  /** The path, or the process; empty where the kernel names nothing. */
  readonly to: string;
}

/** The first Landlock that tells what it refuses. */
const LOGGING_ABI = 7;
/** Numbers of messages. */
const LANDLOCK_ACCESS = 1423;
const LANDLOCK_DOMAIN = 1424;
/** What waits for its domain to be named. */
const MAX_HELD = 100;

/** Tells refusals of the kernel apart by the process that a domain began with. */
export class KernelRefusals {
  readonly #tell: (name: string, refusal: KernelRefusal) => void;
  /** First process → name of what we started. */
  readonly #started = new Map<number, string>();
  /** The kernel's number of a domain → name of what we started. */
  readonly #domains = new Map<string, string>();
  #held: { readonly domain: string; readonly refusal: KernelRefusal }[] = [];

  constructor(tell: (name: string, refusal: KernelRefusal) => void) {
    this.#tell = tell;
  }

  /** A process that confines itself and becomes what has this name. */
  add(pid: number, name: string): void {
    this.#started.set(pid, name);
  }

  /** Takes messages in the order in which they came. */
  take(messages: readonly KernelMessage[]): void {
    for (const { type, text } of messages) {
      const fields = fieldsOf(text);
      const domain = fields.get("domain");
      if (domain === undefined) continue;
      if (type === LANDLOCK_ACCESS) this.#access(domain, refusalOf(fields));
      if (type === LANDLOCK_DOMAIN) this.#domain(domain, fields);
    }
  }

  #access(domain: string, refusal: KernelRefusal): void {
    const name = this.#domains.get(domain);
    if (name !== undefined) return this.#tell(name, refusal);
    // The kernel names a domain after the first thing that it refused to it.
    this.#held.push({ domain, refusal });
    if (this.#held.length > MAX_HELD) this.#held.shift();
  }

  #domain(domain: string, fields: ReadonlyMap<string, string>): void {
    const held = this.#held.filter((item) => item.domain === domain);
    this.#held = this.#held.filter((item) => item.domain !== domain);
    const name = this.#started.get(Number(fields.get("pid")));
    if (name === undefined) return;
    this.#domains.set(domain, name);
    for (const { refusal } of held) this.#tell(name, refusal);
  }
}

/** Listens while a launch lasts. */
export class KernelListener {
  readonly refusals: KernelRefusals;
  readonly #audit: KernelAudit;
  readonly #poller = new Poller();

  private constructor(audit: KernelAudit, refusals: KernelRefusals) {
    this.#audit = audit;
    this.refusals = refusals;
    this.#poller.add(audit.descriptor, "data", () => this.#read());
  }

  /** Undefined where the kernel tells us nothing. */
  static open(
    { landlockAbi }: KernelFacts,
    tell: (name: string, refusal: KernelRefusal) => void,
  ): KernelListener | undefined {
    const audit = landlockAbi < LOGGING_ABI ? undefined : KernelAudit.open();
    return audit && new KernelListener(audit, new KernelRefusals(tell));
  }

  /** Takes what has come, and listens no more. */
  async end(): Promise<void> {
    this.#read();
    this.#poller.remove(this.#audit.descriptor);
    this.#poller[Symbol.dispose]();
    await this.#poller.finished();
    this.#audit[Symbol.dispose]();
  }

  #read(): void {
    this.refusals.take(this.#audit.read());
  }
}

/** Whether a launch that is supervised would hear what the kernel refuses. */
export function hearsKernel({ landlockAbi }: KernelFacts): boolean {
  if (landlockAbi < LOGGING_ABI) return false;
  using audit = KernelAudit.open();
  return audit !== undefined;
}

/** `name=value` and `name="text"`; foreign text that needs it stands there in hexadecimal digits, without quotes. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/(\w+)=("[^"]*"|\S*)/g)) {
    // The first counts: foreign text comes last.
    if (!fields.has(name!)) fields.set(name!, value!);
  }
  return fields;
}

function refusalOf(fields: ReadonlyMap<string, string>): KernelRefusal {
  const rights = fields.get("blockers") ?? "";
  const path = fields.get("path");
  const process = fields.get("opid");
  const port = fields.get("dest");
  const to = path !== undefined
    ? unquoted(path)
    : process !== undefined
    ? `process ${process}`
    : port !== undefined
    ? `port ${port}`
    : "";
  return { rights, to };
}

function unquoted(value: string): string {
  if (value.startsWith('"')) return value.slice(1, -1);
  if (!/^([0-9A-F]{2})+$/.test(value)) return value;
  const digits = value.match(/../g)!.map((pair) => parseInt(pair, 16));
  return new TextDecoder().decode(Uint8Array.from(digits));
}
