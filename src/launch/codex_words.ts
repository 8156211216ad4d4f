/** Which commands start Codex. */
import { basename } from "../base/paths.ts";

/** Programs whose arguments hold words of their own. */
const SHELL = /^(ba|da|z|k|fi)?sh$/;
/** The package, with or without a version. */
const PACKAGE = /^@openai\/codex(@.*)?$/;

/** Whether a command starts Codex as far as its words tell: `codex`, `npx @openai/codex`, `timeout 60 codex`, `sh -c "codex …"`. */
export function startsCodex([name = "", ...args]: readonly string[]): boolean {
  const words = SHELL.test(basename(name))
    ? args.flatMap((text) => text.split(/[\s;&|()]+/))
    : args;
  return [name, ...words].some((word) =>
    PACKAGE.test(word) || /^codex(\.js)?$/.test(basename(word))
  );
}
