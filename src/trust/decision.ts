/** Whether something is trusted: a function of the record and of what is there now. */
import { sha256Hex } from "../os/hash.ts";
import type {
  ManifestIdentity,
  TreeHashes,
  TrustRecord,
  Verdict,
} from "./types.ts";

/** The record of a yes to these bytes. */
export function recordOf(
  { manifest, real, text }: ManifestIdentity,
  trees: TreeHashes,
): TrustRecord {
  return { manifest, real, manifestHash: sha256Hex(text), trees };
}

/** Compares what is there now with the record. Without `trees` only the manifest is looked at. */
export function decide(
  record: TrustRecord | undefined,
  identity: ManifestIdentity,
  trees?: TreeHashes,
): Verdict {
  if (record === undefined) return { state: "needed" };
  const now = recordOf(identity, trees ?? record.trees);
  // The file is found by a hash of the path; a copy of another path's record says nothing about this one.
  if (record.manifest !== now.manifest) return { state: "needed" };
  const what = [
    ...(record.real !== now.real ? ["where the manifest leads"] : []),
    ...(record.manifestHash !== now.manifestHash ? ["the manifest"] : []),
    ...changedTrees(record.trees, now.trees),
  ];
  return what.length === 0 ? { state: "trusted" } : { state: "changed", what };
}

function changedTrees(before: TreeHashes, now: TreeHashes): string[] {
  const titles = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...titles].filter((title) =>
    hashIn(before, title) !== hashIn(now, title)
  )
    .sort();
}

function hashIn(trees: TreeHashes, title: string): string | undefined {
  return Object.hasOwn(trees, title) ? trees[title] : undefined;
}
