/** Installing what the user typed: a project that was trusted stays trusted when nothing else of it changes. */
import { AppError } from "../base/errors.ts";
import type { Dirs } from "../base/dirs.ts";
import {
  installEnv,
  type InstallInput,
  type InstallNext,
  type InstallPlace,
  type InstallResult,
  type OpenEnv,
} from "../env/mod.ts";
import { ensureDir } from "../os/fs.ts";
import {
  type Difference,
  differences,
  readRecord,
  recordPuts,
  type Shown,
} from "../trust/mod.ts";
import { trustsSettings } from "./trust_check.ts";
import { manifestTrust } from "./trust_needed.ts";
import { auditTrust, type TrustView, viewTrust } from "./trust.ts";
import type { TreeContent } from "./tree.ts";

/** What is installed, and what of it was asked for. */
export interface TypedInput extends Omit<InstallInput, "accompany"> {
  /**
   * Titles of items (`plugin review`, `mcp server docs`) that the command line names; `installed` for every plugin and skill.
   * None: nothing is looked at but the lock.
   */
  readonly touches: readonly string[] | "installed";
}

/** What was installed, and what that means for the trust of the project. */
export interface TypedResult extends InstallResult {
  /**
   * `unneeded`: there is nothing to trust; `kept`: as it was, trusted; `extended`: trusted before, and now with the
   * differences, which are just what was typed; `needed`: the user has to be asked.
   */
  readonly trust: "unneeded" | "kept" | "extended" | "needed";
  /** What differs in what the env runs and allows. */
  readonly differences: readonly Difference[];
}

/** {@link InstallPlace} but for what this module knows. */
export type TypedPlace = Omit<InstallPlace, "trusted">;

/** Installs as `installEnv` does. Trust is extended in the same transaction, or not at all. */
export async function installTyped(
  env: OpenEnv,
  { touches, ...input }: TypedInput,
  place: TypedPlace,
): Promise<TypedResult> {
  const { dirs } = place;
  const whole = { ...place, trusted: trustsSettings(env, dirs) };
  if (touches.length === 0) {
    const result = await installEnv(env, input, whole);
    return { ...result, trust: manifestTrust(env, dirs), differences: [] };
  }
  const known = new Map<string, TreeContent>();
  const before = lookBefore(env, place, known);
  let outcome = untouched(before);
  let extended: TrustView | undefined;
  const result = await installEnv(env, {
    ...input,
    accompany: (next) => {
      const view = viewTrust(next.env, place, { lock: next.lock, known });
      outcome = judge(before, view, { touches, next });
      if (outcome.trust !== "extended") return () => [];
      const records = readRecords(env, dirs);
      return () => {
        // Revoked, or trusted otherwise, meanwhile: that counts.
        if (readRecords(env, dirs) !== records) {
          outcome = { ...outcome, trust: "needed" };
          return [];
        }
        ensureDir(dirs.trust);
        extended = view;
        return recordPuts(dirs, view.record, view.shown);
      };
    },
  }, whole);
  if (extended !== undefined) await auditTrust(extended, dirs);
  return { ...result, ...outcome };
}

type Outcome = Pick<TypedResult, "trust" | "differences">;

function untouched(before: TrustView | undefined): Outcome {
  const trust = before?.state === "trusted"
    ? "kept"
    : before?.state === "unneeded"
    ? "unneeded"
    : "needed";
  return { trust, differences: [] };
}

function readRecords({ manifestPath }: OpenEnv, dirs: Dirs): string {
  return JSON.stringify(readRecord(dirs, manifestPath) ?? null);
}

/** What was trusted before; undefined when it cannot be looked at, and so cannot be trusted. */
function lookBefore(
  env: OpenEnv,
  place: TypedPlace,
  known: Map<string, TreeContent>,
): TrustView | undefined {
  try {
    return viewTrust(env, place, { known });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}

const NOTHING: Shown = { text: "", items: [], files: {} };

/** What the change means for trust. */
function judge(
  before: TrustView | undefined,
  after: TrustView,
  { touches, next }: {
    readonly touches: TypedInput["touches"];
    readonly next: InstallNext;
  },
): Outcome {
  const isTyped = titlesIn(touches, next);
  const all = differences(before?.shown ?? NOTHING, after.shown);
  const found = before === undefined
    ? all.filter(({ title }) => isTyped(title))
    : all;
  if (after.state === "unneeded") {
    return { trust: "unneeded", differences: found };
  }
  if (after.state === "trusted") return { trust: "kept", differences: found };
  const wasFine = before?.state === "trusted" || before?.state === "unneeded";
  const isOnlyTyped = found.length > 0 &&
    found.every(({ title }) => isTyped(title));
  const trust = wasFine && isOnlyTyped ? "extended" : "needed";
  return { trust, differences: found };
}

function titlesIn(
  touches: TypedInput["touches"],
  { env: { manifest } }: InstallNext,
): (title: string) => boolean {
  const titles = touches === "installed"
    ? [
      ...manifest.plugins.map(({ name }) => `plugin ${name}`),
      ...manifest.skills.map(({ name }) => `skill ${name}`),
    ]
    : touches;
  return (title) => titles.includes(title.replace(/^files of /, ""));
}
