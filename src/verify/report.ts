/** A report in words. */
import { escapeControl } from "../base/text.ts";
import { tilde } from "../base/paths.ts";
import type { Report, Row, Status } from "./types.ts";

const MARKS: Readonly<Record<Status, string>> = {
  ok: "ok",
  missing: "MISSING",
  unexpected: "UNEXPECTED",
  failed: "FAILED",
  different: "DIFFERENT",
  unobserved: "-",
};

const LEGEND: Readonly<Record<Status, string>> = {
  ok: "",
  missing: "MISSING: declared, and the agent does not have it",
  unexpected: "UNEXPECTED: the agent has it, and nothing declares it",
  failed: "FAILED: declared, and the agent could not load it",
  different: "DIFFERENT: not what is declared",
  unobserved: "-: cannot be seen in verify; counts neither way",
};

/** The text of a report: a table, a legend of the marks in it, notes, and a summary line. `home` is shown as `~`. */
export function renderReport(report: Report, home: string): string {
  const cells = report.rows.map((row) => rowCells(row, home));
  const table = align([
    ["", "KIND", "ITEM", "FROM", "DECLARED", "SEEN"],
    ...cells,
  ]);
  const used = new Set(report.rows.map(({ status }) => status));
  const legend = (Object.keys(LEGEND) as Status[])
    .filter((status) => used.has(status) && LEGEND[status] !== "")
    .map((status) => LEGEND[status]);
  const details = report.rows.filter(({ detail }) => detail !== undefined).map(
    (row) =>
      `${row.kind} ${shown(row.item, home)}: ${shown(row.detail!, home)}`,
  );
  return [
    ...table,
    ...section(legend),
    ...section(details),
    ...section(report.ok ? [] : advice(report)),
    ...section(report.notes.map((note) => `note: ${shown(note, home)}`)),
    "",
    summary(report),
  ].join("\n");
}

function section(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", ...lines];
}

function rowCells(row: Row, home: string): string[] {
  return [
    MARKS[row.status],
    row.kind,
    shown(row.item, home),
    row.from,
    value(row.declared),
    value(row.seen),
  ];
}

function value(value: Row["seen"]): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return escapeControl(String(value));
}

/** Foreign text with paths below the home directory shortened. */
function shown(text: string, home: string): string {
  return escapeControl(
    text.split(" ").map((word) => tilde(word, home)).join(" "),
  );
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  );
}

/** What to do, once per kind of difference. */
function advice({ rows }: Report): string[] {
  const out = new Set<string>();
  for (const { status, kind, from } of rows) {
    if (status === "ok" || status === "unobserved") continue;
    if (kind === "sandbox") {
      out.add("See what this system enforces: aenv sandbox probe");
    } else if (kind === "copy") {
      out.add(
        "Remove the changed copy: the next launch makes it anew from its source",
      );
    } else if (status === "unexpected") {
      out.add(
        "Declare what is unexpected in aenv.toml, or remove the file it comes from",
      );
    } else if (kind === "mcp server") {
      out.add(
        `Start the server by hand to see why it fails, then mend ${
          from === "manifest" ? "its [mcp] entry" : `its entry (${from})`
        }`,
      );
    } else if (status === "missing") {
      out.add(
        "See what a launch gives the agent: aenv run --explain -- -p /context",
      );
    }
  }
  return [...out];
}

function summary({ rows, agent, version, ms }: Report): string {
  const counted = rows.filter(({ status }) => status !== "unobserved");
  const declared = counted.filter(({ declared }) => declared !== false);
  const good = declared.filter(({ status }) => status === "ok");
  const parts = [
    `${declared.length} ${declared.length === 1 ? "item" : "items"} declared`,
    `${good.length} seen`,
    ...counts(rows, ["missing", "failed", "different"]),
    `${rows.filter(({ status }) => status === "unexpected").length} unexpected`,
  ];
  const seconds = (ms / 1000).toFixed(1);
  return `verify: ${parts.join(", ")} (${agent} ${version}, ${seconds} s)`;
}

function counts(rows: readonly Row[], statuses: readonly Status[]): string[] {
  return statuses.flatMap((status) => {
    const count = rows.filter((row) => row.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
}
