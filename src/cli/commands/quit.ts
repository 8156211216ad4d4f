import { AppError } from "../../base/errors.ts";
import { detectShell, rcLine } from "../../shell/mod.ts";
import { hostDirs, shimPath } from "../../env/mod.ts";
import type { Command } from "../command.ts";

/** `aenv quit`, as a program: a program cannot change the shell that started it. */
export const command: Command = {
  words: { examples: ["aenv quit"] },
  run(_input, host) {
    const line = rcLine(
      detectShell(host.env) ?? "bash",
      shimPath("aenv", host, hostDirs(host)),
    );
    throw new AppError(
      "USAGE",
      "Cannot leave the environment: quit is a shell function, and this shell has not loaded it",
      { hint: `Load it (shell-init), then type aenv quit again: ${line}` },
    );
  },
};
