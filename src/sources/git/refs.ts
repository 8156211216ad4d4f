/** What a repository offers, and which of it is meant. Pure. */
import semver from "semver";

/** A commit and the name that led to it. */
export interface FoundCommit {
  readonly commit: string;
  /** `HEAD`, `refs/heads/…` or `refs/tags/…`. */
  readonly ref: string;
}

/** Full names of refs → commits; tags are peeled. From the output of `git ls-remote`. */
export function parseRefs(listing: string): Map<string, string> {
  const refs = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const [, id, ref] = /^([0-9a-f]{40,64})\t(.+)$/.exec(line) ?? [];
    if (id === undefined || ref === undefined) continue;
    // An annotated tag comes twice: itself, and what it stands on.
    refs.set(ref.replace(/\^\{\}$/, ""), id);
  }
  return refs;
}

/** The branch or tag of this name; a branch goes before a tag, as with git clone. Full names are taken as they are. */
export function findRef(
  refs: ReadonlyMap<string, string>,
  name: string,
): FoundCommit | undefined {
  const candidates = name.startsWith("refs/")
    ? [name]
    : [`refs/heads/${name}`, `refs/tags/${name}`];
  for (const ref of candidates) {
    const commit = refs.get(ref);
    if (commit !== undefined) return { commit, ref };
  }
  return undefined;
}

/** The tag with the highest version in the range; `v1.2.3` and `1.2.3` are versions, and so is `name-v1.2.3` never. */
export function findVersionTag(
  refs: ReadonlyMap<string, string>,
  range: string,
): FoundCommit | undefined {
  let best: { version: string; found: FoundCommit } | undefined;
  for (const [ref, commit] of refs) {
    const [, version] = /^refs\/tags\/v?(\d+\.\d+\.\d+.*)$/.exec(ref) ?? [];
    if (version === undefined || !semver.satisfies(version, range)) continue;
    if (best === undefined || semver.gt(version, best.version)) {
      best = { version, found: { commit, ref } };
    }
  }
  return best?.found;
}

/** Names of branches and tags without their prefixes. */
export function refNames(refs: ReadonlyMap<string, string>): string[] {
  return [...refs.keys()].flatMap((ref) =>
    /^refs\/(?:heads|tags)\/(.+)$/.exec(ref)?.[1] ?? []
  );
}
