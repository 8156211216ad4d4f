/** The credential of one launch: whoever else finds the proxy's port cannot use it. */
import { secretHex } from "../../os/random.ts";

/** A user name and a password, both without characters that an address would have to escape. */
export interface Credential {
  readonly user: string;
  readonly password: string;
}

const SECRET_BYTES = 32;

/** A new one. */
export function makeCredential(): Credential {
  return { user: "aenv", password: secretHex(SECRET_BYTES) };
}

/** Whether both are the same. Takes the same time wherever they differ. */
export function isSameCredential(a: Credential, b: Credential): boolean {
  const left = `${a.user}:${a.password}`;
  const right = `${b.user}:${b.password}`;
  let difference = left.length ^ right.length;
  for (let at = 0; at < left.length; at++) {
    difference |= left.charCodeAt(at) ^ (right.charCodeAt(at) || 0);
  }
  return difference === 0;
}

/** The credential in a `Proxy-Authorization` header; undefined when there is none of the Basic scheme. */
export function parseBasic(header: string | undefined): Credential | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? "") ??
    [];
  if (encoded === undefined || encoded.length % 4 !== 0) return undefined;
  const text = atob(encoded);
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
