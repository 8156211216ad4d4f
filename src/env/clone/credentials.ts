/** What must not travel with a copy of a configuration. */
import { looksLikeCredential } from "../../base/redact.ts";

/** Names that hold credentials besides those that `looksLikeCredential` knows. */
const MORE_NAMES =
  /(^|[_-])(KEY|PAT|PWD|PASS|CREDS?|DSN|COOKIE|JWT|BEARER|SESSION_ID)([_-]|$)|(token|secret|password|apikey)$/i;
/** Switches and times are no credentials, whatever their name. */
const HARMLESS = /^(true|false|on|off|yes|no|\d{1,2}|)$/i;
const DURATION = /_(MS|TTL|TIMEOUT|SECONDS)$/i;

/** Whether a variable, header or option called `name` holds a credential. What only names a variable holds none. */
export function holdsCredential(name: string, value: string): boolean {
  const literal = value.replace(/\$\{[^}]*\}/g, "")
    .replace(/^\s*(bearer|basic|token)\s*$/i, "").trim();
  if (HARMLESS.test(literal)) return false;
  if (DURATION.test(name) && /^\d+$/.test(literal)) return false;
  return looksLikeCredential(name, literal) || MORE_NAMES.test(name) ||
    isOpaque(literal);
}

/** Whether a text holds a token of a well-known shape, or a password in a URL. */
export function holdsToken(text: string): boolean {
  return looksLikeCredential("", text) || urlsOf(text).some(hasSecretQuery);
}

/** Whether any argument of a command is a credential: `--api-key X`, `--api-key=X`, `KEY=X`, or a token by its shape. */
export function argumentsHoldCredential(args: readonly string[]): boolean {
  return args.some((arg, i) => {
    const [, name, value] = /^-{0,2}([A-Za-z][\w-]*)=(.*)$/s.exec(arg) ?? [];
    if (name !== undefined && holdsCredential(name, value!)) return true;
    const option = /^--?([A-Za-z][\w-]*)$/.exec(args[i - 1] ?? "")?.[1];
    if (option !== undefined && !arg.startsWith("-")) {
      if (holdsCredential(option, arg) && !isPath(arg)) return true;
    }
    return holdsToken(arg);
  });
}

/** Long, without a separator, of capitals, small letters and digits: nobody writes that by hand. */
function isOpaque(value: string): boolean {
  return /^[A-Za-z0-9_+=-]{20,}$/.test(value) && /[A-Z]/.test(value) &&
    /[a-z]/.test(value) && /[0-9]/.test(value);
}

function isPath(text: string): boolean {
  return /^(~|\.{0,2})\//.test(text);
}

function urlsOf(text: string): string[] {
  return text.match(/\bhttps?:\/\/[^\s"'`]+/gi) ?? [];
}

function hasSecretQuery(url: string): boolean {
  const query = url.split("#", 1)[0]!.split("?")[1] ?? "";
  return query.split("&").some((pair) => {
    const [name = "", value = ""] = pair.split("=");
    return holdsCredential(name, value);
  });
}
