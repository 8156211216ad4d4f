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
export { Broker } from "./broker.ts";
export type { BrokeredServer, BrokerOptions } from "./broker_types.ts";
export { isDescendant } from "./descent.ts";
export {
  HttpRelay,
  type LateServer,
  type RelayedServer,
  type RelayEntry,
} from "./http_relay.ts";
export { RELAY_SCRIPT } from "./relay_script.ts";
