/** What there is beyond what a source asks for. Pure. */
import type { GitRef, GitSpec, SourceSpec } from "./source.ts";

const VERSION_TAG = /^(refs\/tags\/)?v?\d+\.\d+\.\d+/;

/**
 * The same source without the limit that its version, range or ref sets: the default version of a package; of a repository
 * the highest version among the tags where it is pinned to one of those, its default branch where it is pinned to a commit.
 * A branch is its own newest state.
 */
export function newestSpec(spec: SourceSpec): SourceSpec {
  switch (spec.kind) {
    case "npm":
      return { ...spec, wanted: "" };
    case "git":
      return newestGit(spec);
    case "marketplace":
      return spec.market.kind === "git"
        ? { ...spec, market: newestGit(spec.market) }
        : spec;
    case "archive":
    case "path":
      return spec;
  }
}

function newestGit(spec: GitSpec): GitSpec {
  return { ...spec, ref: newestRef(spec.ref) };
}

function newestRef(ref: GitRef): GitRef {
  switch (ref.type) {
    case "semver":
      return { type: "semver", range: "*" };
    case "commit":
      return { type: "default" };
    case "name":
      return VERSION_TAG.test(ref.name) ? { type: "semver", range: "*" } : ref;
    case "default":
      return ref;
  }
}
