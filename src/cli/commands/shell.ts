import { execInEnv } from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";

/** `aenv shell`. */
export const command: Command = {
  words: {
    env: true,
    examples: ["aenv shell", "aenv shell -E review"],
  },
  async run(input, host) {
    const shell = host.env["SHELL"] || "/bin/sh";
    return await execInEnv([shell], host, textOption(input, "env"));
  },
};
