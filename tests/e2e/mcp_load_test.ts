/** A real MCP server behind a relay: large messages, many calls at once, many clients. */

import assert from "node:assert/strict";
import "../support/open_libc.ts";
import { TempDir } from "../support/temp.ts";
import { waitFor } from "../support/process.ts";
import type { AbsPath } from "../../src/base/paths.ts";
import { Children } from "../../src/os/children.ts";
import { Broker } from "../../src/secrets/broker.ts";
import { RELAY_SCRIPT } from "../../src/secrets/relay_script.ts";
import { everythingServer, isRunning } from "./mcp_world.ts";

const PATH = Deno.env.get("PATH") ?? "/usr/bin:/bin";

/** A broker of the real server. Use with `await using`. */
class Desk implements AsyncDisposable {
  readonly #temp = new TempDir();
  readonly #children = new Children();
  readonly #broker: Broker;
  /** Processes of servers, in the order of their starts. */
  readonly started: number[] = [];

  constructor() {
    const { path } = this.#temp;
    const { args } = everythingServer();
    Deno.writeTextFileSync(`${path}/relay.pl`, RELAY_SCRIPT);
    this.#broker = new Broker({
      servers: [{
        name: "all",
        socket: `${path}/s` as AbsPath,
        log: `${path}/log` as AbsPath,
        program: () => ({
          path: "/usr/bin/env",
          args: ["node", ...args],
          env: { PATH, TOKEN: "x" },
        }),
      }],
      children: this.#children,
      start: (options) => {
        const child = this.#children.start(options);
        this.started.push(child.pid);
        return child;
      },
      mayAsk: () => true,
    });
  }

  connect(): Client {
    const { path } = this.#temp;
    return new Client(["/usr/bin/perl", `${path}/relay.pl`, `${path}/s`]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.stop();
    this.#children[Symbol.dispose]();
    this.#temp[Symbol.dispose]();
  }
}

/** Speaks the protocol over a program's standard input and output. Use with `await using`. */
class Client implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  readonly #read: Promise<void>;
  #last = 0;

  constructor(words: readonly string[]) {
    this.#process = new Deno.Command(words[0]!, {
      args: words.slice(1),
      clearEnv: true,
      env: { PATH },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#read = this.#readAll();
  }

  /** Shakes hands. */
  async open(): Promise<void> {
    await this.request("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    });
    await this.#send({ method: "notifications/initialized" });
  }

  async request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    await this.#send({ id, method, params });
    return await promise;
  }

  async echo(message: string): Promise<string> {
    const params = { name: "echo", arguments: { message } };
    const result = await this.request("tools/call", params);
    const { content } = result as { content: [{ text: string }] };
    return content[0].text;
  }

  async #send(message: Record<string, unknown>): Promise<void> {
    const line = JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n";
    await this.#writer.write(new TextEncoder().encode(line));
  }

  async #readAll(): Promise<void> {
    const decoder = new TextDecoder();
    let pieces: string[] = [];
    for await (const bytes of this.#process.stdout) {
      const [first, ...rest] = decoder.decode(bytes, { stream: true })
        .split("\n");
      pieces.push(first!);
      for (const piece of rest) {
        this.#take(pieces.join(""));
        pieces = [piece];
      }
    }
  }

  #take(line: string): void {
    const { id, result } = JSON.parse(line);
    this.#waiting.get(id)?.(result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#read;
    await this.#process.status;
  }
}

/** Text that no two calls share. */
function textOf(size: number, seed: number): string {
  return `${seed}:ä"\\`.padEnd(size, `${seed} lorem ipsum `);
}

Deno.test("a real server behind a relay echoes 1 MB and 5 MB, and 100 calls of 20 kB at once", async () => {
  await using desk = new Desk();
  await using client = desk.connect();
  await client.open();
  for (const size of [1_000_000, 5_000_000]) {
    const text = textOf(size, size);
    assert.ok(await client.echo(text) === `Echo: ${text}`);
  }
  const texts = Array.from({ length: 100 }, (_, i) => textOf(20_000, i));
  const answers = await Promise.all(texts.map((text) => client.echo(text)));
  assert.ok(answers.every((answer, i) => answer === `Echo: ${texts[i]}`));
});

Deno.test("ten clients at once have ten servers, each ends with its client", async () => {
  await using desk = new Desk();
  const clients = Array.from({ length: 10 }, () => desk.connect());
  await Promise.all(clients.map((client) => client.open()));
  assert.equal(desk.started.length, 10);
  const answers = await Promise.all(
    clients.map((client, i) => client.echo(`${i}`)),
  );
  assert.deepEqual(answers, clients.map((_, i) => `Echo: ${i}`));
  for (const client of clients) await client[Symbol.asyncDispose]();
  await waitFor(
    "the end of the servers",
    () => !desk.started.some(isRunning) || undefined,
  );
});
