import { tilde } from "../../base/paths.ts";
import { escapeControl } from "../../base/text.ts";
import { listEnvs, type ListRow } from "../../env/mod.ts";
import type { Command } from "../command.ts";

/** `aenv list`. */
export const command: Command = {
  words: {
    options: [{
      flags: "-l, --long",
      summary: "Print isolation, running agents, path and description too",
    }],
    examples: ["aenv list", "aenv list -l", "aenv list --json"],
  },
  run(input, host) {
    const { envs, problem } = listEnvs(host);
    if (problem) {
      host.notice(`aenv: no environment is active: ${problem.message}`);
    }
    const home = host.env["HOME"] ?? "";
    return {
      data: envs,
      text: () => (input.options["long"] ? long : short)(envs, home).join("\n"),
    };
  },
};

function short(rows: readonly ListRow[], home: string): string[] {
  return rows.map((row) => {
    const notes = [
      ...(row.manifest ? [tilde(row.manifest, home)] : []),
      ...states(row),
    ];
    const note = notes.length === 0 ? "" : `  (${notes.join("; ")})`;
    return escapeControl(`${row.active ? "*" : " "} ${row.name}${note}`);
  });
}

function long(rows: readonly ListRow[], home: string): string[] {
  const cells = rows.map((row) => [
    `${row.active ? "*" : " "} ${row.name}`,
    row.isolation ?? "-",
    row.running === 0 ? "-" : `${row.running} running`,
    row.path === null ? "-" : tilde(row.path, home),
    [
      ...(row.manifest ? [tilde(row.manifest, home)] : []),
      ...states(row),
      ...(row.description === "" ? [] : [row.description]),
    ].join("; "),
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...cells.map((row) => row[column]!.length))
  );
  return cells.map((row) =>
    escapeControl(
      row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd(),
    )
  );
}

/** What is wrong with an env, and what takes it away where that is not its name. */
function states(row: ListRow): string[] {
  return [
    ...(row.broken === null ? [] : [`broken: ${row.broken}`]),
    ...(row.orphaned ? [`its project is gone: aenv remove ${row.slot}`] : []),
  ];
}
