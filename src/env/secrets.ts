/** An env's secrets, from what is known of the env. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote, shellWord } from "../base/text.ts";
import {
  findReferences,
  type Manifest,
  type McpServer,
} from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import type {
  BackendName,
  EnvFacts,
  SecretRow,
  Secrets,
  SecretValue,
} from "../secrets/mod.ts";
import { auditEvent } from "./audit.ts";
import { readConfig } from "./config.ts";
import { transact } from "./slots.ts";
import type { OpenEnv } from "./types.ts";

/** Where secrets are used. */
export interface SecretPlace {
  readonly host: Host;
  readonly dirs: Dirs;
}

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
  { host, dirs }: SecretPlace,
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

/** A secret with what asks for it. */
export interface SecretUse extends SecretRow {
  /** MCP servers that need it, and `tools` where `[secrets.KEY]` names some. */
  readonly usedBy: readonly string[];
}

/** All secrets that an env has or needs, sorted by key; `problem` says why the keyring could not be asked. */
export async function listSecrets(
  env: OpenEnv,
  place: SecretPlace,
): Promise<{ rows: SecretUse[]; problem: AppError | undefined }> {
  const secrets = await openEnvSecrets(env, place);
  const { rows, problem } = await secrets.list();
  const uses = secretUses(env.manifest);
  const known = new Set(rows.map(({ key }) => key));
  const needed = [...uses.keys()].filter((key) => !known.has(key));
  const byCommand = env.manifest.secrets.command !== undefined;
  const missing = needed.map((key) => ({
    key,
    origin: byCommand ? "command" : secrets.backend,
    state: byCommand ? "declared" : problem ? "unknown" : "missing",
  } as const));
  const all = [...rows, ...missing].map((row) => ({
    ...row,
    usedBy: uses.get(row.key) ?? [],
  }));
  return { rows: all.sort((a, b) => (a.key < b.key ? -1 : 1)), problem };
}

/** Who asks for each key that a manifest names. */
export function secretUses(
  manifest: Manifest,
): ReadonlyMap<SecretKey, readonly string[]> {
  const uses = new Map<SecretKey, string[]>();
  const add = (key: SecretKey, user: string) => {
    const users = uses.get(key) ?? [];
    if (!users.includes(user)) uses.set(key, [...users, user]);
  };
  for (const [name, server] of Object.entries(manifest.mcp)) {
    for (const key of serverSecrets(server)) add(key, name);
  }
  for (const key of Object.keys(manifest.secrets.tools)) {
    add(key as SecretKey, "tools");
  }
  return uses;
}

/** The keys that an MCP server asks for. */
export function serverSecrets(server: McpServer): SecretKey[] {
  const texts = server.type === "stdio"
    ? [server.command, ...server.args, ...Object.values(server.env)]
    : [server.url, ...Object.values(server.headers)];
  return texts.flatMap(findReferences).flatMap((reference) =>
    reference.kind === "secret" ? [reference.key as SecretKey] : []
  );
}

/** Keeps a value. `add` refuses a key that has one (`SECRET_EXISTS`), `rotate` one that has none (`SECRET_MISSING`). */
export async function keepSecret(
  env: OpenEnv,
  input: {
    readonly key: SecretKey;
    readonly value: SecretValue;
    readonly action: "add" | "rotate";
  },
  place: SecretPlace,
): Promise<BackendName> {
  const { key, value, action } = input;
  const about = { kind: `secrets ${action}`, env: env.slotName };
  const backend = await transact(about, place, async () => {
    await requireSecret(env, { key, exists: action === "rotate" }, place);
    const secrets = await openEnvSecrets(env, place);
    await secrets.put(key, value);
    return secrets.backend;
  });
  const event = action === "add" ? "secret-added" : "secret-rotated";
  await auditEvent({ event, key, backend }, {
    ...{ dirs: place.dirs, env: env.label },
  });
  return backend;
}

/** Throws `SECRET_EXISTS` or `SECRET_MISSING` unless there is a value, or none. */
export async function requireSecret(
  env: OpenEnv,
  { key, exists }: { readonly key: SecretKey; readonly exists: boolean },
  place: SecretPlace,
): Promise<void> {
  const secrets = await openEnvSecrets(env, place);
  if (secrets.origin(key) === "command") throw hasCommand(env, key);
  if (await secrets.has(key) === exists) return;
  const where = `-E ${shellWord(env.breadcrumb)}`;
  if (exists) {
    throw new AppError(
      "SECRET_MISSING",
      `Cannot replace secret ${quote(key)}: environment ${
        quote(env.label)
      } keeps no value for it`,
      { hint: `Give it one: aenv secrets add ${key} ${where}` },
    );
  }
  throw new AppError(
    "SECRET_EXISTS",
    `Cannot add secret ${quote(key)}: environment ${
      quote(env.label)
    } has it already`,
    { hint: `Give it another value: aenv secrets rotate ${key} ${where}` },
  );
}

function hasCommand(env: OpenEnv, key: SecretKey): AppError {
  return new AppError(
    "SECRET_EXISTS",
    `Cannot keep secret ${quote(key)}: a command in ${
      quote(env.manifestPath)
    } prints its value`,
    { hint: "Take the command out of [secrets] first" },
  );
}

/** Takes a value away. Throws `SECRET_MISSING` when neither the keyring nor the index knows of it. */
export async function removeSecret(
  env: OpenEnv,
  key: SecretKey,
  place: SecretPlace,
): Promise<{ backend: BackendName; wasKept: boolean }> {
  const about = { kind: "secrets rm", env: env.slotName };
  const removed = await transact(about, place, async () => {
    const secrets = await openEnvSecrets(env, place);
    const { rows, problem } = await secrets.list();
    const row = rows.find((row) => row.key === key);
    if (row === undefined || row.origin === "command") {
      if (problem !== undefined) throw problem;
      throw new AppError(
        "SECRET_MISSING",
        `Cannot remove secret ${quote(key)}: environment ${
          quote(env.label)
        } keeps no value for it`,
        {
          hint: `See what there is: aenv secrets list -E ${
            shellWord(env.breadcrumb)
          }`,
        },
      );
    }
    const wasKept = await secrets.remove(key);
    return { backend: secrets.backend, wasKept };
  });
  const { backend } = removed;
  await auditEvent({ event: "secret-removed", key, backend }, {
    ...{ dirs: place.dirs, env: env.label },
  });
  return removed;
}
