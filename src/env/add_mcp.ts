/** Adding MCP servers to a manifest: their credentials go to the secrets of the env, never into the text. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { MAX_NAME_LENGTH } from "../base/ids.ts";
import type { ServerTable } from "../base/server_table.ts";
import { quote } from "../base/text.ts";
import {
  addServers,
  type Credential,
  findCredentials,
  findReferences,
  type Manifest,
  type NamedServer,
  replaceCredentials,
} from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import type { SecretKey, Secrets, SecretValue } from "../secrets/mod.ts";
import { openEnvSecrets } from "./secrets.ts";
import { transact } from "./slots.ts";
import type { OpenEnv } from "./types.ts";

/** A credential on its way from a declaration to the secrets. */
export interface MovedCredential {
  readonly server: string;
  /** Where it stood: `env GITHUB_TOKEN`. */
  readonly where: string;
  readonly key: SecretKey;
  readonly value: SecretValue;
  readonly isArgument: boolean;
}

/** What an addition would do. */
export interface AdditionPlan {
  /** As they are written: without the credentials that moved. */
  readonly servers: readonly NamedServer[];
  /** The manifest's text with them. */
  readonly text: string;
  readonly moved: readonly MovedCredential[];
}

/** The keys of an env's secrets that a new one may not have. */
export class KeyNames {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** Keeps a key from being made. */
  take(key: string): void {
    this.#taken.add(key);
  }

  /** A key made of these words that nobody has. Each call gives another one. */
  make(...words: readonly string[]): string {
    const plain = words.join("-").replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[.-]+/, "").slice(0, MAX_NAME_LENGTH - 4) || "secret";
    let key = plain;
    for (let i = 2; this.#taken.has(key); i++) key = `${plain}-${i}`;
    this.#taken.add(key);
    return key;
  }
}

/** Every key that the env's secrets have or its manifest asks for. */
export async function takenKeys(
  env: OpenEnv,
  context: { readonly host: Host; readonly dirs: Dirs },
): Promise<KeyNames> {
  const secrets = await openEnvSecrets(env, context);
  const { rows } = await secrets.list();
  return new KeyNames([
    ...rows.map(({ key }) => key),
    ...referredKeys(env.manifest),
  ]);
}

/** Keys that the servers of a manifest ask for. */
export function referredKeys({ mcp }: Manifest): string[] {
  return Object.values(mcp).flatMap((server) =>
    server.type === "stdio"
      ? [...server.args, ...Object.values(server.env)]
      : [server.url, ...Object.values(server.headers)]
  ).flatMap(findReferences).flatMap((reference) =>
    reference.kind === "secret" ? [reference.key] : []
  );
}

/** Where credentials stand in plain text: `env GITHUB_TOKEN of "github"`. */
export function plainCredentials(
  servers: readonly NamedServer[],
): (Credential & { readonly server: string })[] {
  return servers.flatMap(({ name, table }) =>
    findCredentials(table).map((one) => ({ ...one, server: name }))
  );
}

/** Plans an addition; with `names`, credentials move to keys made by it. Throws `ITEM_EXISTS`, `MANIFEST_INVALID`, `SECRET_INVALID`. */
export async function planAddition(
  env: OpenEnv,
  servers: readonly NamedServer[],
  names: KeyNames | undefined,
): Promise<AdditionPlan> {
  const moved: MovedCredential[] = [];
  const { parseSecretKey, SecretValue } = await import("../secrets/mod.ts");
  const written = names === undefined ? servers : servers.map((server) => {
    const table = replaceCredentials(server.table, (credential) => {
      const { where, label, value, isArgument } = credential;
      const key = parseSecretKey(names.make(server.name, label));
      moved.push({
        server: server.name,
        where,
        key,
        value: new SecretValue(value),
        isArgument,
      });
      return `\${secret:${key}}`;
    });
    return { ...server, table: withOpenArguments(table) };
  });
  const text = addServers(env.manifestText, written, {
    file: env.manifestPath,
  });
  return { servers: written, text, moved };
}

/** A secret in an argument has to be allowed by the manifest. */
function withOpenArguments(table: ServerTable): ServerTable {
  const isOpen = table.args?.some((arg) => arg.includes("${secret:")) ?? false;
  return isOpen ? { ...table, "secret_args": "allow" } : table;
}

/**
 * Keeps the credentials, then has `write` write manifest and lock. When that fails, the credentials are taken away again.
 * Throws what the keyring and `write` throw.
 */
export async function performAddition<T>(
  env: OpenEnv,
  { moved }: AdditionPlan,
  { host, dirs, write }: {
    readonly host: Host;
    readonly dirs: Dirs;
    write(): Promise<T>;
  },
): Promise<T> {
  if (moved.length === 0) return await write();
  const secrets = await openEnvSecrets(env, { host, dirs });
  const about = { kind: "add", env: env.slotName };
  const kept: SecretKey[] = [];
  try {
    await transact(about, { host, dirs }, async () => {
      for (const { key, value } of moved) {
        await requireFree(secrets, key);
        await secrets.put(key, value);
        kept.push(key);
      }
    });
    return await write();
  } catch (error) {
    if (kept.length > 0) {
      await transact(about, { host, dirs }, () => forget(secrets, kept, host));
    }
    throw error;
  }
}

/** Somebody may have taken the key since it was chosen. */
async function requireFree(secrets: Secrets, key: SecretKey): Promise<void> {
  if (!await secrets.has(key)) return;
  throw new AppError(
    "TX_CONFLICT",
    `Cannot keep the secret ${quote(key)}: somebody made one of that name`,
    { hint: "Try again" },
  );
}

async function forget(
  secrets: Secrets,
  keys: readonly SecretKey[],
  host: Host,
): Promise<void> {
  for (const key of keys) {
    try {
      await secrets.remove(key);
    } catch (error) {
      // What stopped the addition is what the user has to know first.
      if (!(error instanceof AppError)) throw error;
      host.notice(`aenv: could not take back the secret ${quote(key)}`);
      host.notice(`  ${error.message}; see: aenv secrets rm ${key}`);
    }
  }
}
