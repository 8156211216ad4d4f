import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Children } from "../os/children.ts";
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import "../../tests/support/open_libc.ts";
import { waitFor } from "../../tests/support/process.ts";
import { Broker, MAX_SESSIONS } from "./broker.ts";
import type { BrokerOptions } from "./broker_types.ts";
import { RELAY_SCRIPT } from "./relay_script.ts";
import { isDescendant } from "./descent.ts";

/** A broker of one server, which is a shell script, and its clients. Use with `await using`. */
class Desk implements AsyncDisposable {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync());
  readonly #children = new Children();
  readonly #broker: Broker;

  constructor(script: string, more: Partial<BrokerOptions> = {}) {
    Deno.writeTextFileSync(`${this.dir}/relay.pl`, RELAY_SCRIPT);
    const root = { root: Deno.pid, uid: Deno.uid() ?? undefined };
    this.#broker = new Broker({
      servers: [{
        name: "s",
        socket: `${this.dir}/s` as AbsPath,
        log: `${this.dir}/log` as AbsPath,
        program: () => ({
          path: "/bin/sh",
          args: ["-c", script],
          env: { PATH: "/usr/bin:/bin", DIR: this.dir, TOKEN: "hidden-value" },
        }),
      }],
      children: this.#children,
      start: (options) => this.#children.start(options),
      mayAsk: (peer, servers) => isDescendant(peer, root, servers),
      ...more,
    });
  }

  /** Starts a relay to the server. */
  connect(): Relay {
    return new Relay(this.dir);
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.dir}/${name}`);
  }

  exists(name: string): boolean {
    return [...Deno.readDirSync(this.dir)].some((entry) => entry.name === name);
  }

  stop(): Promise<void> {
    return this.#broker.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#children[Symbol.dispose]();
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** A relay process as the agent starts it. */
class Relay {
  readonly process: Deno.ChildProcess;
  readonly output: Promise<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(dir: string) {
    this.process = new Deno.Command("/usr/bin/perl", {
      args: [`${dir}/relay.pl`, `${dir}/s`],
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.output = new Response(this.process.stdout).bytes();
    this.#writer = this.process.stdin.getWriter();
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data;
    await this.#writer.write(bytes);
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }

  /** What came until its end. */
  async text(): Promise<string> {
    const bytes = await this.output;
    await this.process.status;
    // It may have been closed, or have broken when the process ended.
    await this.#writer.close().catch(() => {});
    return new TextDecoder().decode(bytes);
  }
}

function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)));
  }
  return bytes;
}

/** Whether a process still runs: one that nobody has asked for its end does not. */
function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) [ZX] /.test(stat);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // It ended between opening and reading.
    if (String(error).includes("os error 3")) return false;
    throw error;
  }
}

function endOf(pid: number): Promise<true> {
  return waitFor(`the end of ${pid}`, () => isRunning(pid) ? undefined : true);
}

Deno.test("Broker starts a server per client, and only when there is one", async () => {
  await using desk = new Desk('echo $$ >> "$DIR/starts"; exec cat');
  strictEqual(desk.exists("starts"), false);
  const relays = [desk.connect(), desk.connect()];
  for (const [i, relay] of relays.entries()) {
    await relay.send(`hello ${i}`);
    await relay.close();
  }
  deepStrictEqual(
    await Promise.all(relays.map((relay) => relay.text())),
    ["hello 0", "hello 1"],
  );
  strictEqual(desk.read("starts").trim().split("\n").length, 2);
});

Deno.test("Broker and relay pass bytes as they are, 5 MB both ways at once", async () => {
  await using desk = new Desk("exec cat");
  const data = noise(5_000_000);
  const relay = desk.connect();
  await relay.send(data);
  await relay.close();
  deepStrictEqual(await relay.output, data);
  await relay.process.status;
});

Deno.test("a server that answers after its input has ended is heard", async () => {
  await using desk = new Desk("cat > /dev/null; sleep 0.3; echo late");
  const relay = desk.connect();
  await relay.send("x");
  await relay.close();
  strictEqual(await relay.text(), "late\n");
});

Deno.test("neither side can make the other one wait", async () => {
  // It writes more than any buffer holds before it reads.
  await using desk = new Desk(
    "head -c 3000000 /dev/zero; exec wc -c",
  );
  const relay = desk.connect();
  await relay.send(noise(3_000_000));
  await relay.close();
  const text = await relay.text();
  strictEqual(text.slice(3_000_000).trim(), "3000000");
});

Deno.test("when the server ends, the relay does, and what the server left running", async () => {
  await using desk = new Desk(
    '(trap "" TERM; sleep 60) & echo $! > "$DIR/left"; echo done; exit 3',
  );
  const relay = desk.connect();
  strictEqual(await relay.text(), "done\n");
  strictEqual((await relay.process.status).code, 0);
  await endOf(Number(desk.read("left")));
});

Deno.test("a server that ignores the end of its input and SIGTERM is killed with all it started", async () => {
  await using desk = new Desk(
    'trap "" TERM; sleep 60 & echo $$ $! > "$DIR/pids"; while :; do sleep 1; done',
  );
  const relay = desk.connect();
  const pids = await waitFor(
    "the server",
    () =>
      desk.exists("pids") ? desk.read("pids").trim() || undefined : undefined,
  );
  relay.process.kill("SIGKILL");
  await relay.text();
  for (const pid of pids.split(" ")) await endOf(Number(pid));
});

Deno.test("stop() ends servers and relays and removes the socket", async () => {
  await using desk = new Desk('echo $$ > "$DIR/pid"; exec sleep 60');
  const relay = desk.connect();
  const pid = await waitFor(
    "the server",
    () => desk.exists("pid") ? desk.read("pid").trim() || undefined : undefined,
  );
  await desk.stop();
  strictEqual(await relay.text(), "");
  strictEqual(isRunning(Number(pid)), false);
  strictEqual(desk.exists("s"), false);
});

Deno.test("what a server prints as an error is kept without its value", async () => {
  const { SecretValue } = await import("./value.ts");
  const value = new SecretValue("hidden-value");
  await using desk = new Desk('echo "my token is $TOKEN!" >&2; printf x >&2');
  const relay = desk.connect();
  await relay.text();
  strictEqual(value.text(), "hidden-value");
  await waitFor("the log", () => desk.exists("log") || undefined);
  await waitFor("its end", () => desk.read("log").endsWith("x\n") || undefined);
  strictEqual(desk.read("log"), "my token is [redacted]!\nx\n");
});

Deno.test("a server that cannot be started ends for the client, and the log says why", async () => {
  await using desk = new Desk("", {
    start: () => {
      throw new AppError("AGENT_NOT_STARTED", 'Cannot run "x": no such file');
    },
  });
  const relay = desk.connect();
  strictEqual(await relay.text(), "");
  strictEqual(desk.read("log"), 'aenv: Cannot run "x": no such file\n');
});

Deno.test("nobody but the given process and its descendants gets a server", async () => {
  await using desk = new Desk('touch "$DIR/started"; exec cat', {
    mayAsk: (peer, servers) =>
      isDescendant(peer, { root: 999_999_999, uid: Deno.uid()! }, servers),
  });
  const relay = desk.connect();
  strictEqual(await relay.text(), "");
  strictEqual(desk.exists("started"), false);
  ok(desk.read("log").includes("not the agent"));
});

Deno.test("a server gets no server", async () => {
  await using desk = new Desk(
    'if [ -e "$DIR/first" ]; then echo again; else touch "$DIR/first"; perl "$DIR/relay.pl" "$DIR/s" </dev/null; echo asked; fi',
  );
  const relay = desk.connect();
  strictEqual(await relay.text(), "asked\n");
});

Deno.test("one hundred clients at once: as many as may be are served, the others see the end", async () => {
  await using desk = new Desk("exec cat");
  const relays = Array.from({ length: 100 }, () => desk.connect());
  for (const [i, relay] of relays.entries()) {
    // Those that are not served may be gone already.
    await relay.send(`${i}`).catch(() => {});
  }
  const closed = relays.map((relay) => relay.close().catch(() => {}));
  const texts = await Promise.all(relays.map((relay) => relay.text()));
  await Promise.all(closed);
  const served = texts.filter((text, i) => text === `${i}`).length;
  strictEqual(texts.filter((text) => text === "").length, 100 - served);
  ok(served >= MAX_SESSIONS, `${served} served`);
});
