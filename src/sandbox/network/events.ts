/** What the proxy tells: one event for each decision. */
import type { Refusal } from "./rules.ts";

/** How the proxy was asked. */
export type ProxyProtocol = "connect" | "http" | "socks";

/** One decision, as a plain value. */
export interface ProxyEvent {
  /** Milliseconds since 1970 by the system's clock. */
  readonly time: number;
  readonly protocol: ProxyProtocol;
  /** In its one spelling; as it was written, cut and with its control characters escaped, when it is no host. */
  readonly host: string;
  readonly port: number;
  readonly decision: "allowed" | "refused";
  /** The entry of `network.allow` that decided; undefined when none names the host. */
  readonly rule: string | undefined;
  /** Why it was refused: the reason of a {@link Refusal}, or that the credential was missing or wrong. */
  readonly reason: Refusal["reason"] | "credential" | undefined;
  /** The addresses that the host was found at; those that are connected to when it is allowed. */
  readonly addresses: readonly string[];
  /** The proxy of the user's own network that is asked to connect, without its credential; it looks the name up again. */
  readonly via?: string;
}
