/** Trust: what a repository's manifest may run, once the user has seen it and said yes. */
export { decide, recordOf } from "./decision.ts";
export { type Difference, differenceLines, differences } from "./difference.ts";
export { makeItem } from "./items.ts";
export { checkOwner } from "./owner.ts";
export {
  listRecords,
  readMarks,
  readRecord,
  readShown,
  recordPaths,
  recordPuts,
  writeMarks,
} from "./records.ts";
export type {
  Item,
  ManifestIdentity,
  Shown,
  TreeHashes,
  TrustRecord,
  Verdict,
} from "./types.ts";
