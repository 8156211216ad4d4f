/**
 * The two servers of the proxy's measurements, each in a process of its own: `origin CERT KEY DIR` prints its ports and answers `GET /N`
 * with N bytes, or else with a file of DIR; `proxy PORT…` prints the variables of a proxy that lets these ports of this machine be reached. Both end with their stdin.
 */

import { join } from "node:path";
import { startProxy } from "../../src/sandbox/network/proxy.ts";
import { parseRules } from "../../src/sandbox/network/rules.ts";

const BLOCK = new Uint8Array(256 * 1024);

/** Writes all of some bytes. */
async function send(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await connection.write(bytes.subarray(done));
  }
}

async function sendHead(
  connection: Deno.Conn,
  status: string,
  { length, rest = "" }: { readonly length: number; readonly rest?: string },
): Promise<void> {
  const head = `HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n\r\n`;
  await send(connection, new TextEncoder().encode(head + rest));
}

async function sendBytes(connection: Deno.Conn, length: number): Promise<void> {
  const first = length % 1000;
  await sendHead(connection, "200 OK", { length, rest: "x".repeat(first) });
  for (let left = length - first; left > 0;) {
    left -= await connection.write(BLOCK.subarray(0, left));
  }
}

async function sendFile(connection: Deno.Conn, path: string): Promise<void> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    await sendHead(connection, "200 OK", { length: size });
    const buffer = new Uint8Array(BLOCK.length);
    for (let count; (count = await file.read(buffer)) !== null;) {
      await send(connection, buffer.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await sendHead(connection, "404 Not Found", { length: 0 });
  }
}

async function answer(connection: Deno.Conn, shown: string): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      const head = new TextDecoder().decode(buffer.subarray(0, count));
      const [, path = ""] = /^GET \/([^ ?]*)/.exec(head) ?? [];
      if (/^[0-9]+$/.test(path)) await sendBytes(connection, Number(path));
      else await sendFile(connection, join(shown, path));
    }
  } catch (error) {
    // The client has what it wants.
    if (!(error instanceof Error)) throw error;
  }
}

async function serve(listener: Deno.Listener, shown: string): Promise<void> {
  for await (const connection of listener) void answer(connection, shown);
}

function startOrigin(
  [certFile = "", keyFile = "", shown = ""]: readonly string[],
): object {
  const here = { hostname: "127.0.0.1", port: 0 };
  const plain = Deno.listen(here);
  const cert = Deno.readTextFileSync(certFile);
  const encrypted = Deno.listenTls({
    ...here,
    cert,
    key: Deno.readTextFileSync(keyFile),
  });
  void serve(plain, shown);
  void serve(encrypted, shown);
  return { http: plain.addr.port, https: encrypted.addr.port };
}

function startOne(ports: readonly string[]): object {
  const allow = ports.map((port) => `localhost:${port}`);
  const hosts = { agent: "none", agentUrls: [], packages: {} } as const;
  const proxy = startProxy(parseRules(allow, hosts), {
    manifest: "aenv.toml",
    audit: () => {},
    onBug: (error) => {
      throw error;
    },
  });
  return { port: proxy.port, env: proxy.environment() };
}

const [role, ...args] = Deno.args;
const said = role === "origin" ? startOrigin(args) : startOne(args);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(said) + "\n"));
await Deno.stdin.readable.pipeTo(new WritableStream());
Deno.exit(0);
