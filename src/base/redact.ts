/** Masks credentials in everything that we print or log. */
import { secretPatterns } from "./secret_forms.ts";

const MASK = "[redacted]";

/**
 * Shapes of well-known tokens, each with a text that is in all of them: most texts are told apart by that alone, and an
 * expression that is never tried is never compiled. Each is specific enough not to eat ordinary text.
 */
const TOKEN_SHAPES: readonly (readonly [part: string, shape: RegExp])[] = [
  ["sk-ant-", /\bsk-ant-[A-Za-z0-9_-]{8,}/g],
  ["sk-", /\bsk-[A-Za-z0-9_-]{20,}/g],
  ["gh", /\bgh[pousr]_[A-Za-z0-9]{20,}/g],
  ["github_pat_", /\bgithub_pat_[A-Za-z0-9_]{20,}/g],
  ["glpat-", /\bglpat-[A-Za-z0-9_-]{16,}/g],
  ["npm_", /\bnpm_[A-Za-z0-9]{30,}/g],
  ["xox", /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g],
  ["AKIA", /\bAKIA[A-Z0-9]{16}\b/g],
  ["AIza", /\bAIza[A-Za-z0-9_-]{30,}/g],
  ["eyJ", /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/g],
  [
    "PRIVATE KEY-----",
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  ],
];

/** Credentials by position: `Bearer x`, `user:password@host`. */
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi;
const URL_USER_TOKEN = /\b(https?:\/\/)[^\s/@:]{16,}@/gi;

/** Variable names whose values are credentials by convention. */
const SECRET_NAME =
  /(^|[_-])(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API[_-]?KEY|ACCESS[_-]?KEY|PRIVATE[_-]?KEY|CREDENTIALS?|AUTH|AUTHORIZATION)([_-]|$)/i;

/** What this process has to keep to itself: values whose patterns nobody needed yet, and patterns by value. */
const registered = new Map<string, Uint8Array>();
const known = new Map<string, readonly RegExp[]>();
/** Patterns of values that were given with a text; only to not make them anew for each. */
const recent = new Map<string, readonly RegExp[]>();
const MAX_RECENT = 256;

/** From now on {@link redact} masks this value in every text. */
export function maskFromNowOn(value: Uint8Array): void {
  const name = Array.from(value, (byte) => String.fromCharCode(byte)).join("");
  if (!known.has(name)) registered.set(name, value.slice());
}

/** Patterns are made when the first text comes: a launch mostly prints none. */
function knownPatterns(): RegExp[] {
  for (const [name, value] of registered) {
    known.set(name, secretPatterns(value));
  }
  registered.clear();
  return [...known.values()].flat();
}

/**
 * `text` with every known credential masked: the values of {@link maskFromNowOn} and `secrets`, in every form of
 * `secretPatterns`, and well-known token shapes.
 */
export function redact(text: string, secrets: Iterable<string> = []): string {
  const patterns = [...knownPatterns(), ...[...secrets].flatMap(patternsOf)];
  let out = maskMatches(text, patterns);
  for (const [part, shape] of TOKEN_SHAPES) {
    if (out.includes(part)) out = out.replace(shape, MASK);
  }
  const lower = out.toLowerCase();
  if (lower.includes("bearer") || lower.includes("basic")) {
    out = out.replace(BEARER, `$1 ${MASK}`);
  }
  if (!out.includes("://") || !out.includes("@")) return out;
  return out.replace(URL_PASSWORD, `$1${MASK}@`)
    .replace(URL_USER_TOKEN, `$1${MASK}@`);
}

function patternsOf(secret: string): readonly RegExp[] {
  const found = recent.get(secret);
  if (found !== undefined) return found;
  if (recent.size >= MAX_RECENT) recent.clear();
  const patterns = secretPatterns(new TextEncoder().encode(secret));
  recent.set(secret, patterns);
  return patterns;
}

/** All that any pattern matches is masked, overlapping matches as one: what is left of one value may be a part of another. */
function maskMatches(text: string, patterns: readonly RegExp[]): string {
  const found = patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
    }))
  ).sort((a, b) => a.start - b.start);
  let out = "";
  let done = 0;
  for (const { start, end } of found) {
    const continues = start <= done && out !== "";
    if (!continues) out += text.slice(done, start) + MASK;
    done = Math.max(done, end);
  }
  return out + text.slice(done);
}

/** Whether the value of a variable, header or option called `name` should be treated as a credential. */
export function looksLikeCredential(name: string, value: string): boolean {
  if (value === "" || /^\$\{[^}]*\}$/.test(value)) return false;
  return SECRET_NAME.test(name) || redact(value) !== value;
}
