/** One conversation with a bus: calls that may overlap, and signals that are waited for. */
import { concatBytes } from "../../base/concat.ts";
import { AppError } from "../../base/errors.ts";
import { Deadline } from "../../os/deadline.ts";
import { connectUnix, type UnixClient } from "../../os/unix_client.ts";
import {
  decodeMessage,
  encodeCall,
  type Message,
  messageLength,
  type MethodCall,
} from "./message.ts";
import { type Value, WireError } from "./wire.ts";

/** A call that the other side answered with an error. */
export class CallError extends Error {
  override readonly name = "CallError";
  /** Such as `org.freedesktop.DBus.Error.ServiceUnknown`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.errorName = errorName;
  }
}

/** The bus went away, did not answer in time, or said something that is no D-Bus. */
export class BusError extends Error {
  override readonly name = "BusError";
}

interface Waiting {
  readonly isIt: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_HANDSHAKE = 4096;

/** A connection to a message bus, for one conversation that ends in time. Use with `using`. */
export class Bus implements Disposable {
  readonly #client: UnixClient;
  readonly #waiting = new Set<Waiting>();
  readonly #deadline: Deadline;
  #received = new Uint8Array(0);
  #outgoing: Uint8Array[] = [];
  #serial = 0;
  #end: BusError | undefined;

  private constructor(client: UnixClient, timeoutMs: number) {
    this.#client = client;
    const late = () => {
      this.#fail(new BusError("it did not answer in time"));
      client[Symbol.dispose]();
    };
    this.#deadline = new Deadline(timeoutMs, late);
  }

  /**
   * Connects to the first socket that answers and says who we are. `timeoutMs` is for the whole conversation, see
   * {@link extend}. Throws {@link BusError}.
   */
  static async open(
    sockets: readonly string[],
    { uid, timeoutMs }: { readonly uid: number; readonly timeoutMs: number },
  ): Promise<Bus> {
    let failure = new BusError("there is no socket to connect to");
    for (const path of sockets) {
      let bus: Bus | undefined;
      try {
        bus = new Bus(await connectUnix(path), timeoutMs);
        await bus.#authenticate(uid);
        void bus.#readAll();
        return bus;
      } catch (error) {
        failure = busError(error);
        bus?.[Symbol.dispose]();
      }
    }
    throw failure;
  }

  /** From now on there is this much time. */
  extend(timeoutMs: number): void {
    this.#deadline.move(timeoutMs);
  }

  /** EXTERNAL: the kernel tells the bus our user id, and we have to name the same. */
  async #authenticate(uid: number): Promise<void> {
    const hex = [...String(uid)].map((digit) =>
      digit.charCodeAt(0).toString(16)
    ).join("");
    await this.#client.write(encode(`\0AUTH EXTERNAL ${hex}\r\n`));
    let line = "";
    while (!line.endsWith("\r\n")) {
      const bytes = await this.#client.read();
      line += new TextDecoder().decode(bytes);
      if (bytes === undefined || line.length > MAX_HANDSHAKE) {
        throw this.#end ?? new BusError("it did not let us in");
      }
    }
    if (!line.startsWith("OK ")) throw new BusError("it did not let us in");
    await this.#client.write(encode("BEGIN\r\n"));
  }

  /** Calls a method and returns its results. Throws {@link CallError}, {@link BusError}. */
  async call(call: MethodCall): Promise<Value[]> {
    const serial = ++this.#serial;
    const answer = this.#waitFor((message) => message.replyTo === serial);
    this.#send(encodeCall(call, serial));
    const message = await answer;
    return readAnswer(() => {
      const values = message.values();
      if (message.kind !== "error") return values;
      const [text] = values;
      throw new CallError(
        message.errorName ?? "",
        typeof text === "string" ? text : "",
      );
    });
  }

  /** The values of the first signal of this name from this object from now on. Throws {@link BusError}. */
  async signal(
    { path, member }: { readonly path: string; readonly member: string },
  ): Promise<Value[]> {
    const message = await this.#waitFor((message) =>
      message.kind === "signal" && message.path === path &&
      message.member === member
    );
    return readAnswer(() => message.values());
  }

  [Symbol.dispose](): void {
    this.#fail(new BusError("the connection was closed"));
    this.#deadline[Symbol.dispose]();
    this.#client[Symbol.dispose]();
  }

  /** Calls that are made together go out together. */
  #send(bytes: Uint8Array): void {
    this.#outgoing.push(bytes);
    if (this.#outgoing.length === 1) queueMicrotask(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const bytes = concatBytes(this.#outgoing);
    this.#outgoing = [];
    try {
      await this.#client.write(bytes);
    } catch (error) {
      this.#fail(busError(error));
    }
  }

  #waitFor(isIt: Waiting["isIt"]): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    // It may be rejected before somebody waits.
    promise.catch(() => undefined);
    if (this.#end) reject(this.#end);
    else this.#waiting.add({ isIt, resolve, reject });
    return promise;
  }

  /** Hands out what comes until the connection ends. */
  async #readAll(): Promise<void> {
    try {
      while (this.#end === undefined) {
        const bytes = await this.#client.read();
        if (bytes === undefined) throw new BusError("it went away");
        this.#received = concatBytes([this.#received, bytes]);
        readAnswer(() => this.#handOut());
      }
    } catch (error) {
      this.#fail(busError(error));
    }
  }

  #handOut(): void {
    while (true) {
      const length = messageLength(this.#received);
      if (length === undefined || this.#received.length < length) return;
      const message = decodeMessage(this.#received.slice(0, length));
      this.#received = this.#received.slice(length);
      for (const waiting of this.#waiting) {
        if (!waiting.isIt(message)) continue;
        this.#waiting.delete(waiting);
        waiting.resolve(message);
      }
    }
  }

  #fail(error: BusError): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting) reject(this.#end);
    this.#waiting.clear();
  }
}

/** What the system or the other side did, as one kind of error; our own bugs are thrown. */
function busError(error: unknown): BusError {
  if (error instanceof BusError) return error;
  if (!(error instanceof AppError)) throw error;
  return new BusError(error.message, { cause: error });
}

function readAnswer<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new BusError(`its answer cannot be read: ${error.message}`);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
