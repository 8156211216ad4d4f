/** Whether the copies of plugins and skills in the env's slot are what their sources are. */
import { type AbsPath, join } from "../base/paths.ts";
import { EXCLUDED_NAMES } from "../base/tree_names.ts";
import type { LaunchPlan } from "../launch/mod.ts";
import { lstat, readDir, readLink } from "../os/fs.ts";
import { sameContents } from "../os/same_contents.ts";
import { From, type Row } from "./types.ts";

const MAX_NAMED = 3;

/** One row per copied plugin or skill. */
export function compareCopies(plan: LaunchPlan): Row[] {
  return plan.installs.map(({ name, kind, source, target }) => {
    const differences = treeDifferences(source, target);
    const row = {
      kind: "copy" as const,
      item: `${kind} ${name}`,
      from: From.manifest,
      declared: true,
    };
    return differences.length === 0
      ? { ...row, seen: true, status: "ok" as const }
      : {
        ...row,
        seen: "changed",
        status: "different" as const,
        detail: `${target}: ${describe(differences)}`,
      };
  });
}

function describe(differences: readonly string[]): string {
  const named = differences.slice(0, MAX_NAMED).join(", ");
  const rest = differences.length - MAX_NAMED;
  return rest > 0 ? `${named} and ${rest} more` : named;
}

/** What differs between two trees, in words. */
function treeDifferences(
  source: AbsPath,
  copy: AbsPath,
  below = "",
): string[] {
  const wanted = entries(join(source, below));
  const found = entries(join(copy, below));
  return [...new Set([...wanted.keys(), ...found.keys()])].sort().flatMap(
    (name) => {
      const path = below + name;
      if (!found.has(name)) return [`${path} is missing`];
      if (!wanted.has(name)) return [`${path} was added`];
      if (wanted.get(name) !== found.get(name)) return [`${path} was changed`];
      if (wanted.get(name) === "directory") {
        return treeDifferences(source, copy, `${path}/`);
      }
      return sameEntry(join(source, path), join(copy, path))
        ? []
        : [`${path} was changed`];
    },
  );
}

function entries(dir: AbsPath): Map<string, string> {
  return new Map(
    (readDir(dir) ?? []).filter(({ name }) => !EXCLUDED_NAMES.has(name))
      .map(({ name, kind }) => [name, kind]),
  );
}

function sameEntry(a: AbsPath, b: AbsPath): boolean {
  if (lstat(a)?.kind === "symlink") return readLink(a) === readLink(b);
  return lstat(a)?.size === lstat(b)?.size && sameContents(a, b);
}
