/** The one key in the agent's settings that tells a `claude` outside of any env where the login is. */
import { claude } from "../agents/mod.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  ensureDir,
  readText,
  realPath,
  removeFile,
  stat,
  writeAtomic,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { SettingsChange } from "./login_record.ts";

const NAME = claude.LOGIN_VARIABLE;

/** Whether the settings name `dir`. */
export function isSettingsReady(settings: AbsPath, dir: AbsPath): boolean {
  const text = readText(settings);
  return text !== undefined && claude.variableIn(text, NAME) === dir;
}

/** Adds the key; `journal` gets what is about to be written. Throws `LOGIN_INVALID` when that cannot be done safely. */
export function writeSettings(
  settings: AbsPath,
  dir: AbsPath,
  journal: (change: SettingsChange) => void,
): void {
  // What a link leads to is replaced, not the link.
  const path = realPath(settings) ?? settings;
  const text = readText(path);
  const change = text === undefined || text.trim() === ""
    ? insertionInFront(text ?? "", dir)
    : insertion(text, path, dir);
  const { at, piece } = change;
  const isNew = text === undefined;
  journal({ path, isNew, sha256: sha256Hex(change.text), at, piece });
  ensureDir(parent(path));
  write(path, change.text);
}

function insertionInFront(blank: string, dir: AbsPath): claude.Insertion {
  const piece = claude.newSettings(NAME, dir);
  return { text: piece + blank, at: 0, piece };
}

function insertion(
  text: string,
  path: AbsPath,
  dir: AbsPath,
): claude.Insertion {
  const other = claude.variableIn(text, NAME);
  const found = other === undefined
    ? claude.insertVariable(text, NAME, dir)
    : undefined;
  if (found !== undefined) return found;
  const state = other === undefined
    ? "it is no JSON object that can be added to"
    : `its env.${NAME} is something else`;
  throw new AppError(
    "LOGIN_INVALID",
    `Cannot change ${quote(path)}: ${state}`,
    {
      hint: `Add it by hand: "env": { "${NAME}": "${dir}" }`,
    },
  );
}

/** Takes the key out again: to the very bytes where nothing else changed the file. Nothing when it names another place. */
export function restoreSettings(
  settings: AbsPath,
  dir: AbsPath,
  change: SettingsChange | null,
): void {
  const path = change?.path ?? realPath(settings) ?? settings;
  const text = readText(path);
  if (text === undefined || claude.variableIn(text, NAME) !== dir) return;
  if (change !== null && sha256Hex(text) === change.sha256) {
    const { isNew, at, piece } = change;
    if (isNew) return removeFile(path);
    return write(path, text.slice(0, at) + text.slice(at + piece.length));
  }
  const rest = claude.removeVariable(text, NAME);
  if (rest !== undefined) return write(path, rest);
  throw new AppError(
    "LOGIN_INVALID",
    `Cannot change ${quote(path)}: the key cannot be taken out safely`,
    { hint: `Take env.${NAME} out by hand, and try again` },
  );
}

function write(path: AbsPath, text: string): void {
  writeAtomic(path, text, stat(path)?.mode);
}
