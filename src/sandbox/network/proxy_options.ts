/** What whoever starts a proxy says of it. */
import type { LookUp } from "../../os/dns.ts";
import type { ProxyEvent } from "./events.ts";
import type { ProxyLimits } from "./limits.ts";

/** What a proxy is started with. */
export interface ProxyOptions {
  /** Path of the manifest, for the messages that tools show. */
  readonly manifest: string;
  /** Hears of every decision, in order. */
  readonly audit: (event: ProxyEvent) => void;
  /** Hears of an error that is a bug of ours; the session that it happened in has ended. */
  readonly onBug: (error: unknown) => void;
  readonly limits?: Partial<ProxyLimits>;
  /** Asks for a name's addresses; the system unless given. */
  readonly lookUp?: LookUp;
  /** The user's own variables, which may name a proxy to connect through. Not those of a manifest. */
  readonly env?: Readonly<Record<string, string>>;
  /** Certificates, PEM, that such a proxy is trusted by besides the built-in ones. */
  readonly caCerts?: () => Promise<readonly string[]>;
}
