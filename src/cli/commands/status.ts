import { tilde } from "../../base/paths.ts";
import { escapeControl } from "../../base/text.ts";
import { envStatus, programOf, type Status } from "../../env/mod.ts";
import { type Command, textOption } from "../command.ts";

/** `aenv status`. */
export const command: Command = {
  words: { env: true, examples: ["aenv status", "aenv status -E review"] },
  run(input, host) {
    const status = envStatus(textOption(input, "env"), host);
    return {
      data: status,
      text: () => describe(status, host.env["HOME"] ?? ""),
    };
  },
};

function describe(status: Status, home: string): string {
  const shown = (path: string | null) => path && tilde(path, home);
  const by = status.file === null
    ? status.activeBy
    : `${status.activeBy} ${tilde(status.file, home)}`;
  const running = status.running.map((run) =>
    `${programOf(run)} (process ${run.pid}) in ${tilde(run.cwd, home)}`
  );
  const rows: readonly (readonly [string, string | null])[] = [
    ["env", status.env],
    ["scope", status.scope],
    ["active by", by === "none" ? "nothing: it is what remains" : by],
    ["manifest", shown(status.manifest)],
    ["slot", shown(status.slot)],
    ["isolation", status.isolation],
    ["project config", status.projectConfig],
    ["sandbox", status.sandbox ? "on" : "off"],
    ["config dir", shown(status.configDir)],
    ["plugins", names(status.plugins)],
    ["skills", names(status.skills)],
    ["mcp", names(status.mcp)],
    ["vars", names(status.vars)],
    ["running", names(running)],
  ];
  return rows.filter(([, value]) => value !== null)
    .map(([key, value]) => escapeControl(`${`${key}:`.padEnd(16)}${value}`))
    .join("\n");
}

function names(list: readonly string[]): string {
  return list.length === 0 ? "none" : list.join(", ");
}
