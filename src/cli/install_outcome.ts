/** What `install` and its kin do. */
import { activeEnv, hostDirs, type OpenEnv, requireNamed } from "../env/mod.ts";
import { installTyped, type TypedInput } from "../launch/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import { type Input, type Outcome, textOption } from "./command.ts";
import { installReport } from "./install_report.ts";
import { onlineFor } from "./online.ts";

/** Installs the active env, or the one that `-E` names. */
export async function installActive(
  input: Input,
  host: Host,
  options: TypedInput,
): Promise<Outcome> {
  const { env, dirs } = activeEnv(host, textOption(input, "env"));
  const opened = requireNamed(env, options.command);
  const online = onlineFor(host, options.command);
  const result = await installTyped(opened, options, { host, dirs, online });
  return installReport(result, opened, host);
}

/** What of an env's manifest a command changes. */
export interface Edit {
  /** The manifest's whole text. */
  readonly text: string;
  /** The titles of the items that the user named, as `aenv trust` shows them: `plugin review`, `mcp server docs`. */
  readonly touches: readonly string[];
}

/** Installs an env with another text for its manifest; both are written, or neither. */
export async function installEdited(
  env: OpenEnv,
  { text, touches }: Edit,
  { host, command }: { readonly host: Host; readonly command: string },
): Promise<Outcome> {
  const parsed = parseManifest(text, env.manifestPath);
  const result = await installTyped(env, {
    command,
    frozen: false,
    update: [],
    touches,
    manifest: { text, parsed },
  }, { host, dirs: hostDirs(host), online: onlineFor(host, command) });
  return installReport(result, env, host);
}
