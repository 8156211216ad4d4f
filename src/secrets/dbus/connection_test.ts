import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { TempDir } from "../../../tests/support/temp.ts";
import { Bus, BusError, CallError } from "./connection.ts";
import { decodeMessage, messageLength } from "./message.ts";
import { WireWriter } from "./wire.ts";

const CALL = {
  destination: "org.example",
  path: "/",
  interface: "org.example.I",
  member: "Do",
};

/** A bus that lets everybody in and answers the first call with what `answer` makes of its serial; nothing where that is empty. */
class OneAnswer implements AsyncDisposable {
  readonly #temp = new TempDir();
  readonly path = `${this.#temp.path}/bus`;
  readonly #listener: Deno.UnixListener;
  readonly #served: Promise<void>;
  #connection: Deno.UnixConn | undefined;

  constructor(answer: (serial: number) => Uint8Array) {
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#served = this.#serve(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served;
    this.#connection?.close();
    this.#listener.close();
    this.#temp[Symbol.dispose]();
  }

  async #serve(answer: (serial: number) => Uint8Array): Promise<void> {
    const connection = this.#connection = await this.#listener.accept();
    const block = new Uint8Array(4096);
    await connection.read(block);
    await connection.write(new TextEncoder().encode("OK 0123\r\n"));
    let text = "";
    while (!text.includes("BEGIN\r\n") || text.endsWith("BEGIN\r\n")) {
      const count = await connection.read(block);
      if (count === null) return;
      text += new TextDecoder("latin1").decode(block.subarray(0, count));
    }
    const call = Uint8Array.from(
      text.slice(text.indexOf("BEGIN\r\n") + 7),
      (character) => character.charCodeAt(0),
    );
    strictEqual(messageLength(call), call.length);
    strictEqual(decodeMessage(call).member, "Do");
    const serial = new DataView(call.buffer).getUint32(8, true);
    await connection.write(answer(serial));
  }
}

/** A reply with one text, or an error of that text. */
function reply(serial: number, text: string, errorName?: string): Uint8Array {
  const body = new WireWriter().add("s", [text]).bytes();
  const fields = [
    [5, { signature: "u", value: serial }],
    [8, { signature: "g", value: "s" }],
    ...(errorName ? [[4, { signature: "s", value: errorName }]] : []),
  ];
  const kind = errorName ? 3 : 2;
  return new WireWriter()
    .add("yyyyuua(yv)", [108, kind, 0, 1, body.length, 1, fields] as never)
    .align(8).append(body).bytes();
}

async function ask(
  answer: (serial: number) => Uint8Array,
  timeoutMs = 5000,
): Promise<unknown> {
  await using server = new OneAnswer(answer);
  using bus = await Bus.open([server.path], { uid: 0, timeoutMs });
  return await bus.call(CALL);
}

Deno.test("Bus gives the results of a call, and its errors by name", async () => {
  deepStrictEqual(await ask((serial) => reply(serial, "done")), ["done"]);
  await rejects(
    ask((serial) => reply(serial, "it said no", "org.example.No")),
    (error) => {
      ok(error instanceof CallError);
      strictEqual(error.errorName, "org.example.No");
      strictEqual(error.message, "it said no");
      return true;
    },
  );
});

Deno.test("Bus does not wait for ever", async () => {
  await rejects(ask(() => new Uint8Array(0), 200), {
    name: "BusError",
    message: "it did not answer in time",
  });
});

Deno.test("Bus ends at an answer that is none", async () => {
  const answers:
    readonly (readonly [string, (serial: number) => Uint8Array])[] = [
      ["noise", () => new TextEncoder().encode("HTTP/1.1 400 Bad\r\n\r\n")],
      ["of another byte order", (s) => {
        const bytes = reply(s, "x");
        bytes[0] = "B".charCodeAt(0);
        return bytes;
      }],
      ["endless", (s) => {
        const bytes = reply(s, "x");
        new DataView(bytes.buffer).setUint32(4, 0xffffffff, true);
        return bytes;
      }],
    ];
  for (const [name, answer] of answers) {
    await rejects(ask(answer), (error) => {
      ok(error instanceof BusError, name);
      ok(/cannot be read/.test(error.message), error.message);
      return true;
    });
  }
});

Deno.test("Bus tries the next socket, and says why none will do", async () => {
  await using server = new OneAnswer((serial) => reply(serial, "done"));
  const sockets = ["/nowhere/bus", server.path];
  using bus = await Bus.open(sockets, { uid: 0, timeoutMs: 5000 });
  deepStrictEqual(await bus.call(CALL), ["done"]);
  await rejects(Bus.open(["/nowhere/bus"], { uid: 0, timeoutMs: 100 }), {
    name: "BusError",
    message: /Cannot connect to "\/nowhere\/bus": it does not exist/,
  });
});
