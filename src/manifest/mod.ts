/** The manifest and the lock: reading `aenv.toml`, reading and writing `aenv.lock`. */
export {
  EMPTY_LOCK,
  type Lock,
  type LockedItem,
  parseLock,
  printLock,
  showHash,
} from "./lock.ts";
export {
  compareLock,
  type Declaration,
  declarationHash,
  lockAgrees,
  type LockDifference,
  makeLock,
} from "./lock_compare.ts";
export { parseManifest } from "./parse.ts";
export { findReferences, type Reference, toAgentForm } from "./references.ts";
export { parseTomlText } from "./toml.ts";
export { newManifest } from "./template.ts";
export type {
  Entry,
  EntryKind,
  Isolation,
  Manifest,
  McpServer,
  NetworkMode,
  SandboxSection,
  SecretsSection,
} from "./schema.ts";
