/**
 * `deno run -A scripts/bench/proxy.ts [--rounds N] [--check]`: what the sandbox's proxy costs a request, and how much passes through
 * it, against the same without it. The proxy, the server and the client are three processes, one after the other in every round.
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeCertificates } from "../../tests/support/sources/certificates.ts";
import {
  capture,
  repositoryRoot,
  runScript,
  say,
  ScriptError,
} from "../support/script.ts";
import { formatTable, median } from "./measure.ts";

/** Goals: milliseconds more for a request, and the part of the throughput that is left. */
const MAX_REQUEST_MS = 1;
const MIN_THROUGHPUT = 0.8;

/** Client, proxy and server. */
const PROCESSES = 3;
const REQUESTS = 200;
const WARM_UP = 50;
/** Enough for a second or so. */
const BYTES = 1_000_000_000;
/** Of the kernel's clock, in a second. */
const TICKS = 100;

/** One of the two servers. Use with `await using`. */
class Helper<T> implements AsyncDisposable {
  readonly said: T;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, said: T) {
    this.#child = child;
    this.said = said;
  }

  static async start<T>(args: readonly string[]): Promise<Helper<T>> {
    const script = join(repositoryRoot(), "tests/support/proxy_bench.ts");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-all", script, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    if (value === undefined) throw new ScriptError("Cannot bench: no server");
    return new Helper(child, JSON.parse(new TextDecoder().decode(value)) as T);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

/** Where everything is. */
interface Place {
  readonly proxyPid: number;
  readonly http: number;
  readonly https: number;
  readonly proxy: number;
  readonly env: Readonly<Record<string, string>>;
  readonly caFile: string;
  readonly rounds: number;
}

/** One row: medians without and with the proxy. */
interface Row {
  readonly name: string;
  readonly bare: number;
  readonly through: number;
  readonly unit: "ms" | "MB/s";
  /** Processor time of the proxy for a gigabyte, in seconds. */
  readonly cpu?: number | undefined;
}

/** Sends a request and waits for its last byte. */
async function ask(connection: Deno.Conn, text: string, end: string) {
  await connection.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(4096);
  let answer = "";
  while (!answer.endsWith(end)) {
    const count = await connection.read(buffer);
    if (count === null) {
      throw new ScriptError(`Cannot bench: the answer is ${answer}`);
    }
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

async function timed(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Medians of two actions that take turns. */
async function inTurns(
  bare: () => Promise<void>,
  through: () => Promise<void>,
): Promise<Pick<Row, "bare" | "through">> {
  const times: { bare: number[]; through: number[] } = {
    bare: [],
    through: [],
  };
  for (let count = -WARM_UP; count < REQUESTS; count++) {
    const one = await timed(bare);
    const other = await timed(through);
    if (count < 0) continue;
    times.bare.push(one);
    times.through.push(other);
  }
  return { bare: median(times.bare), through: median(times.through) };
}

/** A connection for each request: what programs without keep-alive pay, and all others for their first request. */
async function benchConnections(place: Place): Promise<Row> {
  const get = "GET /100 HTTP/1.1\r\n\r\n";
  const connect = `CONNECT localhost:${place.http} HTTP/1.1\r\n${
    authorization(place)
  }\r\n`;
  const open = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
  const times = await inTurns(async () => {
    using connection = await open(place.http);
    await ask(connection, get, "xxx");
  }, async () => {
    using connection = await open(place.proxy);
    await ask(connection, connect, "\r\n\r\n");
    await ask(connection, get, "xxx");
  });
  return { name: "request, new connection (CONNECT)", unit: "ms", ...times };
}

async function benchRequests(place: Place): Promise<Row[]> {
  using bare = await Deno.connect({ hostname: "127.0.0.1", port: place.http });
  using kept = await Deno.connect({ hostname: "127.0.0.1", port: place.proxy });
  using tunnel = await Deno.connect({
    hostname: "127.0.0.1",
    port: place.proxy,
  });
  const connect = `CONNECT localhost:${place.http} HTTP/1.1\r\n${
    authorization(place)
  }\r\n`;
  await ask(tunnel, connect, "\r\n\r\n");
  const get = "GET /100 HTTP/1.1\r\n\r\n";
  const whole = `GET http://localhost:${place.http}/100 HTTP/1.1\r\n${
    authorization(place)
  }\r\n`;
  const direct = () => ask(bare, get, "xxx");
  const inTunnel = await inTurns(direct, () => ask(tunnel, get, "xxx"));
  const forwarded = await inTurns(direct, () => ask(kept, whole, "xxx"));
  return [
    { name: "request in a tunnel", unit: "ms", ...inTunnel },
    { name: "request over plain http", unit: "ms", ...forwarded },
  ];
}

function authorization({ env }: Place): string {
  return `Proxy-Authorization: ${env["AENV_PROXY_AUTHORIZATION"]}\r\n`;
}

/** Megabytes a second that curl gets. */
async function download(
  place: Place,
  url: string,
  args: readonly string[],
): Promise<number> {
  const fixed = ["-sS", "--cacert", place.caFile, "-o", "/dev/null"];
  const run = await capture("curl", [
    ...fixed,
    ...args,
    ...["-w", "%{speed_download}", url],
  ], { env: { ...place.env, NO_PROXY: "", no_proxy: "" } });
  if (!run.success) throw new ScriptError(`Cannot bench: ${run.stderr}`);
  return Number(run.stdout) / 1e6;
}

/** Seconds of processor time that a process has used. Linux; undefined elsewhere. */
async function processorTime(pid: number): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  // What follows the name, which may hold anything: state is the first.
  const words = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(words[11]) + Number(words[12])) / TICKS;
}

async function benchDownload(
  place: Place,
  url: string,
  { name, args }: { readonly name: string; readonly args: readonly string[] },
): Promise<Row> {
  const bare: number[] = [];
  const through: number[] = [];
  const before = await processorTime(place.proxyPid);
  for (let round = -1; round < place.rounds; round++) {
    const one = await download(place, url, ["--noproxy", "*"]);
    const other = await download(place, url, args);
    if (round < 0) continue;
    bare.push(one);
    through.push(other);
  }
  const after = await processorTime(place.proxyPid);
  const gigabytes = (place.rounds + 1) * BYTES / 1e9;
  const cpu = before === undefined || after === undefined
    ? undefined
    : (after - before) / gigabytes;
  const medians = { bare: median(bare), through: median(through) };
  return { name, unit: "MB/s", ...medians, cpu };
}

function isMet(row: Row): boolean {
  return row.unit === "ms"
    ? row.through - row.bare <= MAX_REQUEST_MS
    : row.through / row.bare >= MIN_THROUGHPUT;
}

function print(rows: readonly Row[]): void {
  const header = ["", "bare", "proxy", "unit", "more", "ratio", "CPU s/GB"];
  say(formatTable([
    header,
    ...rows.map(({ name, bare, through, unit, cpu }) => {
      const digits = unit === "ms" ? 3 : 0;
      return [
        name,
        bare.toFixed(digits),
        through.toFixed(digits),
        unit,
        unit === "ms" ? (through - bare).toFixed(3) : "",
        (through / bare).toFixed(2),
        cpu?.toFixed(2) ?? "",
      ];
    }),
  ]));
  say(
    `Goals: a request ≤ ${MAX_REQUEST_MS} ms more; ≥ ${MIN_THROUGHPUT} of the bare throughput`,
  );
  const { hardwareConcurrency } = navigator;
  if (hardwareConcurrency >= PROCESSES) return;
  say(
    `Here ${PROCESSES} programs share ${hardwareConcurrency} processors, and no relay that was tried reaches that throughput: compare its processor time`,
  );
}

/** Measures everything, prints it, and returns the goals that were missed. */
export async function benchProxy(
  { rounds }: { readonly rounds: number },
): Promise<string[]> {
  const dir = await Deno.makeTempDir({ prefix: "aenv-bench-proxy-" });
  try {
    const { caFile } = await makeCertificates(dir);
    await using origin = await Helper.start<{ http: number; https: number }>(
      ["origin", `${dir}/server.pem`, `${dir}/server.key`],
    );
    const { http, https } = origin.said;
    await using proxy = await Helper.start<{
      port: number;
      env: Record<string, string>;
    }>(["proxy", String(http), String(https)]);
    const { port, env } = proxy.said;
    const ports = { http, https, proxy: port, proxyPid: proxy.pid };
    const place = { ...ports, env, caFile, rounds };
    const plain = `http://localhost:${http}/${BYTES}`;
    const rows = [
      await benchConnections(place),
      ...await benchRequests(place),
      await benchDownload(place, `https://localhost:${https}/${BYTES}`, {
        name: "download, https",
        args: [],
      }),
      await benchDownload(place, plain, {
        name: "download, http in a tunnel",
        args: ["-p"],
      }),
      await benchDownload(place, plain, { name: "download, http", args: [] }),
    ];
    print(rows);
    return rows.filter((row) => !isMet(row)).map(({ name }) => name);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: {
      rounds: { type: "string", default: "5" },
      check: { type: "boolean", default: false },
    },
  });
  const missed = await benchProxy({ rounds: Number(values.rounds) });
  say(missed.length === 0 ? "All met" : `Missed: ${missed.join("; ")}`);
  return values.check && missed.length > 0 ? 1 : 0;
}

if (import.meta.main) await runScript(main);
