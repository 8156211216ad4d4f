/** What is said to a SOCKS 5 proxy (RFC 1928, 1929). */
import type { Credential } from "./credential.ts";
import type { NormalHost } from "./host_name.ts";
import type { Inlet } from "./inlet.ts";
import type { UpstreamTrouble } from "./upstream.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const BY_PASSWORD = 2;

/** Its answers, by number. */
const ANSWERS: readonly string[] = [
  "",
  "that it failed",
  "that its rules do not allow it",
  "that the network cannot be reached",
  "that the host cannot be reached",
  "that the connection was refused",
  "that it took too long",
];

/** Asks for a connection. Undefined when there is one; else why not. */
export async function askSocks(
  inlet: Inlet,
  target: { readonly host: NormalHost; readonly port: number },
  credential: Credential | undefined,
): Promise<UpstreamTrouble | undefined> {
  const methods = credential === undefined
    ? [NO_AUTHENTICATION]
    : [NO_AUTHENTICATION, BY_PASSWORD];
  await inlet.send(Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await inlet.take(2) ?? [];
  if (version !== VERSION) return { kind: "no-answer" };
  if (method === BY_PASSWORD && credential !== undefined) {
    await inlet.send(login(credential));
    const [, state] = await inlet.take(2) ?? [];
    if (state !== 0) return { kind: "credential" };
  } else if (method !== NO_AUTHENTICATION) return { kind: "credential" };
  const { host, port } = target;
  await inlet.send(
    Uint8Array.of(VERSION, 1, 0, ...hostBytes(host), port >> 8, port & 255),
  );
  return await readAnswer(inlet);
}

async function readAnswer(inlet: Inlet): Promise<UpstreamTrouble | undefined> {
  const [version, reply, , kind] = await inlet.take(4) ?? [];
  if (version !== VERSION || reply === undefined) return { kind: "no-answer" };
  if (reply !== 0) {
    return { kind: "answer", text: ANSWERS[reply] ?? `error ${reply}` };
  }
  // The address that it connected from means nothing here.
  const length = kind === 1 ? 4 : kind === 4 ? 16 : (await inlet.take(1))?.[0];
  const rest = length === undefined ? undefined : await inlet.take(length + 2);
  return rest === undefined ? { kind: "no-answer" } : undefined;
}

function login({ user, password }: Credential): Uint8Array {
  return Uint8Array.of(1, ...withLength(user), ...withLength(password));
}

function hostBytes(host: NormalHost): number[] {
  if (host.kind === "name") return [3, ...withLength(host.text)];
  const { version, words } = host.address;
  const bytes = words.flatMap((word) => [word >> 8, word & 255]);
  return [version === 4 ? 1 : 4, ...bytes];
}

/** Longer ones are refused where they are read. */
function withLength(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [bytes.length, ...bytes];
}
