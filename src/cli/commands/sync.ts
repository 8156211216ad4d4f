import { tilde } from "../../base/paths.ts";
import { escapeControl } from "../../base/text.ts";
import {
  activeEnv,
  requireNamed,
  syncEnv,
  type SyncResult,
} from "../../env/mod.ts";
import { trustsSettings } from "../../launch/mod.ts";
import type { Host } from "../../os/host.ts";
import { type Command, textOption } from "../command.ts";
import { fileLines } from "../file_lines.ts";
import { onlineFor } from "../online.ts";

/** `aenv sync`. */
export const command: Command = {
  words: { env: true, examples: ["aenv sync", "aenv sync -E work"] },
  async run(input, host) {
    const { env, dirs } = activeEnv(host, textOption(input, "env"));
    const opened = requireNamed(env, "sync");
    const result = await syncEnv(opened, {
      host,
      dirs,
      trusted: trustsSettings(opened, dirs),
      online: onlineFor(host, "sync"),
    });
    return { data: result, text: () => textOf(result, host) };
  },
};

const MARKS = { right: " ", placed: "+", mended: "~" } as const;

function textOf(result: SyncResult, host: Host): string {
  const items = result.items.flatMap(
    ({ kind, name, state, fetched, differences }) => [
      `${MARKS[state]} ${kind} ${name}${wordsOf(state, fetched)}`,
      ...fileLines(differences),
    ],
  );
  const around = result.around.map(({ path, change }) =>
    change === "added" ? `- ${path}` : `~ ${path}`
  );
  const lock = tilde(result.lock, host.env["HOME"] ?? "");
  const lines = [
    ...items,
    ...around,
    ...result.removed.map((path) => `- ${path}`),
    `the disk matches ${lock}`,
  ];
  return lines.map((line) => escapeControl(line)).join("\n");
}

function wordsOf(state: keyof typeof MARKS, fetched: boolean): string {
  const words = [
    ...(fetched ? ["fetched"] : []),
    ...(state === "placed" ? ["placed"] : []),
    ...(state === "mended" ? ["put back"] : []),
  ];
  return words.length === 0 ? "" : `: ${words.join(", ")}`;
}
