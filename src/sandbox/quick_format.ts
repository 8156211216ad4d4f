/** Several parts in one file, so that each is found without reading the others. */

/** `aenv`, and the version of the form. */
const MAGIC = [0x766e6561, 2];
const WORD = 4;
/** Parts begin where numbers of any size may. */
const STEP = 8;

/** The file with these parts. */
export function packParts(
  parts: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const head = stepsOf((MAGIC.length + parts.length) * WORD);
  const size = parts.reduce((sum, { length }) => sum + stepsOf(length), head);
  const bytes = new Uint8Array(size);
  const words = new Int32Array(bytes.buffer);
  words.set([...MAGIC, ...parts.map(({ length }) => length)]);
  let at = head;
  for (const part of parts) {
    bytes.set(part, at);
    at += stepsOf(part.length);
  }
  return bytes;
}

/** The parts of a file, which begins its memory; undefined unless it is one with just so many. */
export function unpackParts(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): Uint8Array<ArrayBuffer>[] | undefined {
  const head = stepsOf((MAGIC.length + count) * WORD);
  if (bytes.byteOffset !== 0 || bytes.length < head) return undefined;
  const words = new Int32Array(bytes.buffer, 0, head / WORD);
  if (MAGIC.some((word, i) => words[i] !== word)) return undefined;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = head;
  for (let i = 0; i < count; i++) {
    const length = words[MAGIC.length + i]!;
    if (length < 0 || at + length > bytes.length) return undefined;
    parts.push(bytes.subarray(at, at + length));
    at += stepsOf(length);
  }
  return at === bytes.length ? parts : undefined;
}

/** The numbers of a part. */
export function wordsOf(
  part: Uint8Array<ArrayBuffer>,
): Int32Array<ArrayBuffer> {
  const count = part.length / WORD;
  return new Int32Array(part.buffer, part.byteOffset, Math.floor(count));
}

/** The bytes of numbers. */
export function bytesOf(
  words: Int32Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function stepsOf(length: number): number {
  return Math.ceil(length / STEP) * STEP;
}
