import { BUILD_INFO } from "../../base/build_info.ts";
import { runtimeVersion } from "../../os/host.ts";
import type { Command } from "../command.ts";

/** `aenv version`. */
export const command: Command = {
  words: { examples: ["aenv version --json"] },
  run() {
    const data = { ...BUILD_INFO, deno: runtimeVersion() };
    return {
      data,
      text: () =>
        `aenv ${data.version}\ncommit ${data.commit}\ndeno ${data.deno}\ntarget ${data.target}`,
    };
  },
};
