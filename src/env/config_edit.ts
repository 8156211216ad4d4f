/** Writing `$AENV_HOME/config.toml`; comments stay. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { editToml } from "../manifest/mod.ts";
import { readText, realPath } from "../os/fs.ts";
import type { Transaction } from "../tx/mod.ts";
import { parseConfig } from "./config.ts";

/** Sets `default_env`, or takes it away. Throws `CONFIG_INVALID`, `IO`. */
export function setDefaultEnv(
  name: string | undefined,
  { dirs, tx }: { dirs: Dirs; tx: Transaction },
): void {
  const before = readText(dirs.config) ?? "";
  const old = parseConfig(before, dirs.config).defaultEnv;
  if (old === name) return;
  const after = name === undefined
    ? withoutDefault(before)
    : editToml(before, (config) => config["default_env"] = name, {
      file: dirs.config,
      code: "CONFIG_INVALID",
    });
  const parsed = parseConfig(after, dirs.config);
  if (parsed.defaultEnv !== name) {
    throw new AppError(
      "CONFIG_INVALID",
      `Cannot edit ${
        quote(dirs.config)
      }: default_env is not on a line of its own`,
      { hint: "Make the change by hand" },
    );
  }
  // Some keep their configuration elsewhere and link to it: the link stays.
  tx.put({ path: realPath(dirs.config) ?? dirs.config, data: after });
}

/** Takes the line out and leaves a comment on it standing, which an editor of values would take along. */
function withoutDefault(text: string): string {
  return text.replace(
    /^[ \t]*(?:default_env|"default_env"|'default_env')[ \t]*=[ \t]*(?:"[^"\n]*"|'[^'\n]*')[ \t]*(#[^\r\n]*)?(\r?\n|$)/m,
    (_line, comment: string | undefined, end: string) =>
      comment === undefined ? "" : comment + end,
  );
}
