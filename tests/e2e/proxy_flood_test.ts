/** What a confined program may do to the proxy: hold as many connections as it can get. */

import assert from "node:assert/strict";
import { waitFor } from "../support/process.ts";

/** Tunnels that a proxy takes at once. */
const TUNNELS = 512;
/** Those of them that are written to from both ends. */
const FLOODED = 150;
/** Connections besides all of them. */
const MORE = 2_500;
/** Megabytes that all of it may cost. A large buffer for each direction would be 300. */
const MAX_GROWTH_MB = 160;
const PIECE = new Uint8Array(1024 * 1024);

/** A proxy in a process of its own that lets a port of this machine be reached. Use with `await using`. */
class Proxy implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #authorization: string;
  #ended: Promise<void> | undefined;

  private constructor(
    child: Deno.ChildProcess,
    said: { port: number; env: Record<string, string> },
  ) {
    this.#child = child;
    this.port = said.port;
    this.#authorization = said.env["AENV_PROXY_AUTHORIZATION"]!;
  }

  static async start(target: number): Promise<Proxy> {
    const script = new URL("../support/proxy_bench.ts", import.meta.url);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", script.pathname, "proxy", `${target}`],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new Proxy(child, JSON.parse(new TextDecoder().decode(value)));
  }

  /** Memory that it uses, in megabytes. */
  async memory(): Promise<number> {
    const args = ["-o", "rss=", "-p", `${this.#child.pid}`];
    const { stdout } = await new Deno.Command("ps", { args }).output();
    return Number(new TextDecoder().decode(stdout)) / 1024;
  }

  async connect(): Promise<Deno.Conn> {
    return await Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  /** Whether the proxy makes a tunnel to `target` of a connection; it is closed when not. */
  async asks(connection: Deno.Conn, target: number): Promise<boolean> {
    const head = `CONNECT localhost:${target} HTTP/1.1\r\n` +
      `Proxy-Authorization: ${this.#authorization}\r\n\r\n`;
    const first = new Uint8Array(12);
    try {
      await connection.write(new TextEncoder().encode(head));
      await connection.read(first);
    } catch (error) {
      if (!isReset(error)) throw error;
    }
    const isOpen = new TextDecoder().decode(first) === "HTTP/1.1 200";
    if (!isOpen) connection.close();
    return isOpen;
  }

  /** Ends it. May be called more than once. */
  end(): Promise<void> {
    this.#ended ??= this.#child.stdin.close().then(async () => {
      await this.#child.status;
    });
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Writes for ever, and counts bytes that were taken. */
async function flood(
  connection: Deno.Conn,
  taken: { bytes: number },
): Promise<void> {
  try {
    while (true) taken.bytes += await connection.write(PIECE);
  } catch (error) {
    // The end of the test.
    if (!(error instanceof Error)) throw error;
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}

/** Whether the proxy has closed a connection. */
async function isTurnedAway(connection: Deno.Conn): Promise<boolean> {
  try {
    return await connection.read(new Uint8Array(1)) === null;
  } catch (error) {
    if (!isReset(error)) throw error;
    return true;
  } finally {
    connection.close();
  }
}

Deno.test("a proxy's memory stays bounded with thousands of connections, and tunnels that nobody reads from", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const taken = { bytes: 0 };
  const open: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      open.push(connection);
    }
  })();
  await using proxy = await Proxy.start(port);
  const before = await proxy.memory();
  for (let count = 0; count < TUNNELS; count++) {
    const tunnel = await proxy.connect();
    assert.ok(await proxy.asks(tunnel, port));
    open.push(tunnel);
  }
  // Both ends of each.
  const flooded = open.slice(0, 2 * FLOODED);
  const floods = flooded.map((connection) => flood(connection, taken));
  // Until all that lies between has been filled.
  let last = -1;
  await waitFor("the end of the flood", async () => {
    last = taken.bytes;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return taken.bytes === last || undefined;
  }, 60_000);
  const tunnels = await proxy.memory() - before;
  for (let count = 0; count < MORE; count++) {
    assert.ok(await isTurnedAway(await proxy.connect()));
  }
  const growth = await proxy.memory() - before;
  assert.ok(growth < MAX_GROWTH_MB, `${tunnels} MB, then ${growth} MB`);
  for (const connection of open.splice(0)) connection.close();
  const next = await waitFor("a tunnel for the next one", async () => {
    const connection = await proxy.connect();
    return await proxy.asks(connection, port) ? connection : undefined;
  });
  for (const connection of [next, ...open]) connection.close();
  listener.close();
  await serving;
  // Deno 2.7 ends a write that waits only when the other end does.
  await proxy.end();
  await Promise.all(floods);
});
