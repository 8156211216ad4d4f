import { AppError } from "../../base/errors.ts";
import { didYouMean, quote } from "../../base/text.ts";
import { hostDirs } from "../../env/mod.ts";
import {
  type CommandWord,
  type Shell,
  shellInit,
  SHELLS,
} from "../../shell/mod.ts";
import type { Command, TableRow } from "../command.ts";

/** `aenv shell-init`. */
export const command: Command = {
  words: {
    arguments: [{ name: "shell", summary: "bash, zsh or fish" }],
    examples: [
      'eval "$(aenv shell-init bash)"',
      "aenv shell-init fish | source",
    ],
  },
  async run(input, host, { table }) {
    const shell = parseShell(input.args[0]!);
    const dirs = hostDirs(host);
    const words = await Promise.all(
      table.filter((row) => !row.hidden && !row.name.includes(" "))
        .map((row) => wordsOf(row, table)),
    );
    const script = shellInit({
      shell,
      self: host.self,
      shims: dirs.shims,
      root: dirs.root,
      commands: words.flat(),
    });
    return {
      data: { shell, script },
      text: () => script.replace(/\n$/, ""),
    };
  },
};

function parseShell(name: string): Shell {
  const shell = SHELLS.find((known) => known === name);
  if (shell !== undefined) return shell;
  const near = didYouMean(name, SHELLS);
  throw new AppError(
    "USAGE",
    `Cannot write a script for ${quote(name)}: there is none for that shell`,
    {
      hint: near === undefined
        ? `Name one of: ${SHELLS.join(", ")}`
        : `Did you mean ${near}? There are: ${SHELLS.join(", ")}`,
    },
  );
}

/** What the arguments of a command are, for completion. */
const TAKES: Readonly<Record<string, CommandWord["takes"]>> = {
  use: "env",
  remove: "env",
  rename: "env",
  which: ["home", "shim", "claude", "env"],
  "shell-init": SHELLS,
};

/** The words of a command, with the options of those that begin with the same one: `add mcp`. */
async function wordsOf(
  row: TableRow,
  table: readonly TableRow[],
): Promise<CommandWord[]> {
  const rows = table.filter(({ name }) => name.startsWith(`${row.name} `));
  const all = await Promise.all(
    [row, ...rows].map(async (each) => (await each.load()).command.words),
  );
  const options = [
    ...all.flatMap((words) => words.options ?? []).map(({ flags }) => flags),
    ...(all.some((words) => words.env) ? ["-E, --env <env>"] : []),
    "--json",
    "-h, --help",
  ];
  const takes = TAKES[row.name];
  return [row.name, ...(row.aliases ?? [])].map((name) => ({
    name,
    summary: row.summary,
    options: [...new Set(options)],
    ...(takes === undefined ? {} : { takes }),
  }));
}
