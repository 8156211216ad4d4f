/** `[vars]`: plain variables that the agent sees. */
import { quote } from "../base/text.ts";
import type { Reader } from "./reader.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that decide where things are found or which code is loaded: a manifest may not set them. */
const REFUSED: readonly RegExp[] = [
  /^AENV(_.*)?$/,
  /^(HOME|PATH|USERPROFILE|SHELL|IFS|ENV|BASH_ENV|ZDOTDIR|PROMPT_COMMAND)$/,
  /^(LD|DYLD)_/,
  /^(NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_PATH|PYTHONPATH|PYTHONSTARTUP|PYTHONHOME|PERL5LIB|PERL5OPT|RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS)$/,
  /^GIT_(SSH|SSH_COMMAND|EXEC_PATH|EXTERNAL_DIFF|CONFIG.*|ASKPASS)$/,
  /^CLAUDE_(CONFIG_DIR|SECURESTORAGE_CONFIG_DIR|ENV_FILE)$/,
  /^CLAUDE_CODE_PLUGIN_/,
  /^XDG_(CONFIG|DATA|STATE|CACHE)_HOME$/,
  /^CODEX_HOME$/,
];

/** Reads `[vars]`; refuses names that would undo the isolation or load foreign code. */
export function parseVars(
  reader: Reader,
  value: unknown,
): Record<string, string> {
  const vars = reader.stringTable(value, ["vars"]);
  for (const name of Object.keys(vars)) {
    if (!NAME.test(name)) {
      reader.fail(["vars", name], `${quote(name)} is not a variable name`);
    }
    if (REFUSED.some((pattern) => pattern.test(name))) {
      reader.fail(["vars", name], `${name} cannot be set by a manifest`);
    }
  }
  return vars;
}
