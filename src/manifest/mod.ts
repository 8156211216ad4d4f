/** The manifest: reading `aenv.toml`. */
export { parseManifest } from "./parse.ts";
export { findReferences, type Reference, toAgentForm } from "./references.ts";
export { parseTomlText } from "./toml.ts";
export { newManifest } from "./template.ts";
export type {
  Entry,
  Isolation,
  Manifest,
  McpServer,
  NetworkMode,
  SandboxSection,
  SecretsSection,
} from "./schema.ts";
