/** Secrets of environments: where their values are kept, and whose they are. */
export {
  parseSecretKey,
  type SecretKey,
  secretKeyProblem,
} from "../base/secret_key.ts";
export type {
  BackendName,
  EnvFacts,
  EnvIdentity,
  SecretList,
  SecretOrigin,
  SecretRow,
  Secrets,
} from "./types.ts";
export { withoutLineEnd } from "./line_end.ts";
export { MAX_VALUE_BYTES, SecretValue } from "./value.ts";
export { variableName, variableNames } from "./variable_name.ts";
export { openSecrets, type SecretsInput } from "./open.ts";
