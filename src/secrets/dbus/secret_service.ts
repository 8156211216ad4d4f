/** The Secret Service of freedesktop.org: the calls that are made, without any policy. */
import type { Bus } from "./connection.ts";
import type { Value, Variant } from "./wire.ts";

/** Object path of an item, a collection or a prompt. */
export type ObjectPath = string;

/** Attributes by which an item is found. */
export type Attributes = Readonly<Record<string, string>>;

const SERVICE = "org.freedesktop.secrets";
const ROOT = "/org/freedesktop/secrets";
const SECRET = "org.freedesktop.Secret";
/** What stands for "no object". */
const NONE = "/";

/** An answer that has to wait for a prompt. */
interface Prompted {
  readonly object: ObjectPath;
  readonly prompt: ObjectPath | undefined;
}

/** The Secret Service on a bus. Methods throw `CallError` and `BusError`. */
export class SecretService {
  readonly #bus: Bus;
  #session: Promise<ObjectPath> | undefined;
  #hears: Promise<unknown> | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Has to be the first call on a connection; others may follow before it is answered. */
  async hello(): Promise<void> {
    const named = this.#bus.call({
      destination: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
      member: "Hello",
    });
    // Needed for every value, and cheap beside another round trip.
    const session = this.#openSession();
    await Promise.all([named, session]);
  }

  /** Items that have all these attributes. */
  async search(
    attributes: Attributes,
  ): Promise<{ unlocked: ObjectPath[]; locked: ObjectPath[] }> {
    const [unlocked, locked] = await this.#call(ROOT, "Service.SearchItems", {
      signature: "a{ss}",
      values: [Object.entries(attributes)],
    });
    return { unlocked: paths(unlocked), locked: paths(locked) };
  }

  /** The values of unlocked items. */
  async secrets(
    items: readonly ObjectPath[],
  ): Promise<ReadonlyMap<ObjectPath, Uint8Array>> {
    const session = await this.#openSession();
    const [found] = await this.#call(ROOT, "Service.GetSecrets", {
      signature: "aoo",
      values: [items, session],
    });
    const pairs = found as readonly (readonly [ObjectPath, readonly Value[]])[];
    return new Map(
      pairs.map(([path, secret]) => [path, secret[2] as Uint8Array]),
    );
  }

  /** The attributes of an item. */
  async attributes(item: ObjectPath): Promise<Attributes> {
    const value = await this.#property(item, "Item", "Attributes");
    return Object.fromEntries(value as readonly [string, string][]);
  }

  /** The collection for new items; undefined when there is none yet. */
  async defaultCollection(): Promise<ObjectPath | undefined> {
    const [path] = await this.#call(ROOT, "Service.ReadAlias", {
      signature: "s",
      values: ["default"],
    });
    return path === NONE ? undefined : path as ObjectPath;
  }

  async isLocked(collection: ObjectPath): Promise<boolean> {
    return await this.#property(collection, "Collection", "Locked") === true;
  }

  /** Asks to unlock; what is left to do is behind the prompt. */
  async unlock(
    objects: readonly ObjectPath[],
  ): Promise<{ prompt: ObjectPath | undefined }> {
    const [, prompt] = await this.#call(ROOT, "Service.Unlock", {
      signature: "ao",
      values: [objects],
    });
    return { prompt: objectOrNone(prompt) };
  }

  async createCollection(label: string): Promise<Prompted> {
    const properties = [[`${SECRET}.Collection.Label`, text(label)]];
    return prompted(
      await this.#call(ROOT, "Service.CreateCollection", {
        signature: "a{sv}s",
        values: [properties, "default"],
      }),
    );
  }

  /** Makes an item, or replaces the one with the same attributes. */
  async createItem(
    collection: ObjectPath,
    { label, attributes, value }: {
      readonly label: string;
      readonly attributes: Attributes;
      readonly value: Uint8Array;
    },
  ): Promise<Prompted> {
    const properties = [
      [`${SECRET}.Item.Label`, text(label)],
      [`${SECRET}.Item.Attributes`, {
        signature: "a{ss}",
        value: Object.entries(attributes),
      }],
    ];
    const secret = await this.#secret(value);
    return prompted(
      await this.#call(collection, "Collection.CreateItem", {
        signature: "a{sv}(oayays)b",
        values: [properties, secret, true],
      }),
    );
  }

  /** Gives an unlocked item another value. */
  async setSecret(item: ObjectPath, value: Uint8Array): Promise<void> {
    const secret = await this.#secret(value);
    await this.#call(item, "Item.SetSecret", {
      signature: "(oayays)",
      values: [secret],
    });
  }

  async deleteItem(
    item: ObjectPath,
  ): Promise<{ prompt: ObjectPath | undefined }> {
    const [prompt] = await this.#call(item, "Item.Delete", {});
    return { prompt: objectOrNone(prompt) };
  }

  /** Shows a prompt and waits for the answer; false when it was dismissed. */
  async prompt(prompt: ObjectPath): Promise<boolean> {
    await this.#hearPrompts();
    const answer = this.#bus.signal({ path: prompt, member: "Completed" });
    await this.#call(prompt, "Prompt.Prompt", {
      signature: "s",
      values: [""],
    });
    const [isDismissed] = await answer;
    return isDismissed !== true;
  }

  #openSession(): Promise<ObjectPath> {
    this.#session ??= this.#call(ROOT, "Service.OpenSession", {
      signature: "sv",
      values: ["plain", text("")],
    }).then(([, session]) => session as ObjectPath);
    return this.#session;
  }

  #hearPrompts(): Promise<unknown> {
    this.#hears ??= this.#bus.call({
      destination: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
      member: "AddMatch",
      signature: "s",
      values: [`type='signal',sender='${SERVICE}',member='Completed'`],
    });
    return this.#hears;
  }

  async #secret(value: Uint8Array): Promise<Value[]> {
    const session = await this.#openSession();
    const type = "application/octet-stream";
    return [session, new Uint8Array(0), value, type];
  }

  async #property(
    path: ObjectPath,
    of: string,
    name: string,
  ): Promise<Value> {
    const [value] = await this.#bus.call({
      destination: SERVICE,
      path,
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      signature: "ss",
      values: [`${SECRET}.${of}`, name],
    });
    return (value as Variant).value;
  }

  async #call(
    path: ObjectPath,
    method: string,
    { signature, values }: { signature?: string; values?: readonly Value[] },
  ): Promise<Value[]> {
    const [of, member] = method.split(".") as [string, string];
    return await this.#bus.call({
      destination: SERVICE,
      path,
      interface: `${SECRET}.${of}`,
      member,
      signature: signature ?? "",
      values: values ?? [],
    });
  }
}

function text(value: string): Variant {
  return { signature: "s", value };
}

function paths(value: Value | undefined): ObjectPath[] {
  return [...(value as readonly ObjectPath[])];
}

function objectOrNone(value: Value | undefined): ObjectPath | undefined {
  return value === NONE ? undefined : value as ObjectPath;
}

function prompted([object, prompt]: readonly Value[]): Prompted {
  return { object: object as ObjectPath, prompt: objectOrNone(prompt) };
}
