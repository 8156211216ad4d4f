/** What the agent starts in a server's place passes bytes as they are: the Perl script, and this program itself. */

import assert from "node:assert/strict";
import { aenvBinary } from "../support/aenv.ts";
import { TempDir } from "../support/temp.ts";
import { RELAY_SCRIPT } from "../../src/secrets/relay_script.ts";

/** Listens as the broker does: the first connection of a client is for the answers, the second one for what it sends. */
class Listener implements Disposable {
  readonly path: string;
  readonly #listener: Deno.UnixListener;

  constructor(directory: string) {
    this.path = `${directory}/socket`;
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
  }

  async accept(): Promise<{ answers: Deno.UnixConn; input: Deno.UnixConn }> {
    const answers = await this.#listener.accept();
    return { answers, input: await this.#listener.accept() };
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

const RELAYS = {
  perl: (directory: string, socket: string) => {
    Deno.writeTextFileSync(`${directory}/relay.pl`, RELAY_SCRIPT);
    return ["/usr/bin/perl", `${directory}/relay.pl`, socket];
  },
  "this program": (_: string, socket: string) => [
    aenvBinary(),
    "__relay",
    socket,
  ],
} as const;

function start(words: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(words[0]!, {
    args: words.slice(1),
    clearEnv: true,
    // Nothing of these may change what the relay does.
    env: { PERL_UNICODE: "SDA", PERLIO: ":crlf", HOME: "/nonexistent" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)));
  }
  return bytes;
}

async function send(
  stream: WritableStream<Uint8Array>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(bytes);
  await writer.close();
}

for (const [name, wordsOf] of Object.entries(RELAYS)) {
  Deno.test(`${name} relays 5 MB both ways at once, each to its end`, async () => {
    using temp = new TempDir();
    using listener = new Listener(temp.path);
    await using relay = start(wordsOf(temp.path, listener.path));
    const { answers, input } = await listener.accept();
    const [up, down] = [noise(5_000_000), noise(5_000_000)];
    const printed = new Response(relay.stdout).bytes();
    const answering = answers.writable.getWriter();
    const answered = answering.write(down);
    const [received] = await Promise.all([
      new Response(input.readable).bytes(),
      send(relay.stdin, up),
      answered,
    ]);
    // A server ends after its input: with its answers the relay ends too.
    await answering.close();
    assert.deepEqual(received, up);
    assert.deepEqual(await printed, down);
    assert.equal((await relay.status).code, 0);
    assert.equal(await new Response(relay.stderr).text(), "");
  });

  Deno.test(`${name}: the end of the input comes through, and answers still come after it`, async () => {
    using temp = new TempDir();
    using listener = new Listener(temp.path);
    await using relay = start(wordsOf(temp.path, listener.path));
    const { answers, input } = await listener.accept();
    await send(relay.stdin, new TextEncoder().encode("question"));
    assert.equal(await new Response(input.readable).text(), "question");
    await send(answers.writable, new TextEncoder().encode("late answer"));
    assert.equal(await new Response(relay.stdout).text(), "late answer");
    assert.equal((await relay.status).code, 0);
    await relay.stderr.cancel();
  });

  Deno.test(`${name} ends when the server does, although its own input goes on`, async () => {
    using temp = new TempDir();
    using listener = new Listener(temp.path);
    await using relay = start(wordsOf(temp.path, listener.path));
    const { answers, input } = await listener.accept();
    answers.close();
    input.close();
    assert.equal((await relay.status).code, 0);
    await Promise.all([
      relay.stdin.close().catch(() => {}),
      relay.stdout.cancel(),
      relay.stderr.cancel(),
    ]);
  });

  Deno.test(`${name} says that the launch is over when nobody listens`, async () => {
    using temp = new TempDir();
    await using relay = start(wordsOf(temp.path, `${temp.path}/gone`));
    assert.equal((await relay.status).code, 1);
    assert.match(
      await new Response(relay.stderr).text(),
      /the launch that it belongs to has ended/,
    );
    await Promise.all([
      relay.stdin.close().catch(() => {}),
      relay.stdout.cancel(),
    ]);
  });
}
