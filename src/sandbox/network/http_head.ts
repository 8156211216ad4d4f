/** First lines and headers of HTTP/1, read strictly: what two programs could read in two ways is refused. */

/** One header line. */
export interface Field {
  /** In lower case. */
  readonly name: string;
  /** As it was sent. */
  readonly written: string;
  readonly value: string;
}

/** A request's head. Bytes are characters (latin1). */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly fields: readonly Field[];
  readonly body: Body;
}

/** An answer's head. */
export interface ResponseHead {
  readonly version: "1.0" | "1.1";
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
}

/** How a body ends. */
export type Body =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** With the connection. Answers only. */
  | { readonly kind: "rest" };

/** A head that is not taken. `state` says why, for people. */
export class HeadError extends Error {
  override readonly name = "HeadError";
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(
  `^(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.([01])$`,
);
const STATUS_LINE =
  /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const NAME = new RegExp(`^${TOKEN}$`);
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const MAX_FIELDS = 200;

/** Headers that are about one connection and are never passed on. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
]);
/** Headers that `Connection` may not take away: the other end would read another message. */
const NEVER_DROPPED: ReadonlySet<string> = new Set([
  "content-length",
  "host",
  "transfer-encoding",
]);

/** Reads a request's head, without the empty line at its end. Throws {@link HeadError}. */
export function parseRequestHead(text: string): RequestHead {
  const [line = "", ...lines] = text.split("\r\n");
  const [, method, target, minor] = REQUEST_LINE.exec(line) ?? [];
  if (method === undefined || target === undefined) {
    throw new HeadError("its first line is not one of HTTP/1.0 or HTTP/1.1");
  }
  const fields = parseFields(lines);
  const version = minor === "0" ? "1.0" : "1.1";
  const framing = framingOf(fields, version);
  if (valuesOf(fields, "host").length > 1) {
    throw new HeadError("it has two Host headers");
  }
  return { method, target, version, fields, body: framing ?? { kind: "none" } };
}

/** Reads an answer's head. Throws {@link HeadError}. */
export function parseResponseHead(text: string): ResponseHead {
  const [line = "", ...lines] = text.split("\r\n");
  const [, minor, status, reason = ""] = STATUS_LINE.exec(line) ?? [];
  if (status === undefined) {
    throw new HeadError("its first line is not one of HTTP/1.0 or HTTP/1.1");
  }
  const version = minor === "0" ? "1.0" : "1.1";
  const fields = parseFields(lines);
  return { version, status: Number(status), reason, fields };
}

function parseFields(lines: readonly string[]): Field[] {
  if (lines.length > MAX_FIELDS) {
    throw new HeadError(`it has more than ${MAX_FIELDS} headers`);
  }
  return lines.map(parseField);
}

/** By hand: an expression that also trims takes time that grows with the square of a line. */
function parseField(line: string): Field {
  const colon = line.indexOf(":");
  const written = line.slice(0, Math.max(0, colon));
  const value = trimBlanks(line.slice(colon + 1));
  if (!NAME.test(written) || BAD_VALUE.test(value)) {
    throw new HeadError("one of its headers is malformed");
  }
  return { name: written.toLowerCase(), written, value };
}

function trimBlanks(text: string): string {
  const isBlank = (at: number) => text[at] === " " || text[at] === "\t";
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

/** How a message with these headers ends by what they say; undefined when they say nothing. */
function framingOf(
  fields: readonly Field[],
  version: "1.0" | "1.1",
): Body | undefined {
  const lengths = valuesOf(fields, "content-length");
  const codings = valuesOf(fields, "transfer-encoding");
  if (lengths.length + codings.length > 1) {
    throw new HeadError("it says in two ways how long it is");
  }
  const [coding] = codings;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked" || version === "1.0") {
      throw new HeadError("its Transfer-Encoding is not plain chunked");
    }
    return { kind: "chunked" };
  }
  const [length] = lengths;
  if (length === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(length)) {
    throw new HeadError("its Content-Length is no number");
  }
  return Number(length) === 0
    ? { kind: "none" }
    : { kind: "length", length: Number(length) };
}

/** How the answer to a request with this method ends. Throws {@link HeadError}. */
export function bodyOfResponse(head: ResponseHead, method: string): Body {
  const framing = framingOf(head.fields, head.version);
  const isBare = method === "HEAD" || head.status < 200 ||
    head.status === 204 || head.status === 304;
  return isBare ? { kind: "none" } : framing ?? { kind: "rest" };
}

/** The values of all headers of this name (in lower case). */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => field.name === name).map(({ value }) =>
    value
  );
}

/** The words of a header that is a list, in lower case. */
export function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name).flatMap((value) => value.split(","))
    .map((word) => word.trim().toLowerCase()).filter((word) => word !== "");
}

/** Whether the connection may carry another message after this one. */
export function isPersistent(
  { version, fields }: Pick<RequestHead, "version" | "fields">,
): boolean {
  const words = [
    ...listOf(fields, "connection"),
    ...listOf(fields, "proxy-connection"),
  ];
  if (words.includes("close")) return false;
  return version === "1.1" || words.includes("keep-alive");
}

/** The headers that are passed on. Throws {@link HeadError} when `Connection` names one that the meaning hangs on. */
export function endToEndFields(fields: readonly Field[]): Field[] {
  const named = listOf(fields, "connection");
  if (named.some((name) => NEVER_DROPPED.has(name))) {
    throw new HeadError("its Connection header names what it cannot take away");
  }
  return fields.filter(({ name }) =>
    !HOP_BY_HOP.has(name) && !named.includes(name)
  );
}

/** A head as it is sent, the empty line included. */
export function formatHead(
  first: string,
  fields: readonly Pick<Field, "written" | "value">[],
): string {
  const lines = fields.map(({ written, value }) => `${written}: ${value}`);
  return [first, ...lines, "", ""].join("\r\n");
}

/** Bytes as characters of the same number. */
export function fromBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/** The reverse of {@link fromBytes}. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
