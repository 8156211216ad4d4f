/** What nobody can guess. */

/** That many random bytes, as hexadecimal digits. */
export function secretHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** A whole number from 1 to 2^40. */
export function secretNumber(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high! & 0xff) * 2 ** 32 + low! + 1;
}
