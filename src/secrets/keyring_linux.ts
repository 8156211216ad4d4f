/** The keyring of a Linux desktop: the Secret Service on the session bus, one conversation for any number of values. */
import type { AppError } from "../base/errors.ts";
import {
  parseSecretKey,
  type SecretKey,
  secretKeyProblem,
} from "../base/secret_key.ts";
import type { Host } from "../os/host.ts";
import { sessionBusSockets } from "./dbus/address.ts";
import { Bus, BusError, CallError } from "./dbus/connection.ts";
import {
  type Attributes,
  type ObjectPath,
  SecretService,
} from "./dbus/secret_service.ts";
import {
  cancelled,
  locked,
  type Subject,
  unavailable,
} from "./keyring_errors.ts";
import type { Backend, EnvIdentity } from "./types.ts";
import { SecretValue } from "./value.ts";

/** How long the keyring may take to answer, and a person to answer it, milliseconds. */
const ANSWER_MS = 10_000;
const PROMPT_MS = 120_000;

/** What is shown where all secrets of an env are meant. */
const ALL = "all secrets";
const LABEL = "Default keyring";
const UNLOCK_HINT = "Log in to the desktop, which unlocks it";

/** The attributes by which all items of an env are found. */
function envAttributes(env: EnvIdentity): Attributes {
  return { application: "aenv", env };
}

function itemAttributes(env: EnvIdentity, key: SecretKey): Attributes {
  return { ...envAttributes(env), key };
}

/** The keyring that answers as `org.freedesktop.secrets`. */
export function linuxKeyring(host: Host): Backend {
  async function converse<T>(
    subject: Subject,
    work: (talk: Conversation) => Promise<T>,
  ): Promise<T> {
    try {
      using bus = await openBus(host);
      return await work(new Conversation(bus, host, subject));
    } catch (error) {
      throw explain(error, subject);
    }
  }
  return {
    name: "keyring",
    read: (env, keys) =>
      converse(keys.join(", "), (talk) => talk.read(env, keys)),
    write: (env, item) =>
      converse(
        item.key,
        (talk) => talk.write(env, item),
      ),
    remove: (env, key) =>
      converse(
        key,
        (talk) => talk.remove(env, key),
      ),
    keys: (env, keys) =>
      converse(keys.join(", ") || ALL, (talk) => talk.keys(env)),
  };
}

async function openBus(host: Host): Promise<Bus> {
  return await Bus.open(sessionBusSockets(host), {
    uid: host.uid ?? 0,
    timeoutMs: ANSWER_MS,
  });
}

/** One connection, and what is done over it. */
class Conversation {
  readonly #bus: Bus;
  readonly #service: SecretService;
  readonly #subject: Subject;
  readonly #canAsk: boolean;
  readonly #notice: (text: string) => void;
  readonly #hello: Promise<void>;

  constructor(bus: Bus, host: Host, subject: Subject) {
    this.#bus = bus;
    this.#service = new SecretService(bus);
    this.#subject = subject;
    this.#canAsk = Boolean(
      host.env["DISPLAY"] || host.env["WAYLAND_DISPLAY"],
    );
    this.#notice = (text) => host.notice(text);
    // Not awaited here: what follows goes out together with it.
    this.#hello = this.#service.hello();
    this.#hello.catch(() => undefined);
  }

  async read(
    env: EnvIdentity,
    keys: readonly SecretKey[],
  ): Promise<ReadonlyMap<SecretKey, SecretValue>> {
    const found = await this.#find(env, keys);
    const secrets = await this.#service.secrets([...found.values()]);
    const values = new Map<SecretKey, SecretValue>();
    for (const [key, item] of found) {
      const value = secrets.get(item);
      // An empty one was not made by us, and is of no use.
      if (value && value.length > 0) values.set(key, new SecretValue(value));
    }
    return values;
  }

  async write(
    env: EnvIdentity,
    { key, value, label }: {
      key: SecretKey;
      value: SecretValue;
      label: string;
    },
  ): Promise<void> {
    const item = (await this.#find(env, [key])).get(key);
    if (item !== undefined) {
      await this.#service.setSecret(item, value.reveal());
      return;
    }
    const collection = await this.#service.defaultCollection() ??
      await this.#createCollection();
    const { prompt } = await this.#service.createItem(collection, {
      label,
      attributes: itemAttributes(env, key),
      value: value.reveal(),
    });
    await this.#answer(prompt);
  }

  async remove(env: EnvIdentity, key: SecretKey): Promise<boolean> {
    if (!(await this.#find(env, [key])).has(key)) return false;
    // Another collection may hold one more.
    const { unlocked } = await this.#service.search(itemAttributes(env, key));
    for (const item of unlocked) {
      const { prompt } = await this.#service.deleteItem(item);
      await this.#answer(prompt);
    }
    return true;
  }

  async keys(env: EnvIdentity): Promise<ReadonlySet<SecretKey>> {
    const [found] = await Promise.all([
      this.#service.search(envAttributes(env)),
      this.#hello,
    ]);
    const items = [...found.unlocked, ...found.locked];
    // Some keyrings show nothing of what is in a locked collection. Nobody is asked to unlock it for a list.
    if (items.length === 0 && await this.#lockedDefault() !== undefined) {
      throw locked(this.#subject, UNLOCK_HINT);
    }
    const all = await Promise.all(
      items.map((item) => this.#service.attributes(item)),
    );
    const keys = all.map((attributes) => attributes["key"] ?? "")
      .filter((key) => secretKeyProblem(key) === undefined);
    return new Set(keys.map(parseSecretKey));
  }

  /** The unlocked item of each key that has one; what is locked is unlocked first. */
  async #find(
    env: EnvIdentity,
    keys: readonly SecretKey[],
  ): Promise<Map<SecretKey, ObjectPath>> {
    const first = await this.#search(env, keys);
    if (first.locked.length > 0) await this.#unlock(first.locked);
    else if (first.found.size === keys.length) return first.found;
    // Some keyrings show nothing of what is in a locked collection.
    else if (!await this.#unlockDefault()) return first.found;
    return (await this.#search(env, keys)).found;
  }

  async #search(
    env: EnvIdentity,
    keys: readonly SecretKey[],
  ): Promise<{ found: Map<SecretKey, ObjectPath>; locked: ObjectPath[] }> {
    const [results] = await Promise.all([
      Promise.all(
        keys.map((key) => this.#service.search(itemAttributes(env, key))),
      ),
      this.#hello,
    ]);
    const found = new Map<SecretKey, ObjectPath>();
    const locked: ObjectPath[] = [];
    results.forEach((result, i) => {
      const [item] = result.unlocked;
      if (item !== undefined) found.set(keys[i]!, item);
      else locked.push(...result.locked);
    });
    return { found, locked };
  }

  /** Unlocks the default collection; false when there was nothing to unlock. */
  async #unlockDefault(): Promise<boolean> {
    const collection = await this.#lockedDefault();
    if (collection === undefined) return false;
    await this.#unlock([collection]);
    return true;
  }

  /** The default collection, when there is one and it is locked. */
  async #lockedDefault(): Promise<ObjectPath | undefined> {
    const collection = await this.#service.defaultCollection();
    if (collection === undefined) return undefined;
    return await this.#service.isLocked(collection) ? collection : undefined;
  }

  async #unlock(objects: readonly ObjectPath[]): Promise<void> {
    const { prompt } = await this.#service.unlock(objects);
    await this.#answer(prompt);
  }

  async #createCollection(): Promise<ObjectPath> {
    if (!this.#canAsk) throw this.#noCollection();
    const { prompt } = await this.#service.createCollection(LABEL);
    await this.#answer(prompt);
    const made = await this.#service.defaultCollection();
    if (made === undefined) throw this.#noCollection();
    return made;
  }

  #noCollection(): AppError {
    return unavailable(this.#subject, "the keyring is not set up yet", {
      hint: "Log in to the desktop, which sets it up",
    });
  }

  /** Has a person answer a prompt, if there is one. */
  async #answer(prompt: ObjectPath | undefined): Promise<void> {
    if (prompt === undefined) return;
    if (!this.#canAsk) {
      throw locked(this.#subject, UNLOCK_HINT);
    }
    this.#notice("aenv: the keyring asks you, and waits for your answer");
    this.#bus.extend(PROMPT_MS);
    const isDone = await this.#service.prompt(prompt);
    if (!isDone) throw cancelled(this.#subject, "it was not allowed");
    this.#bus.extend(ANSWER_MS);
  }
}

/** Errors of the bus and of the keyring, as one a user can act on; others come back as they are. */
function explain(error: unknown, subject: Subject): unknown {
  if (error instanceof BusError) {
    return unavailable(
      subject,
      `there is no session bus, or no keyring on it: ${error.message}`,
      { cause: error },
    );
  }
  return error instanceof CallError ? explainCall(error, subject) : error;
}

function explainCall(error: CallError, subject: Subject): AppError {
  const name = error.errorName.split(".").at(-1) ?? "";
  if (name === "IsLocked") return locked(subject, UNLOCK_HINT, error);
  const isAbsent = /^(ServiceUnknown|NameHasNoOwner)$|^Spawn/.test(name) ||
    error.errorName.includes(".Spawn.");
  if (isAbsent) {
    return unavailable(subject, "no program on the session bus keeps secrets", {
      hint: "Install one, such as gnome-keyring or KWallet",
      cause: error,
    });
  }
  return unavailable(subject, `the keyring says ${name}: ${error.message}`, {
    cause: error,
  });
}
