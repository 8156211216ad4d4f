import { escapeControl } from "../../base/text.ts";
import {
  activeEnv,
  findOutdated,
  type OutdatedRow,
  requireNamed,
} from "../../env/mod.ts";
import { trustsSettings } from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";
import { onlineFor } from "../online.ts";

/** `aenv outdated`. */
export const command: Command = {
  words: { env: true, examples: ["aenv outdated", "aenv outdated --json"] },
  async run(input, host) {
    const { env, dirs } = activeEnv(host, textOption(input, "env"));
    const opened = requireNamed(env, "ask about");
    const rows = await findOutdated(opened, {
      host,
      dirs,
      trusted: trustsSettings(opened, dirs),
      online: onlineFor(host, "outdated"),
    });
    return { data: rows, text: () => textOf(rows) };
  },
};

const HEADINGS = ["", "current", "wanted", "newest", ""];

const NOTES: Readonly<Record<OutdatedRow["state"], string>> = {
  current: "",
  outdated: "aenv update",
  newer: "not within source",
  unlocked: "not in the lock: aenv install",
  failed: "",
};

/** What could move, as a table; then what could not be asked. */
function textOf(rows: readonly OutdatedRow[]): string {
  const shown = rows.filter(({ state }) =>
    state !== "current" && state !== "failed"
  );
  const failed = rows.filter(({ problem }) => problem !== null);
  const cells = shown.map(({ kind, name, current, wanted, newest, state }) => [
    `${kind} ${name}`,
    current ?? "-",
    wanted ?? "-",
    newest ?? "-",
    state === "outdated" ? `aenv update ${name}` : NOTES[state],
  ]);
  const lines = cells.length > 0
    ? table([HEADINGS, ...cells])
    : failed.length === 0
    ? ["everything is as new as its source"]
    : [];
  return [...lines, ...failed.flatMap(failedLines)].map((line) =>
    escapeControl(line)
  ).join("\n");
}

function failedLines({ kind, name, problem }: OutdatedRow): string[] {
  const hint = problem?.hint ? [`  ${problem.hint}`] : [];
  return [`${kind} ${name}: ${problem?.message}`, ...hint];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.map((row) => row[i]!.length))
  );
  return rows.map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()
  );
}
