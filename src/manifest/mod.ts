/** The manifest and the lock: their texts, and where the two differ. */
export {
  addEntry,
  editManifest,
  type EntryPlace,
  removeEntry,
  setEntry,
} from "./edit.ts";
export {
  addServers,
  hasServer,
  type NamedServer,
  removeServer,
} from "./edit_mcp.ts";
export {
  addPath,
  type PathEdit,
  type PathLine,
  removePaths,
} from "./edit_sandbox.ts";
export { editToml } from "./edit_toml.ts";
export type { Document } from "./edit_values.ts";
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
  policyHash,
} from "./lock_compare.ts";
export {
  type Credential,
  findCredentials,
  replaceCredentials,
} from "./mcp_credentials.ts";
export { parseManifest } from "./parse.ts";
export {
  fillReferences,
  findReferences,
  type Reference,
  toAgentForm,
} from "./references.ts";
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
  ServerSandbox,
} from "./schema.ts";
