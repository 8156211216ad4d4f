/** What `aenv add mcp` says. */
import { foreign } from "../agents/mod.ts";
import type { ServerTable } from "../base/server_table.ts";
import { escapeControl } from "../base/text.ts";
import type { MovedCredential } from "../env/mod.ts";
import { findReferences, type NamedServer } from "../manifest/mod.ts";
import type { Outcome } from "./command.ts";

/** A server that is to be added, and what there is to say about it. */
export interface Addition extends NamedServer {
  /** Where it is from; undefined for one that was typed. */
  readonly from: string | undefined;
  readonly notes: readonly string[];
  readonly asked: readonly foreign.AskedSecret[];
}

/** An addition of a server from elsewhere. */
export function additionOf(server: foreign.ForeignServer): Addition {
  const { name, table, from, notes, asked } = server;
  return { name, table, from, notes, asked };
}

/** Everything about an addition that is safe to show. */
export interface AdditionReport {
  readonly additions: readonly Addition[];
  readonly moved: readonly MovedCredential[];
  /** Declared already, just so. */
  readonly same: readonly string[];
}

/** The outcome: `done` is that of the installation, absent where nothing was to be done. */
export function additionOutcome(
  report: AdditionReport,
  done: Outcome | undefined,
): Outcome {
  const servers = report.additions.map((addition) => ({
    name: addition.name,
    from: addition.from ?? null,
    server: addition.table,
    secrets: report.moved.filter(({ server }) => server === addition.name)
      .map(({ where, key }) => ({ where, key })),
    missing: addition.asked.map(({ key }) => key),
    variables: variablesOf(addition.table),
    notes: addition.notes,
  }));
  const data = { servers, same: report.same, install: done?.data ?? null };
  return {
    data,
    text: () =>
      [
        ...report.additions.flatMap((addition) =>
          lines(addition, report, done === undefined ? "would be" : "is")
        ),
        ...report.same.map((name) => `  mcp ${name}  is declared already`),
        ...(done === undefined ? ["nothing was written"] : [done.text()]),
      ].join("\n"),
  };
}

function lines(
  addition: Addition,
  { moved }: AdditionReport,
  verb: string,
): string[] {
  const { name, table, from, notes, asked } = addition;
  const own = moved.filter(({ server }) => server === name);
  const variables = variablesOf(table);
  const source = from === undefined ? "" : `  (${escapeControl(from)})`;
  return [
    `+ mcp ${name}  ${escapeControl(describeServer(table))}${source}`,
    ...own.map(({ where, key }) =>
      `    ${escapeControl(where)} ${verb} kept as the secret ${key}`
    ),
    ...(own.some(({ isArgument }) => isArgument)
      ? ["    every process can read the secret in its arguments"]
      : []),
    ...asked.map(({ key, description }) =>
      `    needs the secret ${key}${
        description === "" ? "" : ` (${escapeControl(description)})`
      }: aenv secrets add ${key}`
    ),
    ...(variables.length === 0
      ? []
      : [`    is given your ${variables.join(", ")}`]),
    ...notes.map((note) => `    ${escapeControl(note)}`),
  ];
}

/** What is run or reached, in one line. */
export function describeServer(table: ServerTable): string {
  const { command, args, url, disabled } = table;
  const what = command === undefined
    ? url ?? ""
    : [command, ...args ?? []].map((word) =>
      /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word)
    ).join(" ");
  return disabled ? `${what}  (disabled)` : what;
}

/** The caller's variables that a server gets. */
function variablesOf(table: ServerTable): string[] {
  const texts = [
    table.command ?? "",
    table.url ?? "",
    ...table.args ?? [],
    ...Object.values(table.env ?? {}),
    ...Object.values(table.headers ?? {}),
  ];
  const names = texts.flatMap(findReferences).flatMap((reference) =>
    reference.kind === "env" ? [reference.name] : []
  );
  return [...new Set(names)];
}
