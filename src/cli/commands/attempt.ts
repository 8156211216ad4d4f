import { type Attempt, tryAll } from "../../verify/mod.ts";
import type { Command } from "../command.ts";

/** `aenv __attempt`: tries what must fail in the sandbox that it is started in, and says what came of it. */
export const command: Command = {
  words: {
    arguments: [{ name: "attempts", summary: "What to try, as JSON" }],
    examples: ["aenv __attempt '[]'"],
  },
  async run({ args: [text] }, host) {
    const attempts = JSON.parse(text!) as readonly Attempt[];
    const proxy = host.env["HTTPS_PROXY"];
    const tried = await tryAll(attempts, { proxy });
    return { data: tried, text: () => JSON.stringify(tried) };
  },
};
