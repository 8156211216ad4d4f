/** Entries for people. */
import { tilde } from "../base/paths.ts";
import { cleanText } from "./entry.ts";
import type { AuditEvent, EventName } from "./event.ts";
import type { LogRecord } from "./read.ts";

/** The columns of one entry: time, env, process id of the launch, domain, event, details. */
export type Row = readonly string[];

type Of<E extends EventName> = AuditEvent & { readonly event: E };
type Words = { readonly [E in EventName]: (event: Of<E>) => string };

const WORDS: Words = {
  "launch-begin": ({ agent, cwd, network, policy, supervised }) =>
    [
      `${agent === "none" ? "a program" : agent} in ${cwd}`,
      `network ${network}`,
      ...(policy === undefined ? [] : [`policy ${policy.slice(0, 12)}`]),
      ...(supervised ? [] : ["aenv does not stay"]),
    ].join(", "),
  "launch-end": ({ code }) => (code === undefined ? "" : `exit code ${code}`),
  "launch-refused": ({ why }) => why,
  "sandbox-off": () => "run --no-sandbox",
  "host-allowed": (event) =>
    `${hostWords(event)} by ${event.rule}${
      event.via === undefined ? "" : `, through ${event.via}`
    }`,
  "host-refused": (event) => `${hostWords(event)}: ${event.why}`,
  "connect-refused": ({ to, why }) => `${to}: ${why}`,
  "kernel-refused": ({ rights, to }) => (to ? `${to}: ${rights}` : rights),
  "tool-refused": ({ tool, why }) => `${tool}: ${why} (the agent's own record)`,
  "secret-used": ({ by, keys }) => `${list(keys)} for ${by}`,
  "secret-added": secretWords,
  "secret-rotated": secretWords,
  "secret-removed": secretWords,
  "files-changed": filesWords,
  "files-accepted": filesWords,
  "files-reverted": filesWords,
  "mount-added": ({ paths }) => list(paths),
  "mount-removed": ({ paths }) => list(paths),
  "trust-given": ({ manifest }) => manifest,
  "trust-withdrawn": ({ manifest }) => manifest,
  "rolled-back": ({ change, id }) => `${change} (${id})`,
  "left-out": ({ what, count }) => `and ${count} more ${what}`,
  "log-cleared": ({ lines }) => `${lines} lines were removed`,
};

function hostWords({ host, port }: { host: string; port: number }): string {
  return host === "" ? "the proxy" : `${host}:${port}`;
}

function secretWords({ key, backend }: { key: string; backend: string }) {
  return `${key} (${backend})`;
}

function filesWords(
  { project, paths }: { project: string; paths: readonly string[] },
): string {
  return `${list(paths)} in ${project}`;
}

function list(items: readonly string[]): string {
  return items.join(", ");
}

/** The columns of an entry. `home` is shortened in it. */
export function rowOf(record: LogRecord, home: string): Row {
  const session = text(record["session"]).replace(/-.*$/s, "");
  return [
    localTime(text(record["time"])),
    text(record["env"]) || "-",
    session || "-",
    text(record["domain"]) || "-",
    text(record["event"]) || "?",
    details(record, home),
  ];
}

/** Rows as lines, in columns that are at least as wide as `widths`, which grow with them. */
export function alignRows(rows: readonly Row[], widths: number[]): string[] {
  for (const row of rows) {
    row.forEach((cell, i) => {
      if (i < row.length - 1) {
        widths[i] = Math.max(widths[i] ?? 0, cell.length);
      }
    });
  }
  return rows.map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd()
  );
}

function details(record: LogRecord, home: string): string {
  const name = text(record["event"]);
  if (Object.hasOwn(WORDS, name) && isWellFormed(record)) {
    const cleaned = Object.fromEntries(
      Object.entries(record).map(([key, value]) => [key, shown(value, home)]),
    );
    const words = WORDS[name as EventName] as (event: unknown) => string;
    return words(cleaned);
  }
  return cleanText(JSON.stringify(record));
}

/** What another version wrote may lack something. */
function isWellFormed(record: LogRecord): boolean {
  const needed = NEEDED[text(record["event"]) as EventName];
  return needed.every((name) => record[name] !== undefined) &&
    (record["keys"] === undefined || Array.isArray(record["keys"])) &&
    (record["paths"] === undefined || Array.isArray(record["paths"]));
}

const NEEDED: Readonly<Record<EventName, readonly string[]>> = {
  "launch-begin": ["agent", "cwd", "network"],
  "launch-end": [],
  "launch-refused": ["why"],
  "sandbox-off": [],
  "host-allowed": ["host", "port", "rule"],
  "host-refused": ["host", "port", "why"],
  "connect-refused": ["to", "why"],
  "kernel-refused": ["rights", "to"],
  "tool-refused": ["tool", "why"],
  "secret-used": ["by", "keys"],
  "secret-added": ["key", "backend"],
  "secret-rotated": ["key", "backend"],
  "secret-removed": ["key", "backend"],
  "files-changed": ["project", "paths"],
  "files-accepted": ["project", "paths"],
  "files-reverted": ["project", "paths"],
  "mount-added": ["paths"],
  "mount-removed": ["paths"],
  "trust-given": ["manifest"],
  "trust-withdrawn": ["manifest"],
  "rolled-back": ["change", "id"],
  "left-out": ["what", "count"],
  "log-cleared": ["lines"],
};

function shown(value: unknown, home: string): unknown {
  if (typeof value === "string") return cleanText(tilde(value, home));
  if (Array.isArray(value)) return value.map((item) => shown(item, home));
  return typeof value === "object" ? cleanText(JSON.stringify(value)) : value;
}

function text(value: unknown): string {
  return typeof value === "string" ? cleanText(value) : "";
}

/** `2026-11-20 17:20:01` where this machine is; as it stands there when it is no time. */
function localTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso || "-";
  const pad = (n: number) => String(n).padStart(2, "0");
  const day = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${day.map(pad).join("-")} ${clock.map(pad).join(":")}`;
}
