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
import { lstat, readBytes, realPath, stat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import type { Put } from "../tx/mod.ts";
import { hostDirs } from "./active.ts";
import { addAttributes } from "./gitattributes.ts";
import { projectSlotName } from "./open.ts";
import { transact } from "./slots.ts";
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

/** What to make. */
export interface InitHereInput {
  /** The directory's name unless given. */
  readonly name: string | undefined;
  /** Whether the manifest asks for the sandbox. */
  readonly sandbox: boolean;
}

/** Writes `aenv.toml` and lines in `.gitattributes`, or neither. Throws `MANIFEST_EXISTS`, `NAME_INVALID`, `PATH_INVALID`, `IO`. */
export async function initHere(
  { name, sandbox }: InitHereInput,
  host: Host,
): Promise<InitHereResult> {
  const cwd = host.cwd();
  const dirs = hostDirs(host);
  checkPlace(cwd, host, dirs);
  const manifest = join(cwd, MANIFEST_FILE);
  requireNone(manifest);
  const label = name === undefined ? nameFrom(cwd) : parseEnvName(name);
  const slotName = projectSlotName(label, realPath(cwd) ?? cwd);
  const about = { kind: "init", env: slotName, note: `--here in ${cwd}` };
  const attributes = await transact(about, { host, dirs }, (tx) => {
    requireNone(manifest);
    const put = planAttributes(cwd);
    const data = newManifest(label, { sandbox });
    const own = { path: manifest, data, mode: SHARED_MODE };
    tx.putAll(put ? [put, own] : [own], { completes: true });
    return put;
  });
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

function requireNone(manifest: AbsPath): void {
  if (lstat(manifest) === undefined) return;
  throw new AppError(
    "MANIFEST_EXISTS",
    `Cannot make ${quote(manifest)}: it exists already`,
    { hint: "See what it declares: aenv status" },
  );
}

/** What to write into `.gitattributes`; undefined when it has our lines. Bytes that are no UTF-8 stay as they are. */
function planAttributes(cwd: AbsPath): Put | undefined {
  const path = attributesPath(cwd);
  const before = readBytes(path);
  const text = latin1(before ?? new Uint8Array());
  const after = addAttributes(text);
  if (after === undefined) return undefined;
  return {
    path,
    data: Uint8Array.from(after, (char) => char.charCodeAt(0)),
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
