/** From addresses to a connection. */
import type { LookUp } from "../../os/dns.ts";
import {
  type Connected,
  type Connection,
  type ConnectProblem,
  type ConnectSettings,
  connectTcp,
} from "../../os/sockets.ts";
import { within } from "../../os/timers.ts";
import { isLoopbackName, type NormalHost } from "./host_name.ts";
import { formatIp, type IpAddress, parseIp } from "./ip.ts";

/** Why there is no connection. */
export type Problem = ConnectProblem | "unknown-host";

/** A connection, or why there is none. */
export type Reached =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly problem: Problem };

const LOOPBACK = ["127.0.0.1", "::1"].map((text) => parseIp(text)!);
/** Milliseconds after which the next address is tried as well (RFC 8305). */
const STAGGER_MS = 250;
const MAX_ADDRESSES = 16;

/** The addresses of a host; none when they are not known in so many milliseconds. */
export async function addressesOf(
  host: NormalHost,
  { lookUp, resolveMs }: {
    readonly lookUp: LookUp;
    readonly resolveMs: number;
  },
): Promise<readonly IpAddress[]> {
  if (host.kind === "address") return [host.address];
  if (isLoopbackName(host.text)) return LOOPBACK;
  const answer = await within(lookUp(host.text), resolveMs) ?? [];
  const addresses = answer.map(parseIp);
  // What cannot be read cannot be checked, and then the whole answer is not trusted.
  if (addresses.includes(undefined)) return [];
  return (addresses as IpAddress[]).slice(0, MAX_ADDRESSES);
}

/** Where to, and how. */
export interface Goal extends ConnectSettings {
  readonly addresses: readonly IpAddress[];
  readonly port: number;
}

/** Tries the addresses in their order, the next one when one fails or takes its time; the first connection counts. */
export async function connectAny(
  { addresses, port, ...settings }: Goal,
): Promise<Reached> {
  if (addresses.length === 0) return { ok: false, problem: "unknown-host" };
  const stop = new AbortController();
  const own = settings.signal === undefined ? [] : [settings.signal];
  const signal = AbortSignal.any([stop.signal, ...own]);
  const attempts: Promise<Connected>[] = [];
  for (const address of addresses.map(formatIp)) {
    const attempt = connectTcp({ address, port }, { ...settings, signal });
    attempts.push(attempt);
    const isLast = attempts.length === addresses.length;
    const first = await firstOf(attempts, isLast ? undefined : STAGGER_MS);
    if (first === undefined) continue;
    stop.abort();
    closeOthers(attempts, first);
    return { ok: true, connection: first };
  }
  const ends = await Promise.all(attempts);
  const problem = ends.map((end) => end.ok ? "aborted" : end.problem).at(0)!;
  return { ok: false, problem };
}

/** The first connection that there is; undefined when none comes in time, or when the newest attempt has failed. */
async function firstOf(
  attempts: readonly Promise<Connected>[],
  waitMs: number | undefined,
): Promise<Connection | undefined> {
  const connections = attempts.map(async (attempt) => {
    const end = await attempt;
    if (!end.ok) throw new NotConnected();
    return end.connection;
  });
  const any = Promise.any(connections).catch(noneOf);
  if (waitMs === undefined) return await any;
  const newest = connections.at(-1)!.catch(noneOf);
  return await within(Promise.race([any, newest]), waitMs);
}

/** Marks an attempt without a connection inside this file. */
class NotConnected extends Error {}

function noneOf(error: unknown): undefined {
  const isExpected = error instanceof NotConnected ||
    error instanceof AggregateError;
  if (!isExpected) throw error;
  return undefined;
}

function closeOthers(
  attempts: readonly Promise<Connected>[],
  kept: Connection,
): void {
  for (const attempt of attempts) {
    void attempt.then((end) => {
      if (end.ok && end.connection !== kept) end.connection.close();
    });
  }
}
