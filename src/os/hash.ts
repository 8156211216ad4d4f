/**
 * Hashes of texts. Not `node:crypto`: under Deno 2.9 importing it costs 28 ms at start, and a launch hashes a few hundred bytes.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** SHA-256 of a text or of bytes, as 64 lower-case hexadecimal digits. For files of any size use `node:crypto`. */
export function sha256Hex(data: string | Uint8Array): string {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  return bytesToHex(sha256(bytes));
}
