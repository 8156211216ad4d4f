/** `init --here`: a project env, declared by an `aenv.toml` in the current directory. */
import { basename } from "node:path";
import { type Dirs, MANIFEST_FILE, PIN_FILE } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import {
  type EnvName,
  isGlobal,
  nameProblem,
  parseEnvName,
} from "../base/ids.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { newManifest } from "../manifest/mod.ts";
import {
  lstat,
  readBytes,
  realPath,
  removeFile,
  stat,
  writeAtomic,
  writeNew,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { hostDirs } from "./active.ts";
import { addAttributes } from "./gitattributes.ts";
import { homeOrNone } from "./user_places.ts";

/** What was made. */
export interface InitHereResult {
  readonly name: EnvName;
  readonly manifest: AbsPath;
  /** The file that got our lines; undefined when it had them. */
  readonly attributes: AbsPath | undefined;
  /** A pin beside the manifest that wins over it. */
  readonly shadowedBy: AbsPath | undefined;
}

/** Mode of files that belong to a repository and its readers. */
const SHARED_MODE = 0o644;

/** Writes `aenv.toml` and lines in `.gitattributes`, or neither. Throws `MANIFEST_EXISTS`, `NAME_INVALID`, `PATH_INVALID`, `IO`. */
export function initHere(name: string | undefined, host: Host): InitHereResult {
  const cwd = host.cwd();
  checkPlace(cwd, host, hostDirs(host));
  const manifest = join(cwd, MANIFEST_FILE);
  if (lstat(manifest) !== undefined) {
    throw new AppError(
      "MANIFEST_EXISTS",
      `Cannot make ${quote(manifest)}: it exists already`,
      { hint: "See what it declares: aenv status" },
    );
  }
  const label = name === undefined ? nameFrom(cwd) : parseEnvName(name);
  const attributes = planAttributes(cwd);
  if (attributes) {
    writeAtomic(attributes.path, attributes.after, attributes.mode);
  }
  try {
    writeNew(manifest, newManifest(label), SHARED_MODE);
  } catch (error) {
    if (attributes) undo(attributes);
    throw error;
  }
  const pin = join(cwd, PIN_FILE);
  return {
    name: label,
    manifest,
    attributes: attributes?.path,
    shadowedBy: lstat(pin) === undefined ? undefined : pin,
  };
}

/** Refuses directories that are no project. */
function checkPlace(cwd: AbsPath, host: Host, dirs: Dirs): void {
  const real = realPath(cwd) ?? cwd;
  const home = homeOrNone(host);
  const state = join(real, "..") === real
    ? "it is the root of the file system"
    : home !== undefined && real === (realPath(home) ?? home)
    ? "it is your home directory"
    : isWithin(real, realPath(dirs.root) ?? dirs.root)
    ? "it is inside the aenv home"
    : undefined;
  if (state === undefined) return;
  throw new AppError(
    "PATH_INVALID",
    `Cannot make a project environment in ${quote(cwd)}: ${state}`,
    {
      hint: "Go to a project's directory; or make a global one: aenv new NAME",
    },
  );
}

function nameFrom(cwd: AbsPath): EnvName {
  const name = basename(cwd);
  const problem = nameProblem(name) ??
    (isGlobal(name) ? "it is reserved" : undefined);
  if (problem === undefined) return parseEnvName(name);
  throw new AppError(
    "NAME_INVALID",
    `Cannot name the environment after the directory ${
      quote(name)
    }: ${problem}`,
    { hint: "Give it a name: aenv init --here NAME" },
  );
}

interface AttributesStep {
  readonly path: AbsPath;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
  readonly mode: number;
}

/** What to write into `.gitattributes`; undefined when it has our lines. Bytes that are no UTF-8 stay as they are. */
function planAttributes(cwd: AbsPath): AttributesStep | undefined {
  const path = attributesPath(cwd);
  const before = readBytes(path);
  const text = latin1(before ?? new Uint8Array());
  const after = addAttributes(text);
  if (after === undefined) return undefined;
  return {
    path,
    before,
    after: Uint8Array.from(after, (char) => char.charCodeAt(0)),
    mode: stat(path)?.mode ?? SHARED_MODE,
  };
}

/** The file itself, or the file in this directory that it links to. */
function attributesPath(cwd: AbsPath): AbsPath {
  const path = join(cwd, ".gitattributes");
  if (lstat(path) === undefined) return path;
  const target = realPath(path);
  const state = target === undefined
    ? "it is a link that leads nowhere"
    : !isWithin(target, realPath(cwd) ?? cwd)
    ? "it is a link that leads out of this directory"
    : stat(target)?.kind === "file"
    ? undefined
    : "it is no regular file";
  if (target !== undefined && state === undefined) return target;
  throw new AppError("PATH_INVALID", `Cannot write ${quote(path)}: ${state}`, {
    hint: `Move it away: mv ${path} ${path}.old`,
  });
}

/** Each byte as the character of that number: the way back gives the same bytes. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function undo({ path, before, mode }: AttributesStep): void {
  if (before === undefined) removeFile(path);
  else writeAtomic(path, before, mode);
}
