/** Answers of the proxy's own. */
import type { Dialled } from "./dial.ts";
import { formatHead, toBytes } from "./http_head.ts";
import { refusalPhrase, refusalText } from "./refusal.ts";
import type { Session } from "./session.ts";
import type { Upstream, UpstreamTrouble } from "./upstream.ts";

/** One answer. */
export interface Reply {
  readonly status: number;
  /** ASCII. */
  readonly phrase: string;
  /** Plain text. */
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the connection goes on. */
  readonly keep?: boolean;
  /** Whether only the head is sent. */
  readonly isBare?: boolean;
}

/** Sends it. */
export async function sendReply(session: Session, reply: Reply): Promise<void> {
  const body = new TextEncoder().encode(reply.text);
  const headers = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(body.length),
    "Cache-Control": "no-store",
    ...reply.headers,
    Connection: reply.keep ? "keep-alive" : "close",
  };
  const fields = Object.entries(headers).map(([written, value]) => ({
    written,
    value,
  }));
  const first = `HTTP/1.1 ${reply.status} ${reply.phrase}`;
  const head = toBytes(formatHead(first, fields));
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  await session.client.send(reply.isBare ? head : bytes);
}

/** The answer when the client has not shown the credential. */
export function credentialReply(): Reply {
  return {
    status: 407,
    phrase: "Proxy Authentication Required",
    text:
      "Cannot use the proxy of aenv: the credential in HTTPS_PROXY is missing or wrong\n",
    headers: { "Proxy-Authenticate": 'Basic realm="aenv"' },
  };
}

/** The answer to a request that is not taken; `state` says why. */
export function malformedReply(state: string): Reply {
  return {
    status: 400,
    phrase: "Bad Request",
    text: `Cannot take the request: ${state}\n`,
  };
}

const PROBLEMS = {
  aborted: [502, "the connection was given up"],
  refused: [502, "the connection was refused"],
  timeout: [504, "it did not answer in time"],
  unreachable: [502, "there is no way to it"],
  untrusted: [502, "it speaks no TLS, or its certificate is not trusted"],
  "unknown-host": [502, "there is no such host"],
} as const;

/** The answer when there is no connection. */
export function notConnectedReply(
  dialled: Exclude<Dialled, { kind: "connected" }>,
  { port, manifest }: { readonly port: number; readonly manifest: string },
): Reply {
  if (dialled.kind === "refused") {
    const refused = { ...dialled, port, manifest };
    return {
      status: 403,
      phrase: refusalPhrase(refused),
      text: refusalText(refused),
    };
  }
  const what = `Cannot connect to "${dialled.host}" on port ${port}`;
  if (dialled.kind === "failed") {
    const [status, state] = PROBLEMS[dialled.problem];
    return { ...failed(status), text: `${what}: ${state}\n` };
  }
  const variable = dialled.kind === "blocked"
    ? dialled.upstream.variable
    : dialled.variable;
  const { status, state } = dialled.kind === "blocked"
    ? blocked(dialled.upstream, dialled.trouble)
    : {
      status: 502,
      state: `${variable} names no http, https or socks5 proxy`,
    };
  // What it does not let through is for its administrator to say.
  const isAnswer = dialled.kind === "blocked" &&
    dialled.trouble.kind === "answer";
  const hint = isAnswer
    ? ""
    : `To correct it, set ${variable} outside the sandbox, and start the agent again\n`;
  const { phrase } = failed(status);
  return {
    status,
    phrase: `${phrase}: ${state}`,
    text: `${what}: ${state}\n${hint}`,
  };
}

function failed(status: number): Pick<Reply, "status" | "phrase"> {
  return {
    status,
    phrase: status === 504 ? "Gateway Timeout" : "Bad Gateway",
  };
}

/** What a proxy of the user's own network is in the way with. */
function blocked(
  { shown, variable, credential }: Upstream,
  trouble: UpstreamTrouble,
): { readonly status: number; readonly state: string } {
  const name = `the proxy of this network, ${shown},`;
  switch (trouble.kind) {
    case "unreachable": {
      const [status, why] = PROBLEMS[trouble.problem];
      return { status, state: `${name} cannot be reached: ${why}` };
    }
    case "credential":
      return {
        status: 502,
        state: credential === undefined
          ? `${name} wants a user name and a password`
          : `${name} does not take the user name and password in ${variable}`,
      };
    case "answer":
      return {
        status: 502,
        state: `${name} answered ${trouble.text}`,
      };
    case "no-answer":
      return { status: 504, state: `${name} gave no answer that can be read` };
  }
}
