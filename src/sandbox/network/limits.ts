/** How much the proxy takes. */

/** Bounds; all times in milliseconds. */
export interface ProxyLimits {
  /** Connections at once. More are closed at once. */
  readonly connections: number;
  /** Bytes of a request's or answer's first line and headers. */
  readonly headBytes: number;
  /** For a request to arrive, from its first byte on, and for the first one. */
  readonly headMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** For a name to be resolved. */
  readonly resolveMs: number;
  /** The same where the answer is only a check, because a proxy of the user's own network looks the name up again. */
  readonly checkMs: number;
  /** For a connection to one address. */
  readonly connectMs: number;
  /** For such a proxy to say that it has connected. */
  readonly upstreamMs: number;
  /** Without a byte in either direction while an answer or a tunnel is open. */
  readonly idleMs: number;
  /** The same once one side has said that it sends nothing more: it may be gone. */
  readonly halfClosedMs: number;
}

/** Generous for programs, small for a flood. */
export const PROXY_LIMITS: ProxyLimits = {
  connections: 512,
  headBytes: 64 * 1024,
  headMs: 20_000,
  keepAliveMs: 120_000,
  resolveMs: 15_000,
  checkMs: 2_000,
  connectMs: 20_000,
  upstreamMs: 60_000,
  idleMs: 3_600_000,
  halfClosedMs: 60_000,
};
