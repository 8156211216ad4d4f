/** `use`: pins an env to the current directory, or makes it the default. */
import { type Dirs, MANIFEST_FILE, PIN_FILE } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import { type EnvName, GLOBAL, parseEnvName } from "../base/ids.ts";
import { type AbsPath, ancestors, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { hostDirs } from "./active.ts";
import { claudeMismatch } from "./compat.ts";
import { setDefaultEnv } from "./config_edit.ts";
import { notFound, openEnv, openNamed } from "./open.ts";
import { findPin } from "./pin.ts";
import { transact } from "./slots.ts";
import type { Transaction } from "../tx/mod.ts";

/** What `use` was asked. */
export interface UseInput {
  readonly name: string;
  /** Whether to set `default_env` instead of a pin. */
  readonly global: boolean;
}

/** What was done. */
export interface UseResult {
  readonly name: EnvName | typeof GLOBAL;
  /** `manifest`: nothing was written, since the project's own manifest decides. */
  readonly kind: "pin" | "default_env" | "manifest";
  /** The file that decides. */
  readonly file: AbsPath;
  /** What is looked at before that file, here and now: variables by name, or a pin. */
  readonly shadowedBy: readonly string[];
  /** Why the installed agent does not fit. */
  readonly mismatch: string | undefined;
}

/** Mode of files that belong to a directory and its readers. */
const SHARED_MODE = 0o644;

/** Pins or sets the default. Throws `NAME_INVALID`, `ENV_NOT_FOUND`, `ENV_BROKEN`, `MANIFEST_INVALID`, `PATH_INVALID`, `IO`. */
export async function useEnv(input: UseInput, host: Host): Promise<UseResult> {
  const dirs = hostDirs(host);
  const name = parseTarget(input.name);
  const manifest = name === GLOBAL || exists(name, dirs)
    ? undefined
    : ownManifest(name, host, dirs);
  if (manifest !== undefined) {
    return inOwnProject(name, manifest, { input, host });
  }
  const env = name === GLOBAL ? undefined : openNamed(name, dirs);
  const file = input.global ? dirs.config : join(host.cwd(), PIN_FILE);
  const about = {
    kind: "use",
    env: name,
    note: input.global ? "as the default" : `in ${host.cwd()}`,
  };
  await transact(about, { host, dirs }, (tx) => {
    // Since it was looked at, it may have been removed.
    if (name !== GLOBAL) openNamed(name, dirs);
    if (input.global) setDefaultEnv(name, { dirs, tx });
    else writePin(file, { name, tx });
  });
  return {
    name,
    kind: input.global ? "default_env" : "pin",
    file,
    shadowedBy: findShadows(input.global, host),
    mismatch: env && await claudeMismatch(env.manifest, host, dirs),
  };
}

/** The name that a shell is switched to by this `use`; undefined when it is none. Never throws an `AppError`. */
export function useTarget(name: string, host: Host): string | undefined {
  try {
    const target = parseTarget(name);
    if (target !== GLOBAL) openNamed(target, hostDirs(host));
    return target;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}

function parseTarget(name: string): EnvName | typeof GLOBAL {
  return name === GLOBAL ? GLOBAL : parseEnvName(name);
}

function exists(name: EnvName, dirs: Dirs): boolean {
  return lstat(join(dirs.envs, name)) !== undefined;
}

/** The nearest manifest at or above the cwd, when its label is `name`; a pin beside it does not hide it here. */
function ownManifest(
  name: EnvName,
  host: Host,
  dirs: Dirs,
): AbsPath | undefined {
  const manifest = ancestors(host.cwd()).map((dir) => join(dir, MANIFEST_FILE))
    .find((path) => lstat(path) !== undefined);
  if (manifest === undefined) return undefined;
  const env = openEnv({ kind: "project", manifest }, host, dirs);
  return env.label === name ? manifest : undefined;
}

/** A project's env needs no pin, and cannot have one: a pin names global envs. */
function inOwnProject(
  name: EnvName | typeof GLOBAL,
  manifest: AbsPath,
  { input, host }: { input: UseInput; host: Host },
): UseResult {
  if (input.global) throw notGlobal(name, manifest);
  const { pin } = findPin(host.cwd());
  if (pin && pin.file !== manifest) {
    throw new AppError(
      "ENV_NOT_FOUND",
      `Cannot pin ${quote(name)}: it is declared by ${
        quote(manifest)
      }, and the pin ${quote(pin.file)} is nearer`,
      { hint: `Remove that pin: rm ${pin.file}` },
    );
  }
  return {
    name,
    kind: "manifest",
    file: manifest,
    shadowedBy: findShadows(false, host),
    mismatch: undefined,
  };
}

function notGlobal(name: string, manifest: AbsPath): AppError {
  const { message, code } = notFound(name);
  return new AppError(code, message, {
    hint: `${
      quote(name)
    } is declared by ${manifest} and holds there only; make a global one: aenv new ${name}`,
  });
}

/** Replaces a link itself, never what it leads to. */
function writePin(
  file: AbsPath,
  { name, tx }: { name: string; tx: Transaction },
): void {
  if (lstat(file)?.kind === "directory") {
    throw new AppError(
      "PATH_INVALID",
      `Cannot write pin ${quote(file)}: it is a directory`,
      { hint: `Look at it and move it away: mv ${file} ${file}.old` },
    );
  }
  const data = name + "\n";
  tx.put({ path: file, data, mode: SHARED_MODE }, { completes: true });
}

/** What comes before the file just written. After a pin, the shell function clears the variables, and says that it is there. */
function findShadows(global: boolean, host: Host): string[] {
  if (!global) {
    return host.env[Var.shellFunction]
      ? []
      : [Var.override, Var.env].filter((name) => host.env[name]);
  }
  const shadows: string[] = [Var.override, Var.env, Var.shell]
    .filter((name) => host.env[name]);
  const { pin } = findPin(host.cwd());
  return pin ? [...shadows, pin.file] : shadows;
}
