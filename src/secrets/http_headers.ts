/** Which header fields a relay passes on. */

/** Fields of one connection, and what belongs to the relay's own two sides. */
const NEVER = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Bodies are passed on in pieces.
  "content-length",
]);
const NOT_FROM_CLIENT = new Set([
  "authorization",
  "cookie",
  "host",
  "origin",
  "referer",
  "expect",
  "accept-encoding",
]);
const NOT_FROM_SERVER = new Set([
  "set-cookie",
  "set-cookie2",
  // It would start a login of the agent's own, with us.
  "www-authenticate",
  "location",
  "alt-svc",
  "strict-transport-security",
]);

/** The fields for the server: the client's, under those that the manifest gives. */
export function requestHeaders(
  from: Headers,
  own: Readonly<Record<string, string>>,
): Headers {
  const headers = passed(from, NOT_FROM_CLIENT);
  headers.set("accept-encoding", "identity");
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  return headers;
}

/** The fields for the client. */
export function answerHeaders(from: Headers): Headers {
  return passed(from, NOT_FROM_SERVER);
}

function passed(from: Headers, dropped: ReadonlySet<string>): Headers {
  const named = (from.get("connection") ?? "").toLowerCase().split(",")
    .map((name) => name.trim());
  const headers = new Headers();
  for (const [name, value] of from) {
    const isDropped = NEVER.has(name) || dropped.has(name) ||
      named.includes(name) || name.startsWith("access-control-");
    if (!isDropped) headers.append(name, value);
  }
  return headers;
}
