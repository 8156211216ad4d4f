/** Values in a file, for machines without a keyring. Only ever used when the user says so. */
import { decodeBase64, encodeBase64, isBase64 } from "../base/base64.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import {
  parseSecretKey,
  type SecretKey,
  secretKeyProblem,
} from "../base/secret_key.ts";
import { quote } from "../base/text.ts";
import { ensureDir, writeAtomic } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { withLock } from "../os/lock.ts";
import { readPrivate, REFUSED, requirePrivateDir } from "../os/private_file.ts";
import type { Backend, EnvIdentity } from "./types.ts";
import { SecretValue } from "./value.ts";

const MAX_FILE_BYTES = 32 * 1024 * 1024;

type Values = Record<string, Record<string, string>>;

/** Values in `path`, which and whose directory only this user may use. */
export function fileBackend(path: AbsPath, host: Host): Backend {
  /** Changes the file while no other process does. */
  async function change<T>(work: (values: Values) => T): Promise<T> {
    const dir = parent(path);
    ensureDir(dir);
    requirePrivateDir(dir, host.uid);
    return await withLock(join(dir, ".lock"), () => {
      const values = readValues(path, host);
      const result = work(values);
      // Never through a link: the new file takes its place.
      writeAtomic(path, printValues(values));
      return result;
    });
  }
  return {
    name: "file",
    read: (env, keys) =>
      promised(() => {
        const values = valuesOf(readValues(path, host), env);
        const found = keys.filter((key) => Object.hasOwn(values, key));
        return new Map(
          found.map((
            key,
          ) => [key, new SecretValue(decodeBase64(values[key]!))]),
        );
      }),
    write: (env, { key, value }) =>
      change((values) => {
        const own = valuesOf(values, env);
        own[key] = encodeBase64(value.reveal());
        values[env] = own;
      }),
    remove: (env, key) =>
      change((values) => {
        const own = valuesOf(values, env);
        const wasThere = Object.hasOwn(own, key);
        delete own[key];
        if (Object.keys(own).length === 0) delete values[env];
        return wasThere;
      }),
    keys: (env) =>
      promised(() => {
        const keys = Object.keys(valuesOf(readValues(path, host), env));
        return new Set(keys.map(parseSecretKey));
      }),
  };
}

/** What `work` gives or throws, as a promise. */
function promised<T>(work: () => T): Promise<T> {
  return Promise.resolve().then(work);
}

function valuesOf(values: Values, env: EnvIdentity): Record<string, string> {
  return Object.hasOwn(values, env) ? values[env]! : emptyTable();
}

/** Without a prototype: a key may be called like something that every object has. */
function emptyTable<T>(): Record<string, T> {
  return Object.create(null);
}

function printValues(values: Values): string {
  return JSON.stringify({ version: 1, envs: values }, undefined, 2) + "\n";
}

function readValues(path: AbsPath, host: Host): Values {
  const bytes = readPrivate(path, {
    uid: host.uid,
    maxBytes: MAX_FILE_BYTES,
    refused: REFUSED.all,
  });
  if (bytes === undefined) return emptyTable();
  const values = parseValues(new TextDecoder().decode(bytes));
  if (values !== undefined) return values;
  throw new AppError(
    "IO",
    `Cannot read secrets from ${quote(path)}: it is not as aenv wrote it`,
    { hint: `Look at it, or move it away: mv ${path} ${path}.old` },
  );
}

function parseValues(text: string): Values | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  if (!isTable(json) || json["version"] !== 1 || !isTable(json["envs"])) {
    return undefined;
  }
  const values = emptyTable<Record<string, string>>();
  for (const [env, table] of Object.entries(json["envs"])) {
    if (!isTable(table)) return undefined;
    const own = emptyTable<string>();
    for (const [key, value] of Object.entries(table)) {
      if (secretKeyProblem(key) !== undefined) return undefined;
      if (typeof value !== "string" || !isBase64(value)) return undefined;
      own[key as SecretKey] = value;
    }
    values[env] = own;
  }
  return values;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
