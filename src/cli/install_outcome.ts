/** What `install` and its kin do and say. */
import { tilde } from "../base/paths.ts";
import { escapeControl } from "../base/text.ts";
import { activeEnv, hostDirs, type OpenEnv, requireNamed } from "../env/mod.ts";
import {
  installTyped,
  type TypedInput,
  type TypedResult,
} from "../launch/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import { differenceLines } from "../trust/mod.ts";
import { type Input, type Outcome, textOption } from "./command.ts";
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
  return outcomeOf(result, opened, host);
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
  return outcomeOf(result, env, host);
}

function outcomeOf(result: TypedResult, env: OpenEnv, host: Host): Outcome {
  const rows = result.items.map(({ kind, name, pin, state }) =>
    `${MARKS[state]} ${kind.slice(0, -1)} ${name}  ${pin}`
  );
  const removed = result.removed.map((name) => `- ${name}`);
  const path = tilde(result.lock, host.env["HOME"] ?? "");
  const last = result.written ? `wrote ${path}` : `${path} is up to date`;
  const lines = [...rows, ...removed, last, ...trustLines(result, env, host)];
  return { data: result, text: () => lines.join("\n") };
}

const MARKS = { kept: " ", added: "+", changed: "~" } as const;

/** What changes in what the env runs, and whether the user has to be asked about it. */
function trustLines(
  { trust, differences }: TypedResult,
  env: OpenEnv,
  host: Host,
): string[] {
  const manifest = escapeControl(
    tilde(env.manifestPath, host.env["HOME"] ?? ""),
  );
  const changes = differences.length === 0 ? [] : [
    "",
    `changed in what ${manifest} runs and allows:`,
    ...differenceLines(differences),
  ];
  const last = trust === "extended"
    ? ["", "trusted, with this change"]
    : trust === "needed"
    ? ["", "not trusted as it is now; look at it, and decide: aenv trust"]
    : [];
  return [...changes, ...last];
}
