/** From an env's facts to its secrets. */
import type { Dirs } from "../base/dirs.ts";
import type { Host } from "../os/host.ts";
import type { BackendName, EnvFacts, Secrets } from "./types.ts";

/** What {@link openSecrets} needs. */
export interface SecretsInput {
  readonly facts: EnvFacts;
  /** Key → command of the manifest. */
  readonly commands: Readonly<Record<string, string>>;
  /** The manifest's command for all other keys. */
  readonly command: string | undefined;
  /** `secret_backend` of config.toml. */
  readonly configured: BackendName | undefined;
  readonly host: Host;
  readonly dirs: Dirs;
}

/** The secrets of an env; see {@link Secrets}. Reads nothing yet. */
export function openSecrets(_input: SecretsInput): Secrets {
  throw new Error("not written yet");
}
