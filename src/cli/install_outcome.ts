/** What `install` and its kin do and say. */
import { tilde } from "../base/paths.ts";
import {
  activeEnv,
  hostDirs,
  installEnv,
  type InstallInput,
  type InstallResult,
  type OpenEnv,
  requireNamed,
} from "../env/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import { type Input, type Outcome, textOption } from "./command.ts";

/** Installs the active env, or the one that `-E` names. */
export async function installActive(
  input: Input,
  host: Host,
  options: InstallInput,
): Promise<Outcome> {
  const { env, dirs } = activeEnv(host, textOption(input, "env"));
  const result = await installEnv(requireNamed(env, options.command), options, {
    host,
    dirs,
  });
  return outcomeOf(result, host);
}

/** Installs an env with another text for its manifest; both are written, or neither. */
export async function installEdited(
  env: OpenEnv,
  text: string,
  { host, command }: { readonly host: Host; readonly command: string },
): Promise<Outcome> {
  const parsed = parseManifest(text, env.manifestPath);
  const options = {
    command,
    frozen: false,
    update: [],
    manifest: { text, parsed },
  };
  const result = await installEnv(env, options, { host, dirs: hostDirs(host) });
  return outcomeOf(result, host);
}

function outcomeOf(result: InstallResult, host: Host): Outcome {
  const rows = result.items.map(({ kind, name, pin, state }) =>
    `${MARKS[state]} ${kind.slice(0, -1)} ${name}  ${pin}`
  );
  const removed = result.removed.map((name) => `- ${name}`);
  const path = tilde(result.lock, host.env["HOME"] ?? "");
  const last = result.written ? `wrote ${path}` : `${path} is up to date`;
  return { data: result, text: () => [...rows, ...removed, last].join("\n") };
}

const MARKS = { kept: " ", added: "+", changed: "~" } as const;
