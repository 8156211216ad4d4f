/** An event as it is written: what comes from inside is hostile, so every text is masked, made visible and cut. */
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import type { AuditEvent, Subject } from "./event.ts";

/** Name of the file that is added to. */
export const LOG_FILE = "log.jsonl";

/** Longest text of an entry, in characters; a host has 253, a socket's path 108. */
const MAX_TEXT = 300;
const DAY_MS = 86_400_000;
const PLAIN = /^[ -~]*$/;
/** Of a longer one no more than this is looked at. */
const MAX_READ = 8192;
/** Most texts of one list. */
const MAX_LIST = 20;

/** An event with its time and subject, ready to be written. */
export type Entry = Readonly<
  Record<string, string | number | boolean | readonly string[]>
>;

/** Makes an entry. `time` is in milliseconds since 1970. */
export function entryOf(
  { event, ...details }: AuditEvent,
  subject: Subject,
  time: number,
): Entry {
  const named = { event, ...subject, ...details };
  const cleaned = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, cleanValue(value)] as const]
  );
  return { time: isoTime(time), ...Object.fromEntries(cleaned) };
}

/** A moment between 1970 and 9999 as ISO 8601 has it. By hand: the first use of `Date` in a process can take as long as all the rest. */
export function isoTime(milliseconds: number): string {
  const days = Math.floor(milliseconds / DAY_MS);
  const rest = milliseconds - days * DAY_MS;
  // Years begin with March here, so that a leap day comes last. 146,097 days are 400 years, the first of which is 0.
  const since = days + 719_468;
  const era = Math.floor(since / 146_097);
  const day = since - era * 146_097;
  const year = Math.floor(
    (day - Math.floor(day / 1460) + Math.floor(day / 36_524) -
      Math.floor(day / 146_096)) / 365,
  );
  const ofYear = day -
    (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const ofMonth = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const date = [
    pad(year + era * 400 + (month <= 2 ? 1 : 0), 4),
    pad(month, 2),
    pad(ofMonth, 2),
  ].join("-");
  const clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60]
    .map((value) => pad(value, 2)).join(":");
  return `${date}T${clock}.${pad(rest % 1000, 3)}Z`;
}

function pad(value: number, length: number): string {
  return String(Math.floor(value)).padStart(length, "0");
}

/** The text of a line outside of the chain. Begins with an end of line, since nobody looked whether the last one has its own. */
export function plainText(entry: Entry): string {
  return "\n" + JSON.stringify(entry) + "\n";
}

/** Foreign text as it may stand in the log, or be shown from it. */
export function cleanText(text: string): string {
  // Masked first: a part of a secret would not be known for one.
  const masked = redact(text.slice(0, MAX_READ));
  // Nearly all are plain, and compiling the expression for the others takes its time at a start.
  const shown = PLAIN.test(masked) ? masked : escapeControl(masked);
  return shown.length > MAX_TEXT ? shown.slice(0, MAX_TEXT) + "…" : shown;
}

function cleanValue(
  value: string | number | boolean | readonly string[],
): Entry[string] {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object") return value;
  const shown = value.slice(0, MAX_LIST).map(cleanText);
  const more = value.length - shown.length;
  return more > 0 ? [...shown, `${more} more`] : shown;
}
