/** IP addresses and networks: reading every spelling, writing one. */

/** An address. IPv4 has two 16-bit words, IPv6 eight. An IPv4-mapped IPv6 address is the IPv4 address. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly words: readonly number[];
}

/** All addresses that agree with `base` in the first `bits` bits. */
export interface IpNetwork {
  readonly base: IpAddress;
  readonly bits: number;
}

/** Bits of an address of this version. */
export function bitsOf(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

/** An IPv4 address from its 32 bits. */
function ipv4(value: number): IpAddress {
  return { version: 4, words: [Math.floor(value / 0x10000), value % 0x10000] };
}

/**
 * An IPv4 address in any spelling that inet_aton(3) and browsers take: decimal, octal, hexadecimal, one to four parts.
 * Undefined when it is none.
 */
export function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split(".");
  if (parts.length > 4) return undefined;
  let value = 0;
  for (const [index, part] of parts.entries()) {
    const number = parseIpv4Part(part);
    if (number === undefined) return undefined;
    const isLast = index === parts.length - 1;
    // The last part fills all bytes that are left.
    const limit = isLast ? 256 ** (5 - parts.length) : 256;
    if (number >= limit) return undefined;
    value += isLast ? number : number * 256 ** (3 - index);
  }
  return ipv4(value);
}

function parseIpv4Part(part: string): number | undefined {
  if (/^0x[0-9a-f]{0,16}$/i.test(part)) {
    return part.length === 2 ? 0 : parseInt(part.slice(2), 16);
  }
  if (/^0[0-7]{1,22}$/.test(part)) return parseInt(part, 8);
  return /^(0|[1-9][0-9]{0,15})$/.test(part) ? Number(part) : undefined;
}

/** An IPv6 address without brackets and zone; the last 32 bits may be dotted. Undefined when it is none. */
export function parseIpv6(text: string): IpAddress | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseWords(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : parseWords(halves[1]!, true);
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined;
  const words = [...head, ...Array<number>(gap).fill(0), ...tail];
  const isMapped = words[5] === 0xffff &&
    words.slice(0, 5).every((word) => word === 0);
  return isMapped
    ? { version: 4, words: words.slice(6) }
    : { version: 6, words };
}

function parseWords(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const words: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes(".")) {
      const dotted = /^[0-9]+(\.[0-9]+){3}$/.test(part)
        ? parseCanonicalIpv4(part)
        : undefined;
      if (dotted === undefined) return undefined;
      words.push(...dotted.words);
      continue;
    }
    if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
    words.push(parseInt(part, 16));
  }
  return words;
}

function parseCanonicalIpv4(text: string): IpAddress | undefined {
  const address = parseIpv4(text);
  return address && formatIp(address) === text ? address : undefined;
}

/** The one way an address is written: dotted decimal, or RFC 5952. */
export function formatIp({ version, words }: IpAddress): string {
  if (version === 4) {
    return words.flatMap((word) => [word >> 8, word & 255]).join(".");
  }
  const { start, length } = longestZeros(words);
  const hex = (from: number, to: number) =>
    words.slice(from, to).map((word) => word.toString(16)).join(":");
  return length < 2 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`;
}

function longestZeros(
  words: readonly number[],
): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** An address as a system call or a resolver writes it: canonical IPv4, or IPv6 with or without a zone. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.includes(":")) return parseIpv6(text.replace(/%.*$/s, ""));
  return parseCanonicalIpv4(text);
}

/** `ADDRESS/BITS`; undefined when it is none, or when the address has bits outside the network. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, address = "", count = ""] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/
    .exec(text) ?? [];
  const base = parseIp(address);
  const bits = Number(count);
  if (base === undefined || count === "" || bits > bitsOf(base.version)) {
    return undefined;
  }
  const isAligned = base.words.every((word, index) =>
    word === (word & maskOf(bits, index))
  );
  return isAligned ? { base, bits } : undefined;
}

/** How an {@link IpNetwork} is written; a single address without its length. */
export function formatNetwork({ base, bits }: IpNetwork): string {
  const text = formatIp(base);
  return bits === bitsOf(base.version) ? text : `${text}/${bits}`;
}

/** Whether the network holds the address. */
export function networkHolds(
  { base, bits }: IpNetwork,
  address: IpAddress,
): boolean {
  return base.version === address.version &&
    base.words.every((word, index) =>
      word === (address.words[index]! & maskOf(bits, index))
    );
}

/** The mask of the 16-bit word at `index` in a network of `bits` bits. */
function maskOf(bits: number, index: number): number {
  const own = Math.min(16, Math.max(0, bits - 16 * index));
  return (0xffff << (16 - own)) & 0xffff;
}

/** Whether two addresses are the same. */
export function isSameIp(a: IpAddress, b: IpAddress): boolean {
  return networkHolds({ base: a, bits: bitsOf(a.version) }, b);
}
