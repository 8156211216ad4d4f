/** An env's secrets, from what is known of the env. */
import type { Dirs } from "../base/dirs.ts";
import type { Host } from "../os/host.ts";
import type { EnvFacts, Secrets } from "../secrets/mod.ts";
import { readConfig } from "./config.ts";
import type { OpenEnv } from "./types.ts";

/** What decides whose secrets an env gets. */
export function secretFacts(env: OpenEnv): EnvFacts {
  const { label, slot, scope, baseDir, manifestPath, breadcrumb } = env;
  const project = scope === "named"
    ? undefined
    : { dir: baseDir, manifest: manifestPath };
  return { label, option: breadcrumb, slot: slot.root, project };
}

/**
 * The secrets of `env`, by the keyring or file that the user chose. With `runsCommands` those that a command of the manifest
 * prints can be read too: only for an env whose trust was checked. Reads nothing yet.
 */
export async function openEnvSecrets(
  env: OpenEnv,
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
  options: { readonly runsCommands?: boolean } = {},
): Promise<Secrets> {
  // Most launches need no secret and do not load this.
  const { openSecrets } = await import("../secrets/mod.ts");
  return openSecrets({
    facts: secretFacts(env),
    commands: env.manifest.secrets.commands,
    command: env.manifest.secrets.command,
    runsCommands: options.runsCommands === true,
    configured: readConfig(dirs).secretBackend,
    host,
    dirs,
  });
}
