/** One client's connection to the proxy, with what belongs to it: the connection behind it, its time, its end. */
import { monotonicMs } from "../../os/clock.ts";
import { type Connection, isHangUp } from "../../os/sockets.ts";
import { within } from "../../os/timers.ts";
import type { CopyBuffers } from "./copy_buffers.ts";
import type { Credential } from "./credential.ts";
import { dial, type Dialled, type Dialler, type Target } from "./dial.ts";
import type { ProxyProtocol } from "./events.ts";
import { HeadError } from "./http_head.ts";
import { Inlet, type InletOptions, tunnel } from "./inlet.ts";
import type { Upstream } from "./upstream.ts";

/** What all sessions share. */
export interface Shared extends Dialler {
  readonly credential: Credential;
  /** Path of the manifest, for messages. */
  readonly manifest: string;
  readonly buffers: CopyBuffers;
}

/** Waiting for the client to take an answer before its connection is closed. */
const LINGER_MS = 1000;
const LINGER_BYTES = 1024 * 1024;

/** The session. */
export class Session {
  readonly shared: Shared;
  readonly client: Inlet;
  readonly #inlet: InletOptions;
  readonly #stop = new AbortController();
  #upstream: Inlet | undefined;
  #forwardsTo: Upstream | undefined;
  #limitMs: number;
  #lastUse = monotonicMs();
  #deadline: number | undefined;
  #isClosed = false;

  constructor(connection: Connection, shared: Shared) {
    this.shared = shared;
    this.#inlet = {
      onUse: () => this.#touch(),
      buffers: shared.buffers,
    };
    this.client = new Inlet(connection, this.#inlet);
    this.#limitMs = shared.limits.headMs;
    this.allowFor(shared.limits.headMs);
  }

  #touch(): void {
    this.#lastUse = monotonicMs();
  }

  /** Tells of a client that has not shown the credential. What it asked for is not worth keeping. */
  tellCredential(protocol: ProxyProtocol): void {
    const { audit, now } = this.shared;
    audit({
      time: now(),
      protocol,
      host: "",
      port: 0,
      decision: "refused",
      rule: undefined,
      reason: "credential",
      addresses: [],
    });
  }

  /** From now on the session ends when so many milliseconds pass without a byte. */
  allowIdle(milliseconds: number): void {
    this.#limitMs = milliseconds;
    this.#deadline = undefined;
    this.#touch();
  }

  /** From now on the session ends after so many milliseconds, however many bytes come: one at a time could go on for ever. */
  allowFor(milliseconds: number): void {
    this.#deadline = monotonicMs() + milliseconds;
  }

  /** Whether its time is up. */
  isLate(now: number): boolean {
    return now - this.#lastUse > this.#limitMs ||
      this.#deadline !== undefined && now > this.#deadline;
  }

  /** Connects to what the client asks for, when that is allowed. */
  async dial(target: Target): Promise<Dialled> {
    this.hangUp();
    const { limits } = this.shared;
    // Its steps have limits of their own.
    this.allowIdle(limits.idleMs);
    const dialled = await dial(this.shared, target, this.#stop.signal);
    if (dialled.kind !== "connected") return dialled;
    this.#forwardsTo = dialled.upstream;
    this.#upstream = new Inlet(dialled.connection, this.#inlet);
    if (this.#isClosed) this.hangUp();
    return dialled;
  }

  /** The connection behind the proxy. There must be one. */
  get upstream(): Inlet {
    if (this.#upstream === undefined) throw new Error("no upstream");
    return this.#upstream;
  }

  /** The proxy of the user's own network that the connection behind this one leads to; undefined when it leads to the host. */
  get forwardsTo(): Upstream | undefined {
    return this.#forwardsTo;
  }

  /** Ends the connection behind the proxy, if there is one. */
  hangUp(): void {
    this.#upstream?.connection.close();
    this.#upstream = undefined;
  }

  /** Carries bytes both ways until both sides have finished. */
  async tunnel(): Promise<void> {
    const { idleMs, halfClosedMs } = this.shared.limits;
    this.allowIdle(idleMs);
    await tunnel(this.client, this.upstream, {
      onHalf: () => this.allowIdle(halfClosedMs),
    });
  }

  /** Says that nothing more comes, and waits a little for the client to read it: closing at once could take it back. */
  async linger(): Promise<void> {
    await this.client.connection.closeWrite();
    await within(this.#drain(), LINGER_MS);
  }

  async #drain(): Promise<void> {
    const { connection } = this.client;
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (let left = LINGER_BYTES; left > 0;) {
        const count = await connection.read(buffer);
        if (count === null) return;
        left -= count;
      }
    } catch (error) {
      if (!isHangUp(error)) throw error;
    }
  }

  /** Ends both connections. */
  close(): void {
    this.#isClosed = true;
    this.#stop.abort();
    this.client.connection.close();
    this.hangUp();
  }
}

/** Whether an error only ends the one session that it happened in. */
export function endsSession(error: unknown): boolean {
  return isHangUp(error) || error instanceof HeadError;
}
