import { escapeControl } from "../../base/text.ts";
import { envHistory } from "../../env/mod.ts";
import { type HistoryItem, pathsOf } from "../../tx/mod.ts";
import { type Command, textOption } from "../command.ts";
import { countOption } from "../numbers.ts";

const SHOWN = { otherwise: 20, min: 1, max: 1_000_000 };

/** `aenv history`. */
export const command: Command = {
  words: {
    options: [{
      flags: "-n, --number <count>",
      summary: "Print at most so many, the newest first; 20 unless given",
    }],
    env: true,
    examples: ["aenv history", "aenv history -E review -n 5 --json"],
  },
  run(input, host) {
    const count = countOption(input, "number", SHOWN);
    const { items, broken } = envHistory(textOption(input, "env"), host);
    const shown = items.toReversed().slice(0, count);
    return {
      data: { changes: shown.map(toData), unreadable: broken },
      text: () =>
        [
          ...(items.length === 0 ? ["no changes yet"] : columns(shown)),
          ...broken.map(({ why }) => escapeControl(why)),
        ].join("\n"),
    };
  },
};

function toData({ record, status, undoneBy }: HistoryItem): unknown {
  const { id, kind, env, started, finished, note, undoes } = record;
  return {
    id,
    kind,
    env,
    status,
    started,
    finished,
    note,
    undoes,
    undoneBy,
    paths: record.entries.flatMap(pathsOf),
  };
}

function columns(items: readonly HistoryItem[]): string[] {
  const rows = items.map(({ record, status }) => [
    record.id,
    status,
    record.kind,
    record.env ?? "-",
    record.note ?? "",
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    escapeControl(
      row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd(),
    )
  );
}
