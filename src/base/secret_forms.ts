/** The forms in which the bytes of a secret can show up in a text, as patterns. */

/** Shorter values would mask ordinary text. */
const MIN_LENGTH = 4;
/** A line of a longer value is looked for by itself from this length on. */
const MIN_LINE = 8;
/** Long values are looked for piece by piece: a text may hold, or show, a part of one. */
const PIECE = 64;

const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
    const bits = [...value].flatMap((byte) =>
      Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1)
    );
    const unknown: (number | undefined)[] = Array.from({ length: shift * 8 });
    const all = [...unknown, ...bits];
    const characters: string[] = [];
    for (let at = 0; at < all.length; at += 6) {
      const six = Array.from({ length: 6 }, (_, i) => all[at + i]);
      if (six.every((bit) => bit === undefined)) continue;
      characters.push(base64Character(six));
    }
    const sources = pieces(characters.map((source) => source + gap));
    sources.push(`${sources.pop()!}(?:=|%3[dD]){0,2}`);
    return sources;
  });
}

/** Every character of both alphabets whose bits are these; undefined is either. */
function base64Character(bits: readonly (number | undefined)[]): string {
  const found = [...BASE64].filter((_, code) =>
    bits.every((bit, i) => bit === undefined || bit === ((code >> (5 - i)) & 1))
  );
  const forms = found.map((character) =>
    character === "+"
      ? "\\+|-|%2[bB]"
      : character === "/"
      ? "\\\\*\\/|_|%2[fF]"
      : character
  );
  return forms.length === 1 && /^\w$/.test(forms[0]!)
    ? forms[0]!
    : `(?:${forms.join("|")})`;
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
