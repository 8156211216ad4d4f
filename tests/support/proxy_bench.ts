/**
 * The two servers of the proxy's measurements, each in a process of its own: `origin CERT KEY` prints its ports and answers `GET /N`
 * with N bytes; `proxy PORT…` prints the variables of a proxy that lets these ports of this machine be reached. Both end with their stdin.
 */

import { startProxy } from "../../src/sandbox/network/proxy.ts";
import { parseRules } from "../../src/sandbox/network/rules.ts";

const BLOCK = new Uint8Array(256 * 1024);

async function answer(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      const head = new TextDecoder().decode(buffer.subarray(0, count));
      const length = Number(/^GET \/([0-9]+) /.exec(head)?.[1] ?? 0);
      const line = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
      let left = length;
      const first = new TextEncoder().encode(line + "x".repeat(left % 1000));
      await connection.write(first);
      left -= left % 1000;
      while (left > 0) {
        left -= await connection.write(BLOCK.subarray(0, left));
      }
    }
  } catch (error) {
    // The client has what it wants.
    if (!(error instanceof Error)) throw error;
  }
}

async function serve(listener: Deno.Listener): Promise<void> {
  for await (const connection of listener) void answer(connection);
}

function startOrigin([certFile = "", keyFile = ""]: readonly string[]): object {
  const here = { hostname: "127.0.0.1", port: 0 };
  const plain = Deno.listen(here);
  const cert = Deno.readTextFileSync(certFile);
  const encrypted = Deno.listenTls({
    ...here,
    cert,
    key: Deno.readTextFileSync(keyFile),
  });
  void serve(plain);
  void serve(encrypted);
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
