/** A connection to a Unix socket, byte by byte. */
import { ioError } from "./io_error.ts";

/** A connection. */
export interface UnixClient extends Disposable {
  /** Writes all of it. Throws `IO`. */
  write(bytes: Uint8Array): Promise<void>;
  /** What has come, at least one byte; undefined when the other side has ended it, or we have. */
  read(): Promise<Uint8Array | undefined>;
}

const BLOCK_BYTES = 64 * 1024;

/** Connects. A path that starts with a NUL is an abstract name (Linux). Throws `IO`. */
export async function connectUnix(path: string): Promise<UnixClient> {
  try {
    return new Client(await Deno.connect({ transport: "unix", path }), path);
  } catch (error) {
    throw ioError("connect to", path, error);
  }
}

class Client implements UnixClient {
  readonly #connection: Deno.UnixConn;
  readonly #path: string;
  #isClosed = false;

  constructor(connection: Deno.UnixConn, path: string) {
    this.#connection = connection;
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) {
        done += await this.#connection.write(bytes.subarray(done));
      }
    } catch (error) {
      throw ioError("write to", this.#path, error);
    }
  }

  async read(): Promise<Uint8Array | undefined> {
    const block = new Uint8Array(BLOCK_BYTES);
    try {
      const count = await this.#connection.read(block);
      return count === null ? undefined : block.subarray(0, count);
    } catch (error) {
      if (this.#isClosed) return undefined;
      throw ioError("read from", this.#path, error);
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}
