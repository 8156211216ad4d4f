/** An event as it is written: what comes from inside is hostile, so every text is masked, made visible and cut. */
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import type { AuditEvent, Subject } from "./event.ts";

/** Name of the file that is added to. */
export const LOG_FILE = "log.jsonl";

/** Longest text of an entry, in characters; a host has 253, a socket's path 108. */
const MAX_TEXT = 300;
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
  return { time: new Date(time).toISOString(), ...Object.fromEntries(cleaned) };
}

/** The text of a line outside of the chain. Begins with an end of line, since nobody looked whether the last one has its own. */
export function plainText(entry: Entry): string {
  return "\n" + JSON.stringify(entry) + "\n";
}

/** Foreign text as it may stand in the log, or be shown from it. */
export function cleanText(text: string): string {
  // Masked first: a part of a secret would not be known for one.
  const shown = escapeControl(redact(text.slice(0, MAX_READ)));
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
