import { execInEnv } from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";

/** `aenv exec`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "command",
      summary: "Command and its arguments",
      variadic: true,
    }],
    env: true,
    passThrough: true,
    examples: ["aenv exec -- env", "aenv exec -E review -- bash"],
  },
  async run(input, host) {
    return await execInEnv(input.args, host, textOption(input, "env"));
  },
};
