/** SOCKS 5 with a user name and a password (RFC 1928, 1929): CONNECT only. */
import { isSameCredential } from "./credential.ts";
import type { Dialled } from "./dial.ts";
import { formatIp } from "./ip.ts";
import type { Session } from "./session.ts";

const VERSION = 5;
const BY_PASSWORD = 2;
const NO_METHOD = 0xff;

/** Answers to a request. */
const Reply = {
  granted: 0,
  failure: 1,
  notAllowed: 2,
  unreachable: 4,
  refused: 5,
  late: 6,
  notSupported: 7,
  addressNotSupported: 8,
} as const;

/** Serves a client whose first byte is 5. */
export async function serveSocks(session: Session): Promise<void> {
  if (!await greet(session)) return;
  const request = await session.client.take(4);
  if (request?.[0] !== VERSION) return;
  const [, command, , kind] = request;
  const target = await readTarget(session, kind!);
  if (target === undefined) return;
  if (command !== 1) return await answer(session, Reply.notSupported);
  if (target.host === undefined) {
    return await answer(session, Reply.addressNotSupported);
  }
  const { host, port } = target;
  const dialled = await session.dial({ host, port, protocol: "socks" });
  await answer(session, replyFor(dialled));
  if (dialled.kind === "connected") await session.tunnel();
}

/** Agrees on a method and checks the credential. False when the client has been turned away. */
async function greet(session: Session): Promise<boolean> {
  const { client, shared } = session;
  const [, count = 0] = await client.take(2) ?? [];
  const methods = await client.take(count);
  if (!methods?.includes(BY_PASSWORD)) {
    await client.send(Uint8Array.of(VERSION, NO_METHOD));
    return false;
  }
  await client.send(Uint8Array.of(VERSION, BY_PASSWORD));
  const version = await client.take(1);
  if (version?.[0] !== 1) return false;
  const user = await takeText(client);
  const password = await takeText(client);
  if (user === undefined || password === undefined) return false;
  const isGood = isSameCredential(shared.credential, { user, password });
  await client.send(Uint8Array.of(1, isGood ? 0 : 1));
  if (!isGood) session.tellCredential("socks");
  return isGood;
}

/** A text with its length before it; undefined at the end of the connection. What is no UTF-8 becomes something that is no host. */
async function takeText(
  client: Session["client"],
): Promise<string | undefined> {
  const length = await client.take(1);
  const bytes = length && await client.take(length[0]!);
  return bytes && new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** The host as a text, whatever it was sent as; without one when its kind is unknown. */
async function readTarget(
  { client }: Session,
  kind: number,
): Promise<
  { readonly host: string | undefined; readonly port: number } | undefined
> {
  let host: string | undefined;
  if (kind === 3) host = await takeText(client);
  else if (kind === 1 || kind === 4) {
    const bytes = await client.take(kind === 1 ? 4 : 16);
    host = bytes && formatIp({
      version: kind === 1 ? 4 : 6,
      words: Array.from(
        { length: bytes.length / 2 },
        (_, at) => bytes[2 * at]! << 8 | bytes[2 * at + 1]!,
      ),
    });
  } else return { host: undefined, port: 0 };
  const port = await client.take(2);
  if (host === undefined || port === undefined) return undefined;
  return { host, port: port[0]! << 8 | port[1]! };
}

function replyFor(dialled: Dialled): number {
  if (dialled.kind === "connected") return Reply.granted;
  if (dialled.kind === "refused") return Reply.notAllowed;
  if (dialled.kind !== "failed") return Reply.failure;
  switch (dialled.problem) {
    case "refused":
      return Reply.refused;
    case "timeout":
      return Reply.late;
    case "unreachable":
    case "unknown-host":
      return Reply.unreachable;
    case "aborted":
    case "untrusted":
      return Reply.failure;
  }
}

/** Sends an answer; the address in it means nothing to anybody. */
async function answer(session: Session, reply: number): Promise<void> {
  const bytes = Uint8Array.of(VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0);
  await session.client.send(bytes);
  if (reply !== Reply.granted) await session.linger();
}
