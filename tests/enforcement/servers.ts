/** Servers outside the sandbox that say who they are to everybody who connects. */

const WORDS = new TextEncoder();

/** Servers that end together. Use with `using`. */
export class Servers implements Disposable {
  readonly #listeners: { close(): void }[] = [];

  /** Listens and answers with a line; returns the port. */
  tcp(hostname: string, line: string, port = 0): number {
    const listener = Deno.listen({ hostname, port });
    this.#listeners.push(listener);
    void answerAll(listener, line);
    return listener.addr.port;
  }

  /** The same at a path. */
  unix(path: string, line: string): string {
    const listener = Deno.listen({ transport: "unix", path });
    this.#listeners.push(listener);
    Deno.chmodSync(path, 0o777);
    void answerAll(listener, line);
    return path;
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener.close();
  }
}

async function answerAll(
  listener: AsyncIterable<Deno.Conn>,
  line: string,
): Promise<void> {
  for await (const connection of listener) void answer(connection, line);
}

async function answer(connection: Deno.Conn, line: string): Promise<void> {
  try {
    await connection.write(WORDS.encode(`${line}\n`));
    connection.close();
  } catch (error) {
    // The other side may be gone already.
    if (!(error instanceof Error)) throw error;
  }
}
