/** The forms in which the bytes of a secret can show up in a text, as patterns. */

/** Shorter values would mask ordinary text. */
const MIN_LENGTH = 4;
/** A line of a longer value is looked for by itself from this length on. */
const MIN_LINE = 8;
/** Long values are looked for piece by piece: a text may hold, or show, a part of one. */
const PIECE = 64;

const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Each character in both alphabets, and as JSON and URLs write it. */
const BASE64_SOURCES: readonly string[] = [...BASE64].map((character) =>
  character === "+"
    ? "(?:\\+|-|%2[bB])"
    : character === "/"
    ? "(?:\\\\*\\/|_|%2[fF])"
    : character
);
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\n": "n",
  "\r": "r",
  "\t": "t",
  "\b": "b",
  "\f": "f",
};
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&(?:quot|#34);",
  "'": "&(?:apos|#39);",
};

/** Where a text shows one of these values: as it is, or escaped for JSON, a URL, a shell or XML, in base64 at any alignment, in hexadecimal. */
export function secretPatterns(value: Uint8Array): RegExp[] {
  const sources = new Set([
    ...textSources(value),
    ...base64Sources(value),
    ...hexSources(value),
  ]);
  return [...sources].map((source) => new RegExp(source, "g"));
}

function textSources(value: Uint8Array): string[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
  const trimmed = text.trim();
  const lines = trimmed.split(/\r?\n|\r/).map((line) => line.trim())
    .filter((line) => line.length >= MIN_LINE);
  const texts = new Set([text, trimmed, ...lines]);
  const shown = [...texts].filter((each) => each.length >= MIN_LENGTH)
    .flatMap((each) => pieces([...each].map(characterSource)));
  // Bytes that are no text can still stand percent-encoded.
  return text.includes("\ufffd") && value.length >= MIN_LENGTH
    ? [...shown, ...pieces([...value].map(percentSource))]
    : shown;
}

/** One character in every notation; any number of backslashes, since escaped text may be escaped again. */
function characterSource(character: string): string {
  const bytes = [...new TextEncoder().encode(character)];
  const forms = [literal(character), bytes.map(percentSource).join("")];
  const units = Array.from(
    { length: character.length },
    (_, i) => `\\\\+u${hexSource(character.charCodeAt(i), 4)}`,
  );
  forms.push(units.join(""));
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) forms.push(`\\\\+${short}`);
  const entity = ENTITIES[character];
  if (entity !== undefined) forms.push(entity);
  if (character === " ") forms.push("\\+");
  if (character === "'") forms.push(`'\\\\+''`, `'"'"'`);
  if (character === "\\") forms.push("\\\\{2,}");
  else if (/[^A-Za-z0-9\s]/.test(character)) {
    forms.push(`\\\\+${literal(character)}`);
  }
  if (!/^[A-Za-z0-9]$/.test(character)) {
    forms.push(bytes.map((b) => `\\\\+x${hexSource(b, 2)}`).join(""));
    const octal = bytes.map((b) => b.toString(8).padStart(3, "0"));
    forms.push(octal.map((digits) => `\\\\+${digits}`).join(""));
  }
  return `(?:${forms.join("|")})`;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function percentSource(byte: number): string {
  // A percent sign may be encoded once more.
  return `%(?:25)*${hexSource(byte, 2)}`;
}

/** A number in hexadecimal digits of either case. */
function hexSource(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0").replace(
    /[a-f]/g,
    (digit) => `[${digit}${digit.toUpperCase()}]`,
  );
}

function hexSources(value: Uint8Array): string[] {
  if (value.length < MIN_LENGTH) return [];
  return pieces([...value].map((byte) => hexSource(byte, 2)));
}

/**
 * The value in base64 where 0, 1 or 2 bytes of a group stand before it. The characters at its ends hold bits of what stands
 * around it: there any that agree with its own bits are taken.
 */
function base64Sources(value: Uint8Array): string[] {
  if (value.length < MIN_LENGTH) return [];
  // Programs break long lines.
  const gap = value.length > 40 ? "(?:[\\r\\n]|\\\\+[rn])*" : "";
  return [0, 1, 2].flatMap((shift) => {
    const start = shift * 8;
    const end = start + value.length * 8;
    const characters: string[] = [];
    for (let at = start - start % 6; at < end; at += 6) {
      characters.push(base64Character(value, { at: at - start }) + gap);
    }
    const sources = pieces(characters);
    sources.push(`${sources.pop()!}(?:=|%3[dD]){0,2}`);
    return sources;
  });
}

/** Every character of both alphabets that agrees with the value's bits from `at` on, of which the first may lie before it. */
function base64Character(
  value: Uint8Array,
  { at }: { readonly at: number },
): string {
  let bits = 0;
  let known = 0;
  for (let i = at; i < at + 6; i++) {
    const byte = i < 0 ? undefined : value[i >> 3];
    bits = bits << 1 | (byte === undefined ? 0 : byte >> (7 - (i & 7)) & 1);
    known = known << 1 | (byte === undefined ? 0 : 1);
  }
  if (known === 63) return BASE64_SOURCES[bits]!;
  const found = BASE64_SOURCES.filter((_, code) => (code & known) === bits);
  return `(?:${found.join("|")})`;
}

/** Sources of single characters put together to pieces of about the same length. */
function pieces(characters: readonly string[]): string[] {
  const count = Math.ceil(characters.length / PIECE);
  const size = Math.ceil(characters.length / Math.max(count, 1));
  return Array.from(
    { length: count },
    (_, i) => characters.slice(i * size, (i + 1) * size).join(""),
  );
}
