/** From an env's facts to its secrets. */
import { type Dirs, PROJECT_FILE } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { join } from "../base/paths.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { listWords, quote, shellWord } from "../base/text.ts";
import { ensureDir, lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { chooseBackend } from "./choose.ts";
import { runSecretCommands } from "./command_source.ts";
import { findIdentity, giveIdentity } from "./identity.ts";
import { readIndex, setIndex } from "./index_file.ts";
import { placeFile, sweepTemporary } from "./own_files.ts";
import type {
  Backend,
  BackendName,
  EnvFacts,
  EnvIdentity,
  SecretList,
  SecretOrigin,
  SecretRow,
  Secrets,
} from "./types.ts";
import type { SecretValue } from "./value.ts";

/** What {@link openSecrets} needs. */
export interface SecretsInput {
  readonly facts: EnvFacts;
  /** Key → command of the manifest. */
  readonly commands: Readonly<Record<string, string>>;
  /** The manifest's command for all other keys. */
  readonly command: string | undefined;
  /** Whether these commands may run: the manifest is trusted. */
  readonly runsCommands: boolean;
  /** `secret_backend` of config.toml. */
  readonly configured: BackendName | undefined;
  readonly host: Host;
  readonly dirs: Dirs;
}

/** The secrets of an env; see {@link Secrets}. Reads nothing yet. Throws `CONFIG_INVALID` for a wrong `$AENV_SECRET_BACKEND`. */
export function openSecrets(input: SecretsInput): Secrets {
  return new EnvSecrets(input, chooseBackend(input));
}

class EnvSecrets implements Secrets {
  readonly #input: SecretsInput;
  readonly #backend: Backend;

  constructor(input: SecretsInput, backend: Backend) {
    this.#input = input;
    this.#backend = backend;
  }

  get backend(): BackendName {
    return this.#backend.name;
  }

  async get(
    keys: Iterable<SecretKey>,
  ): Promise<ReadonlyMap<SecretKey, SecretValue>> {
    const commands = new Map<SecretKey, string>();
    const kept: SecretKey[] = [];
    for (const key of new Set(keys)) {
      const command = this.#commandOf(key);
      if (command === undefined) kept.push(key);
      else commands.set(key, command);
    }
    const found = this.#find();
    const read = kept.length === 0 || found === undefined
      ? new Map<SecretKey, SecretValue>()
      : await this.#backend.read(found.identity, kept);
    const missing = kept.filter((key) => !read.has(key));
    if (missing.length > 0) throw this.#missing(missing);
    if (commands.size === 0) return read;
    return new Map([...read, ...await this.#run(commands)]);
  }

  origin(key: SecretKey): SecretOrigin {
    return this.#commandOf(key) === undefined ? this.backend : "command";
  }

  async has(key: SecretKey): Promise<boolean> {
    if (this.#commandOf(key) !== undefined) return true;
    const found = this.#find();
    if (found === undefined) return false;
    return (await this.#backend.keys(found.identity, [key])).has(key);
  }

  async put(key: SecretKey, value: SecretValue): Promise<void> {
    const { facts } = this.#input;
    if (this.#commandOf(key) !== undefined) throw this.#hasCommand(key);
    const identity = this.#settleIn();
    const label = `aenv: ${key} (${facts.label})`;
    await this.#change(
      key,
      () => this.#backend.write(identity, { key, value, label }),
    );
  }

  async remove(key: SecretKey): Promise<boolean> {
    if (this.#find() === undefined) return false;
    const identity = this.#settleIn();
    return await this.#change(key, () => this.#backend.remove(identity, key));
  }

  async list(): Promise<SecretList> {
    const commands = Object.keys(this.#input.commands) as SecretKey[];
    const rows: SecretRow[] = commands.map((key) => ({
      key,
      origin: "command",
      state: "declared",
    }));
    const { index, kept, problem } = await this.#inventory();
    for (const key of new Set([...index, ...kept ?? []])) {
      if (commands.includes(key)) continue;
      const state = kept === undefined
        ? "unknown"
        : kept.has(key)
        ? "kept"
        : "missing";
      rows.push({ key, origin: this.backend, state });
    }
    rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return { rows, problem };
  }

  /** What the index names, and what the backend has where it can be asked. */
  async #inventory(): Promise<{
    readonly index: ReadonlySet<SecretKey>;
    readonly kept: ReadonlySet<SecretKey> | undefined;
    readonly problem: AppError | undefined;
  }> {
    const found = this.#find();
    if (found === undefined) {
      return { index: new Set(), kept: new Set(), problem: undefined };
    }
    const index = new Set([
      ...readIndex(this.#input.facts.slot).keys(),
      ...(found.formerSlot ? readIndex(found.formerSlot).keys() : []),
    ]);
    try {
      const kept = await this.#backend.keys(found.identity, [...index]);
      return { index, kept, problem: undefined };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { index, kept: undefined, problem: error };
    }
  }

  /** Makes sure of slot and identity. The index of a clone that was moved comes along. */
  #settleIn(): EnvIdentity {
    const { facts, dirs } = this.#input;
    ensureSlot(facts, dirs);
    const { identity, formerSlot } = giveIdentity(facts, this.#input);
    for (const [key, state] of formerSlot ? readIndex(formerSlot) : []) {
      if (readIndex(facts.slot).has(key)) continue;
      setIndex(facts.slot, key, { state, dirs });
    }
    return identity;
  }

  /**
   * Has the backend change a value. The index says that the key is changing before that, and what came of it after: killed in
   * between, it says that nobody knows, and the next list asks the backend.
   */
  async #change<T>(key: SecretKey, work: () => Promise<T>): Promise<T> {
    const { facts: { slot }, dirs } = this.#input;
    const before = readIndex(slot).get(key);
    sweepTemporary(dirs.secrets);
    setIndex(slot, key, { state: "changing", dirs });
    let settled = before;
    try {
      const result = await work();
      settled = await this.#stateNow(key, before);
      return result;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A keyring that did not answer may have done it all the same.
      settled = await this.#stateNow(key, before);
      throw error;
    } finally {
      setIndex(slot, key, { state: settled, dirs });
    }
  }

  async #stateNow(
    key: SecretKey,
    otherwise: "kept" | "changing" | undefined,
  ): Promise<"kept" | "changing" | undefined> {
    try {
      return await this.has(key) ? "kept" : undefined;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return otherwise;
    }
  }

  #find() {
    return findIdentity(this.#input.facts, this.#input);
  }

  #commandOf(key: SecretKey): string | undefined {
    const { commands, command } = this.#input;
    return Object.hasOwn(commands, key) ? commands[key] : command;
  }

  async #run(
    commands: ReadonlyMap<SecretKey, string>,
  ): Promise<ReadonlyMap<SecretKey, SecretValue>> {
    const { facts, host, runsCommands } = this.#input;
    if (!runsCommands) {
      throw new AppError(
        "TRUST_NEEDED",
        `Cannot run the commands for the secrets of ${
          quote(facts.label)
        }: its manifest is not trusted`,
        { hint: "Look at it, and trust it: aenv trust" },
      );
    }
    const cwd = facts.project?.dir ?? facts.slot;
    return await runSecretCommands(commands, { host, cwd });
  }

  #missing(keys: readonly SecretKey[]): AppError {
    const { label, option } = this.#input.facts;
    const commands = keys.map((key) =>
      `aenv secrets add ${key} -E ${shellWord(option)}`
    );
    return new AppError(
      "SECRET_MISSING",
      `Cannot read the secrets of ${quote(label)}: it has no value for ${
        listWords(keys.map(quote))
      }`,
      { hint: commands.join("; ") },
    );
  }

  #hasCommand(key: SecretKey): AppError {
    return new AppError(
      "SECRET_EXISTS",
      `Cannot keep secret ${
        quote(key)
      }: a command in the manifest says where its value comes from`,
      { hint: "Take the command out of [secrets] first" },
    );
  }
}

/** Makes the slot as a launch does. */
function ensureSlot({ slot, project }: EnvFacts, dirs: Dirs): void {
  ensureDir(slot);
  const file = join(slot, PROJECT_FILE);
  if (project === undefined || lstat(file) !== undefined) return;
  placeFile(file, project.manifest + "\n", dirs);
}
