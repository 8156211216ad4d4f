/** The overview of all commands. */
import { BUILD_INFO } from "../base/build_info.ts";
import type { TableRow } from "./command.ts";

const TITLES: Readonly<Record<string, string>> = {
  start: "Environments",
  declare: "Declare",
  run: "Run",
  sandbox: "Sandbox",
  secrets: "Secrets",
  history: "History",
  care: "Care",
};

/** The text of `aenv --help`. */
export function helpText(table: readonly TableRow[]): string {
  const shown = table.filter((row) => !row.hidden);
  const width = Math.max(...shown.map((row) => row.name.length));
  const sections = Object.entries(TITLES).map(([group, title]) => {
    const rows = shown.filter((row) => row.group === group);
    return `${title}:\n` +
      rows.map((row) => `  ${row.name.padEnd(width)}  ${row.summary}`).join(
        "\n",
      );
  });
  return `aenv ${BUILD_INFO.version}: environments for coding agents

Usage: aenv COMMAND [arguments]

${sections.join("\n\n")}

See the words of a command: aenv COMMAND --help`;
}

/** The text of `aenv GROUP --help`, for commands of two words. */
export function groupHelpText(verb: string, rows: readonly TableRow[]): string {
  const width = Math.max(...rows.map((row) => row.name.length));
  const lines = rows.map((row) =>
    `  aenv ${row.name.padEnd(width)}  ${row.summary}`
  );
  return `Usage: aenv ${verb} COMMAND [arguments]

${lines.join("\n")}

See the words of a command: aenv ${verb} COMMAND --help`;
}
