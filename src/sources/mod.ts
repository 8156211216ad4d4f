/** Where plugins and skills come from: sources as they are written, what they mean now, and their files. */
export {
  type ContentKind,
  type ContentQuery,
  findContentRoot,
  isContent,
  readPluginManifest,
  requirePluginName,
} from "./content_root.ts";
export { type FetchOptions, fetchSource } from "./fetch.ts";
export { localPath, locate } from "./local_path.ts";
export { caCertificates } from "./network_env.ts";
export { newestSpec } from "./newest.ts";
export { npmRegistryUrls } from "./npm/registry_urls.ts";
export { parseSource } from "./parse.ts";
export {
  describePin,
  formatPin,
  isPathPin,
  parsePin,
  shortPin,
} from "./pin.ts";
export { resolveSource } from "./resolve.ts";
export {
  type ArchivePin,
  type GitPin,
  type GitRef,
  inTurn,
  LIMITS,
  type Limits,
  type MarketplacePin,
  type NpmPin,
  type PathPin,
  type PlainPin,
  type Resolution,
  type SourceContext,
  sourceContext,
  type SourceEvent,
  type SourceSpec,
} from "./source.ts";
