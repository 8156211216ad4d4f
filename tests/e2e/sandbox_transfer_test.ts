/** A confined program that loads much, sends much, and stops in the middle. */

import assert from "node:assert/strict";
import { claimAs } from "../enforcement/world.ts";
import { run } from "../support/process.ts";
import {
  Receiver,
  sendStream,
  streamHash,
  writeAll,
} from "../support/transfer.ts";
import { WorkWorld } from "./sandbox_work_world.ts";

const LENGTH = 60_000_123;

/** Loaded through http and a tunnel, broken off, loaded again, sent both ways. The last lines say that the session lives. */
const SCRIPT = `
set -o pipefail
url="http://localhost:$1/"
load() { curl -sS "$@" "$url" | sha256sum | cut -d " " -f 1; }
load
load -p
for way in "" -p; do curl -sS $way "$url" | head -c 3000000 > /dev/null; done
load -p
curl -sS "$url" > loaded
send() { curl -sS --data-binary @loaded -H "Expect:" "$@" "$url"; echo; }
send
send -p
echo alive
`;

/** Answers each GET with the stream, and each POST with what has come. */
async function serve(connection: Deno.Conn): Promise<void> {
  const receiver = new Receiver(connection);
  try {
    while (true) {
      const head = await receiver.head();
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined) {
        await sendHead(connection, LENGTH);
        await sendStream(connection, LENGTH);
        continue;
      }
      const { hash } = await receiver.hash(Number(length));
      await sendHead(connection, hash.length);
      await writeAll(connection, new TextEncoder().encode(hash));
    }
  } catch (error) {
    // The client has what it wants.
    if (!(error instanceof Error)) throw error;
  } finally {
    connection.close();
  }
}

async function sendHead(connection: Deno.Conn, length: number): Promise<void> {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  await writeAll(connection, new TextEncoder().encode(head));
}

claimAs(
  "a confined program loads and sends much through the proxy, and may stop in the middle",
  async (user) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const serving = (async () => {
      for await (const connection of listener) void serve(connection);
    })();
    const hosts = `network = { mode = "hosts", allow = ["localhost:${port}"] }`;
    using world = await WorkWorld.open(user, hosts);
    // A port of this machine that is granted is reached without the proxy else.
    const script = `export NO_PROXY= no_proxy=\n${SCRIPT}`;
    const words = ["bash", "-c", script, "bash", `${port}`];
    const done = await run(...world.command(...words), {
      env: world.env,
      cwd: world.project,
      timeoutMs: 120_000,
    });
    const hash = streamHash(LENGTH);
    const expected = [...Array.from({ length: 5 }, () => hash), "alive", ""];
    assert.equal(done.stdout, expected.join("\n"), done.stderr);
    listener.close();
    await serving;
  },
);
