/** Masks credentials in everything that we print or log. */

const MASK = "[redacted]";

/** Shapes of well-known tokens. Each is specific enough not to eat ordinary text. */
const TOKEN_SHAPES: readonly RegExp[] = [
  /\bsk-ant-[A-Za-z0-9_-]{8,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /\bAKIA[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

/** Credentials by position: `Bearer x`, `user:password@host`. */
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi;
const URL_USER_TOKEN = /\b(https?:\/\/)[^\s/@:]{16,}@/gi;

/** Variable names whose values are credentials by convention. */
const SECRET_NAME =
  /(^|[_-])(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API[_-]?KEY|ACCESS[_-]?KEY|PRIVATE[_-]?KEY|CREDENTIALS?|AUTH|AUTHORIZATION)([_-]|$)/i;

/** `text` with every known credential masked: `secrets` (exact values, also as base64 and URL-encoded) and well-known token shapes. */
export function redact(text: string, secrets: Iterable<string> = []): string {
  let out = text;
  for (const form of secretForms(secrets)) out = out.replaceAll(form, MASK);
  for (const shape of TOKEN_SHAPES) out = out.replace(shape, MASK);
  return out
    .replace(BEARER, `$1 ${MASK}`)
    .replace(URL_PASSWORD, `$1${MASK}@`)
    .replace(URL_USER_TOKEN, `$1${MASK}@`);
}

/** Whether the value of a variable, header or option called `name` should be treated as a credential. */
export function looksLikeCredential(name: string, value: string): boolean {
  if (value === "" || /^\$\{[^}]*\}$/.test(value)) return false;
  return SECRET_NAME.test(name) || redact(value) !== value;
}

/** The forms in which a value could show up. Values under 4 characters would mask ordinary text. */
function secretForms(secrets: Iterable<string>): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    const bytes = new TextEncoder().encode(secret);
    const base64 = btoa(String.fromCharCode(...bytes));
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(base64);
    forms.add(
      base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
    );
  }
  return [...forms].sort((a, b) => b.length - a.length);
}
