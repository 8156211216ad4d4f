/** What nobody can guess. */

/** That many random bytes, as hexadecimal digits. */
export function secretHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
