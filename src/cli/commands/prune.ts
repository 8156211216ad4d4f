import { escapeControl } from "../../base/text.ts";
import { pruneHistory } from "../../env/mod.ts";
import { DEFAULT_LIMITS } from "../../tx/mod.ts";
import type { Command } from "../command.ts";
import { countOption } from "../numbers.ts";

/** `aenv prune`. */
export const command: Command = {
  words: {
    options: [
      {
        flags: "--keep <count>",
        summary: `Keep at most so many; ${DEFAULT_LIMITS.keep} unless given`,
      },
      {
        flags: "--days <days>",
        summary: `Keep none that is older; ${DEFAULT_LIMITS.days} unless given`,
      },
    ],
    examples: ["aenv prune", "aenv prune --keep 0"],
  },
  async run(input, host) {
    const { removed, kept, broken } = await pruneHistory({
      keep: countOption(input, "keep", {
        otherwise: DEFAULT_LIMITS.keep,
        min: 0,
        max: 1_000_000,
      }),
      days: countOption(input, "days", {
        otherwise: DEFAULT_LIMITS.days,
        min: 0,
        max: 1_000_000,
      }),
    }, host);
    return {
      data: { removed, kept, unreadable: broken },
      text: () =>
        [
          `forgot ${removed.length}, kept ${kept}`,
          ...broken.map(({ why }) => escapeControl(`left alone: ${why}`)),
        ].join("\n"),
    };
  },
};
