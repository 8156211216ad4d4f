/** The rule for line ends of values that come from a pipe or a command. */

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * A value of one line without its line end, which `echo` and most programs add. One of several lines (a key file) or with
 * bytes that are no text is kept byte for byte.
 */
export function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  const isOneLine = bytes.indexOf(NEWLINE) === bytes.length - 1;
  if (!isOneLine || bytes.includes(0)) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}
