/** What must fail in a sandbox, tried by a program of ours that runs in it. */
import {
  type Outcome,
  tryConnect,
  tryList,
  tryOpen,
  tryReadLink,
} from "../os/attempts.ts";

/** The hidden command that tries. */
export const ATTEMPT_COMMAND = "__attempt";

/** What an attempt is about. */
export type Claim = "files" | "network" | "processes" | "servers";

/** Something that must fail. */
export interface Attempt {
  readonly claim: Claim;
  /** For people, as the end of "it could …": `read ~/.ssh`. */
  readonly words: string;
  readonly what:
    | {
      readonly kind: "read" | "write" | "list" | "follow";
      readonly path: string;
    }
    | {
      readonly kind: "connect";
      readonly address: string;
      readonly port: number;
    }
    /** Asks the proxy, if the environment names one. */
    | { readonly kind: "ask"; readonly host: string; readonly port: number };
}

/** An attempt and what came of it. */
export interface Tried {
  readonly claim: Claim;
  readonly words: string;
  readonly outcome: Outcome;
  /** Whether it was refused, and did not fail for another reason. */
  readonly isRefused: boolean;
}

const TIMEOUT_MS = 3000;
/** What the kernel says of what is not allowed; a process of another user, or of another domain, may look like none. */
const REFUSALS: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "EAFNOSUPPORT",
  "ESRCH",
]);

/** Tries all of them, in this process. `proxy` is the address of the proxy, as `HTTPS_PROXY` has it. */
export async function tryAll(
  attempts: readonly Attempt[],
  { proxy }: { readonly proxy: string | undefined },
): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const { claim, words, what } of attempts) {
    const outcome = await tryOne(what, proxy);
    const isRefused = what.kind === "ask"
      ? outcome === "none" || /^HTTP\/1\.1 403 /.test(outcome)
      : REFUSALS.has(outcome);
    tried.push({ claim, words, outcome, isRefused });
  }
  return tried;
}

async function tryOne(
  what: Attempt["what"],
  proxy: string | undefined,
): Promise<Outcome> {
  switch (what.kind) {
    case "read":
    case "write":
      return tryOpen(what.path, what.kind);
    case "list":
      return tryList(what.path);
    case "follow":
      return tryReadLink(what.path);
    case "connect":
      return await tryConnect(what, { timeoutMs: TIMEOUT_MS });
    case "ask":
      return proxy === undefined ? "none" : await ask(what, proxy);
  }
}

/** Asks the proxy for a connection. */
async function ask(
  { host, port }: { readonly host: string; readonly port: number },
  proxy: string,
): Promise<Outcome> {
  const { hostname, port: at, username, password } = new URL(proxy);
  const credential = btoa(`${username}:${password}`);
  return await tryConnect({ address: hostname, port: Number(at) }, {
    timeoutMs: TIMEOUT_MS,
    sent: `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n` +
      `Proxy-Authorization: Basic ${credential}\r\n\r\n`,
  });
}

/** What {@link tryAll} printed; undefined when it is not that. */
export function parseTried(text: string): readonly Tried[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value as Tried[] : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
