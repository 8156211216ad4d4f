/** Words of this module. */
import type { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import type { SecretKey } from "../base/secret_key.ts";
import type { SecretValue } from "./value.ts";

/** Whose secrets: 32 hexadecimal digits that nobody else can have. Made by `secretIdentity` only. */
export type EnvIdentity = string & { readonly __brand: "EnvIdentity" };

/** What of an env decides whose secrets it gets. */
export interface EnvFacts {
  /** The name shown to people. */
  readonly label: string;
  /** What `-E` takes to mean this env. */
  readonly option: string;
  /** Root of the env's slot; need not exist. */
  readonly slot: AbsPath;
  /** A project's manifest: its real directory and its path; undefined for a named env. */
  readonly project:
    | { readonly dir: AbsPath; readonly manifest: AbsPath }
    | undefined;
}

/** Where values can be kept. */
export type BackendName = "keyring" | "file";

/** Where a secret comes from. */
export type SecretOrigin = BackendName | "command";

/** Keeps values by env and key. Methods throw `KEYRING_LOCKED`, `KEYRING_UNAVAILABLE`, `KEYRING_CANCELLED`, `IO`. */
export interface Backend {
  readonly name: BackendName;
  /** The values that there are. */
  read(
    env: EnvIdentity,
    keys: readonly SecretKey[],
  ): Promise<ReadonlyMap<SecretKey, SecretValue>>;
  /** Keeps a value, over one that is there. `label` is what a program that shows the keyring says. */
  write(
    env: EnvIdentity,
    item: {
      readonly key: SecretKey;
      readonly value: SecretValue;
      readonly label: string;
    },
  ): Promise<void>;
  /** Takes a value away; whether there was one. */
  remove(env: EnvIdentity, key: SecretKey): Promise<boolean>;
  /** The keys that have a value: of all, where the backend can tell, else of `candidates`. Reads no value. */
  keys(
    env: EnvIdentity,
    candidates: readonly SecretKey[],
  ): Promise<ReadonlySet<SecretKey>>;
}

/** One secret as `list` tells of it. */
export interface SecretRow {
  readonly key: SecretKey;
  readonly origin: SecretOrigin;
  /**
   * `missing`: the env's index names it and no value is kept. `unknown`: the keyring could not be asked. `declared`: a command
   * of the manifest prints it when it is needed.
   */
  readonly state: "kept" | "missing" | "unknown" | "declared";
}

/** What `list` finds. */
export interface SecretList {
  readonly rows: readonly SecretRow[];
  /** Why the keyring could not be asked. */
  readonly problem: AppError | undefined;
}

/** The secrets of one env. */
export interface Secrets {
  /** Where values are kept. */
  readonly backend: BackendName;
  /**
   * The values of these keys, in one conversation with the keyring. Throws one error that names all that are missing
   * (`SECRET_MISSING`), `KEYRING_LOCKED`, `KEYRING_UNAVAILABLE`, `KEYRING_CANCELLED`, `SECRET_COMMAND_FAILED`, `TRUST_NEEDED`.
   */
  get(
    keys: Iterable<SecretKey>,
  ): Promise<ReadonlyMap<SecretKey, SecretValue>>;
  /** Where the value of a key comes from, whether there is one or not. */
  origin(key: SecretKey): SecretOrigin;
  /** Whether there is a value, which is not read, or a command that prints it. */
  has(key: SecretKey): Promise<boolean>;
  /** Keeps a value, over one that is there. Call it with the home's lock held (inside `transact`). Throws as `get` does. */
  put(key: SecretKey, value: SecretValue): Promise<void>;
  /** Takes a value away; whether there was one. Call it with the home's lock held. */
  remove(key: SecretKey): Promise<boolean>;
  /** All keys, sorted. Reads no value and asks nobody to unlock anything. */
  list(): Promise<SecretList>;
}
