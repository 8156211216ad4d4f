/** Words of this module. */
import type { SlotDirs } from "../base/dirs.ts";
import type { EnvName } from "../base/ids.ts";
import type { AbsPath } from "../base/paths.ts";
import type { Manifest } from "../manifest/mod.ts";

/** Which environment: nothing is read yet. */
export type EnvRef =
  | { readonly kind: "global" }
  | { readonly kind: "named"; readonly name: EnvName }
  | { readonly kind: "project"; readonly manifest: AbsPath };

/** What decided. `none`: nothing did, so it is `global`. */
export type ResolutionSource =
  | "AENV_OVERRIDE"
  | "AENV"
  | "version file"
  | "project manifest"
  | "AENV_SHELL"
  | "default_env"
  | "none"
  | "--env";

/** One place that was looked at. */
export interface ResolutionStep {
  readonly source: ResolutionSource;
  /** The variable or file. */
  readonly looked: string;
  /** Why it matched or not. */
  readonly result: string;
  readonly matched: boolean;
}

/** The outcome of {@link resolveEnv}. */
export interface Resolution {
  readonly ref: EnvRef;
  readonly source: ResolutionSource;
  /** The file that decided, where one did. */
  readonly file: AbsPath | undefined;
  readonly steps: readonly ResolutionStep[];
}

/** An environment whose manifest was read and is valid. */
export interface OpenEnv {
  readonly kind: "env";
  /** Where it is declared. */
  readonly scope: "named" | "project";
  /** The name shown to people: the manifest's for a project, the directory's for a named env. */
  readonly label: EnvName;
  /** Directory name below `envs/`. */
  readonly slotName: string;
  /** Its state on disk; may not exist yet for a project. */
  readonly slot: SlotDirs;
  readonly manifest: Manifest;
  /** What {@link OpenEnv.manifest} was read from: what is trusted and what is launched are the same bytes. */
  readonly manifestText: string;
  readonly manifestPath: AbsPath;
  /** Where {@link OpenEnv.manifestPath} leads when it is a link. */
  readonly manifestReal: AbsPath;
  /** What relative sources in the manifest start from. */
  readonly baseDir: AbsPath;
  /** Value of `AENV` that resolves to this env. */
  readonly breadcrumb: string;
}

/** The user's own configuration, untouched. */
export interface GlobalEnv {
  readonly kind: "global";
  readonly label: "global";
}
