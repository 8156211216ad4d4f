/** Credentials that stand as plain text in the declaration of an MCP server. */
import { looksLikeCredential, redact } from "../base/redact.ts";
import type { ServerTable } from "../base/server_table.ts";

/** One credential in a declaration. */
export interface Credential {
  /** Where it stands, for people: `env GITHUB_TOKEN`. Never a part of the value. */
  readonly where: string;
  /** A word for the key of its secret: `GITHUB_TOKEN`. */
  readonly label: string;
  readonly value: string;
  /** Whether every process can read it there, whatever is done. */
  readonly isArgument: boolean;
}

/** Puts something else where a credential stands. */
type Replace = (credential: Credential) => string;

/** What a text is, as far as that tells whether it is a credential. */
interface Spot {
  readonly where: string;
  readonly label: string;
  /** Name of the variable, header, option or parameter; empty for a text without one. */
  readonly name: string;
  readonly isArgument: boolean;
}

const REFERENCE = /(\$\{[^}]*\})/;
const SCHEME =
  /^((?:bearer|basic|token|api-?key|digest|negotiate)\s+)(\S[^]*)$/i;
/** Names that `looksLikeCredential` does not know: they mean keys in what MCP servers are given. */
const MORE_NAMES =
  /(^|[_-])(KEY|APIKEY|PAT|PWD|PASS|COOKIE|JWT|BEARER|SIG|SIGNATURE|SESSION|WEBHOOK)$/i;
/** A name that ends so says where or of what kind a credential is. */
const ABOUT =
  /[_-](FILE|PATH|DIR|URL|URI|TYPE|NAME|HOST|PORT|MODE|HELPER|ENDPOINT|LIMIT|TTL|COUNT|ENABLED|METHOD|PROVIDER|SCOPES?)$/i;
const HARMLESS = /^(true|false|yes|no|on|off|none|null|auto|\d{1,3})$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The credentials of a declaration, in the order in which it is written. */
export function findCredentials(table: ServerTable): Credential[] {
  const found: Credential[] = [];
  replaceCredentials(table, (credential) => {
    found.push(credential);
    return credential.value;
  });
  return found;
}

/** `table` with something else in the place of each credential. */
export function replaceCredentials(
  table: ServerTable,
  replace: Replace,
): ServerTable {
  const { args, env, url, headers } = table;
  return {
    ...table,
    ...(args === undefined ? {} : { args: inArguments(args, replace) }),
    ...(env === undefined ? {} : { env: inTable(env, "env", replace) }),
    ...(url === undefined ? {} : { url: inUrl(url, replace) }),
    ...(headers === undefined
      ? {}
      : { headers: inTable(headers, "header", replace) }),
  };
}

function inTable(
  table: Readonly<Record<string, string>>,
  word: string,
  replace: Replace,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).map(([name, text]) => {
      const where = `${word} ${name}`;
      const spot = { where, label: name, name, isArgument: false };
      return [name, inText(text, spot, replace)];
    }),
  );
}

/** Arguments are named by themselves (`--key=x`, `KEY=x`) or by the option before them. */
function inArguments(args: readonly string[], replace: Replace): string[] {
  return args.map((text, i) => {
    const option = args[i - 1] ?? "";
    const named = /^(-{1,2}[\w.-]+|[A-Za-z_]\w*)=([^]*)$/.exec(text);
    const header = /^(?:-H|--?headers?)$/i.test(option)
      ? /^([\w-]+):\s*([^]*)$/.exec(text)
      : null;
    const isNamed = /^--?[A-Za-z]/.test(option) && !option.includes("=") &&
      !text.startsWith("-");
    const [, name, value] = header ?? named ??
      ["", isNamed ? option : "", text];
    const word = name!.replace(/^-+/, "");
    const spot = {
      where: word === "" ? `argument ${i + 1}` : `argument ${i + 1} (${name})`,
      label: word === "" ? `argument-${i + 1}` : word,
      name: word,
      isArgument: true,
    };
    const start = text.slice(0, text.length - value!.length);
    return start + inText(value!, spot, replace);
  });
}

/** The query by its names, the rest by its shape. */
function inUrl(url: string, replace: Replace): string {
  const cut = url.indexOf("?");
  const start = cut < 0 ? url : url.slice(0, cut);
  const path = inUrlStart(start, replace);
  if (cut < 0) return path;
  return path + url.slice(cut).replace(
    /([?&])([^=&#]*)=([^&#]*)/g,
    (_, mark: string, name: string, value: string) => {
      const where = `url parameter ${name}`;
      const spot = { where, label: name, name, isArgument: false };
      return `${mark}${name}=${inText(value, spot, replace)}`;
    },
  );
}

function inUrlStart(start: string, replace: Replace): string {
  const spot = { where: "url", label: "url", name: "", isArgument: false };
  const login = /^(https?:\/\/)([^/@]+)(@[^]*)$/i.exec(start);
  if (login) {
    const [, scheme, user, rest] = login;
    const colon = user!.indexOf(":");
    const name = colon < 0 ? "" : user!.slice(0, colon + 1);
    const password = user!.slice(name.length);
    const kept = REFERENCE.test(password)
      ? password
      : replace({ ...spot, where: "url password", value: password });
    return scheme + name + kept + inSegments(rest!, spot, replace);
  }
  return inSegments(start, spot, replace);
}

function inSegments(path: string, spot: Spot, replace: Replace): string {
  if (URL_PASSWORD.test(path)) return inText(path, spot, replace);
  return path.split("/").map((segment) => inText(segment, spot, replace))
    .join("/");
}

/** `text` with its credentials replaced; references in it stay. */
function inText(text: string, spot: Spot, replace: Replace): string {
  const give = (value: string) => replace(credentialAt(spot, value));
  const scheme = SCHEME.exec(text);
  const [start, rest] = scheme ? [scheme[1]!, scheme[2]!] : ["", text];
  const isNamed = scheme !== null && spot.name !== "" && !spot.isArgument ||
    isSecretName(spot.name, rest);
  return start + rest.split(REFERENCE).map((piece) => {
    if (REFERENCE.test(piece) || piece.trim() === "") return piece;
    if (piece.includes("-----BEGIN")) return give(piece);
    // The rest of an address with a password says where it is for.
    return (isNamed || isRandom(piece)) && !URL_PASSWORD.test(piece)
      ? give(piece)
      : inPassword(piece, give);
  }).join("");
}

function credentialAt(spot: Spot, value: string): Credential {
  const { where, label, isArgument } = spot;
  return { where, label, isArgument, value };
}

/** Whether the name alone makes `value` a credential. */
function isSecretName(name: string, value: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2");
  if (name === "" || HARMLESS.test(value) || ABOUT.test(words)) return false;
  if (MORE_NAMES.test(words)) return true;
  return looksLikeCredential(words, "x");
}

const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:)([^\s/@]+)(?=@)/i;

/** Replaces the passwords of addresses, and what has a known shape between them. */
function inPassword(text: string, give: (value: string) => string): string {
  const match = URL_PASSWORD.exec(text);
  if (match === null) return inShapes(text, give);
  const [whole, start, password] = match;
  const before = text.slice(0, match.index) + start;
  const after = text.slice(match.index + whole.length);
  return inShapes(before, give) + give(password!) + inPassword(after, give);
}

/** A text that nobody would make up: mixed letters and digits, or a long number in hexadecimal. */
function isRandom(text: string): boolean {
  if (UUID.test(text)) return false;
  if (/^(?=.*\d)(?=.*[a-f])[0-9a-f]{32,}$/i.test(text)) return true;
  return /^(?=.*\d.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{24,}$/.test(text);
}

const MASK = "[redacted]";

/** Replaces what has the shape of a well-known token; the whole text where its place is not certain. */
function inShapes(text: string, give: (value: string) => string): string {
  const masked = redact(text);
  if (masked === text) return text;
  const kept = text.includes(MASK) ? [] : masked.split(MASK);
  const values: string[] = [];
  let at = kept[0]?.length ?? 0;
  for (const piece of kept.slice(1)) {
    const end = piece === "" ? text.length : text.indexOf(piece, at);
    if (end <= at) return give(text);
    values.push(text.slice(at, end));
    at = end + piece.length;
  }
  if (values.length === 0 || at !== text.length) return give(text);
  return kept.map((piece, i) => i === 0 ? piece : give(values[i - 1]!) + piece)
    .join("");
}
