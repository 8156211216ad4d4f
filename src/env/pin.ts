/** `.aenv-version`: one environment name. */
import { AppError } from "../base/errors.ts";
import { type EnvName, GLOBAL, parseEnvName } from "../base/ids.ts";
import { type AbsPath, ancestors, join } from "../base/paths.ts";
import { MANIFEST_FILE, PIN_FILE } from "../base/dirs.ts";
import { quote } from "../base/text.ts";
import { lstat, readText } from "../os/fs.ts";

const MAX_BYTES = 4096;

/** A pin that was found. */
export interface Pin {
  readonly kind: "version file" | "project manifest";
  readonly file: AbsPath;
}

/** What {@link findPin} looked at. */
export interface PinSearch {
  readonly pin: Pin | undefined;
  /** Directories without a pin, nearest first. */
  readonly empty: readonly AbsPath[];
}

/** The nearest pin at or above `cwd`. A dangling link counts as a pin: reading it fails, which beats ignoring it. */
export function findPin(cwd: AbsPath): PinSearch {
  const empty: AbsPath[] = [];
  for (const dir of ancestors(cwd)) {
    const version = join(dir, PIN_FILE);
    if (lstat(version)) {
      return { pin: { kind: "version file", file: version }, empty };
    }
    const manifest = join(dir, MANIFEST_FILE);
    if (lstat(manifest)) {
      return { pin: { kind: "project manifest", file: manifest }, empty };
    }
    empty.push(dir);
  }
  return { pin: undefined, empty };
}

/** The name in a pin file: one line; blank lines, `#` comments and CRLF are allowed. Throws `PIN_INVALID`. */
export function readPin(file: AbsPath): EnvName | typeof GLOBAL {
  const text = readText(file, MAX_BYTES);
  if (text === undefined) fail(file, "it is a link that leads nowhere");
  return parsePin(text, file);
}

/** Parses the text of a pin file. Throws `PIN_INVALID`. */
export function parsePin(text: string, file: string): EnvName | typeof GLOBAL {
  const names = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/)
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
  const [name] = names;
  if (name === undefined) fail(file, "it names no environment");
  if (names.length > 1) {
    fail(file, `it has ${names.length} lines with names, one is allowed`);
  }
  if (name === GLOBAL) return GLOBAL;
  try {
    return parseEnvName(name);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    fail(file, `${quote(name)} is not an environment name`, error);
  }
}

function fail(file: string, state: string, cause?: unknown): never {
  throw new AppError(
    "PIN_INVALID",
    `Cannot read pin ${quote(file)}: ${state}`,
    {
      hint: "Write one name into it: aenv use NAME",
      cause,
    },
  );
}
