/** Opening an env: its manifest read, checked, and joined with its place on disk. Writes nothing. */
import {
  type Dirs,
  MANIFEST_FILE,
  slotAt,
  type SlotDirs,
} from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import { type EnvName, parseEnvName } from "../base/ids.ts";
import { type AbsPath, basename, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { parseManifest } from "../manifest/mod.ts";
import { lstat, readText, realPath } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { Host } from "../os/host.ts";
import { checkOwner } from "../trust/mod.ts";
import type { EnvRef, GlobalEnv, OpenEnv } from "./types.ts";

/** More than anybody writes by hand. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Opens what `ref` names. Throws `ENV_NOT_FOUND`, `ENV_BROKEN`, `MANIFEST_INVALID`, `MANIFEST_UNTRUSTED`, `IO`. */
export function openEnv(
  ref: EnvRef,
  host: Host,
  dirs: Dirs,
): OpenEnv | GlobalEnv {
  if (ref.kind === "global") return { kind: "global", label: "global" };
  return ref.kind === "named"
    ? openNamed(ref.name, dirs)
    : openProject(ref.manifest, host, dirs);
}

/** Opens the global env `name`. */
export function openNamed(name: EnvName, dirs: Dirs): OpenEnv {
  const slot = slotAt(join(dirs.envs, name));
  if (lstat(slot.root) === undefined) throw notFound(name);
  if (lstat(slot.root)?.kind !== "directory") {
    throw new AppError(
      "ENV_BROKEN",
      `Cannot open environment ${quote(name)}: ${
        quote(slot.root)
      } is not a directory`,
    );
  }
  if (lstat(slot.project) !== undefined) throw projectSlot(name);
  const text = readText(slot.manifest, MAX_MANIFEST_BYTES);
  if (text === undefined) {
    throw new AppError(
      "ENV_BROKEN",
      `Cannot open environment ${quote(name)}: it has no ${MANIFEST_FILE}`,
      {
        hint: `Remove it: aenv remove ${name} --force`,
      },
    );
  }
  return namedEnv(name, text, slot);
}

/** The global env with this text as its manifest. Throws `MANIFEST_INVALID`. */
export function namedEnv(
  name: EnvName,
  text: string,
  slot: SlotDirs,
): OpenEnv {
  return {
    kind: "env",
    scope: "named",
    label: name,
    slotName: name,
    slot,
    manifest: parseManifest(text, slot.manifest),
    manifestText: text,
    manifestPath: slot.manifest,
    manifestReal: slot.manifest,
    baseDir: slot.root,
    breadcrumb: name,
  };
}

/** The error for a name that is not there. */
export function notFound(name: string): AppError {
  return new AppError(
    "ENV_NOT_FOUND",
    `Cannot find environment ${quote(name)}: there is none of that name`,
    {
      hint: `See what there is: aenv list; or make it: aenv new ${name}`,
    },
  );
}

function projectSlot(name: string): AppError {
  return new AppError(
    "ENV_NOT_FOUND",
    `Cannot open environment ${quote(name)}: it is the slot of a project`,
    {
      hint: "Go to the project's directory, or name its aenv.toml with -E",
    },
  );
}

function openProject(manifestPath: AbsPath, host: Host, dirs: Dirs): OpenEnv {
  const text = readText(manifestPath, MAX_MANIFEST_BYTES);
  const real = text === undefined
    ? undefined
    : realPath(join(manifestPath, ".."));
  if (text === undefined || real === undefined) {
    const usesVariable = [host.env[Var.override], host.env[Var.env]].includes(
      manifestPath,
    );
    throw new AppError(
      "ENV_NOT_FOUND",
      `Cannot open manifest ${quote(manifestPath)}: ${
        lstat(manifestPath) ? "it leads nowhere" : "it does not exist"
      }`,
      {
        hint: usesVariable
          ? `Unset the variable: unset ${Var.env} ${Var.override}`
          : undefined,
      },
    );
  }
  const path = join(real, basename(manifestPath));
  const manifestReal = realPath(path) ?? path;
  checkOwner(path, manifestReal, host);
  const manifest = parseManifest(text, manifestPath);
  const slotName = projectSlotName(manifest.name, real);
  return {
    kind: "env",
    scope: "project",
    label: manifest.name,
    slotName,
    slot: slotAt(join(dirs.envs, slotName)),
    manifest,
    manifestText: text,
    manifestPath: path,
    manifestReal,
    baseDir: real,
    breadcrumb: path,
  };
}

/** Directory name of a project's slot: its label and the first 8 hex digits of the SHA-256 of its real path. */
export function projectSlotName(label: EnvName, projectDir: AbsPath): string {
  return parseEnvName(
    `${label.slice(0, 80)}-${sha256Hex(projectDir).slice(0, 8)}`,
  );
}
