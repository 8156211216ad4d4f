/** Secrets of a slot, also of one whose env cannot be opened. */
import { parseEnvName } from "../base/ids.ts";
import { join, parent } from "../base/paths.ts";
import type { SecretKey } from "../base/secret_key.ts";
import type { Secrets } from "../secrets/mod.ts";
import { readConfig } from "./config.ts";
import { slotProject } from "./list.ts";
import type { SecretPlace } from "./secrets.ts";

/** The secrets that are kept for a slot. */
export interface SlotSecrets {
  readonly secrets: Secrets;
  /** Their keys, as far as the keyring can be asked; else those of the index. */
  readonly keys: readonly SecretKey[];
  /** Why the keyring could not be asked. */
  readonly problem: Error | undefined;
}

/** The secrets of the slot called `name`. Throws `ENV_RESERVED`, `NAME_INVALID`, `IO`. */
export async function slotSecrets(
  name: string,
  { host, dirs }: SecretPlace,
): Promise<SlotSecrets> {
  const slot = join(dirs.envs, parseEnvName(name));
  const manifest = slotProject(slot);
  const { openSecrets } = await import("../secrets/mod.ts");
  const secrets = openSecrets({
    facts: {
      label: name,
      option: name,
      slot,
      project: manifest && { dir: parent(manifest), manifest },
    },
    commands: {},
    command: undefined,
    runsCommands: false,
    configured: readConfig(dirs).secretBackend,
    host,
    dirs,
  });
  const { rows, problem } = await secrets.list();
  const keys = rows.filter(({ state }) => state !== "missing")
    .map(({ key }) => key);
  return { secrets, keys, problem };
}
