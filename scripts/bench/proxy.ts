/**
 * `deno run -A scripts/bench/proxy.ts [--rounds N] [--check]`: what the sandbox's proxy costs a request, and how much passes through
 * it, against the same without it. Both are measured in turns, and the ratio is that of neighbours, so that what else the machine does
 * counts for both.
 *
 * The server is a process of Deno's that answers from memory, or with files; the clients are curl and git as anybody has them, except
 * for single requests, which this process makes. With the proxy these are three programs; on two processors they get in each other's
 * way, which no proxy can help. The connection to the server is the same with and without the proxy.
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
import {
  cloneRepository,
  loadPackages,
  type Reached,
  variables,
  type Work,
} from "./proxy_programs.ts";

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
interface Place extends Reached {
  readonly proxyPid: number;
  readonly http: number;
  readonly proxy: number;
  readonly rounds: number;
}

/** One row: medians without and with the proxy. */
interface Row {
  readonly name: string;
  readonly bare: number;
  readonly through: number;
  readonly unit: "ms" | "MB/s";
  /** The median of what both were to each other in a round; that of the medians unless given. */
  readonly ratio?: number;
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

/** Rounds of the same without and with the proxy. The first one does not count. */
async function benchThroughput(
  place: Place,
  name: string,
  { bare, through, bytes }: {
    /** Both return megabytes a second. */
    readonly bare: () => Promise<number>;
    readonly through: () => Promise<number>;
    readonly bytes: number;
  },
): Promise<Row> {
  const pairs: { readonly bare: number; readonly through: number }[] = [];
  const before = await processorTime(place.proxyPid);
  for (let round = -1; round < place.rounds; round++) {
    const pair = { bare: await bare(), through: await through() };
    if (round >= 0) pairs.push(pair);
  }
  const after = await processorTime(place.proxyPid);
  const gigabytes = (place.rounds + 1) * bytes / 1e9;
  const cpu = before === undefined || after === undefined
    ? undefined
    : (after - before) / gigabytes;
  return {
    name,
    unit: "MB/s",
    bare: median(pairs.map((pair) => pair.bare)),
    through: median(pairs.map((pair) => pair.through)),
    ratio: median(pairs.map((pair) => pair.through / pair.bare)),
    cpu,
  };
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
  ], { env: variables(place, "through") });
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

function benchDownload(
  place: Place,
  url: string,
  { name, args }: { readonly name: string; readonly args: readonly string[] },
): Promise<Row> {
  return benchThroughput(place, name, {
    bare: () => download(place, url, ["--noproxy", "*"]),
    through: () => download(place, url, args),
    bytes: BYTES,
  });
}

async function benchWork(place: Place, name: string, work: Work): Promise<Row> {
  const rate = async (way: "bare" | "through") => {
    let bytes = 0;
    const milliseconds = await timed(async () => {
      bytes = await work(variables(place, way));
    });
    return bytes / milliseconds / 1e3;
  };
  const bytes = await work(variables(place, "bare"));
  const [bare, through] = [() => rate("bare"), () => rate("through")];
  return await benchThroughput(place, name, { bare, through, bytes });
}

function ratioOf({ ratio, through, bare }: Row): number {
  return ratio ?? through / bare;
}

function isMet(row: Row): boolean {
  return row.unit === "ms"
    ? row.through - row.bare <= MAX_REQUEST_MS
    : ratioOf(row) >= MIN_THROUGHPUT;
}

function print(rows: readonly Row[]): void {
  const header = ["", "bare", "proxy", "unit", "more", "ratio", "CPU s/GB"];
  say(formatTable([
    header,
    ...rows.map((row) => {
      const { name, bare, through, unit, cpu } = row;
      const digits = unit === "ms" ? 3 : 0;
      return [
        name,
        bare.toFixed(digits),
        through.toFixed(digits),
        unit,
        unit === "ms" ? (through - bare).toFixed(3) : "",
        ratioOf(row).toFixed(2),
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
    `Here ${PROCESSES} programs share ${hardwareConcurrency} processors: what the proxy takes of them, both others lack`,
  );
}

/** Measures everything, prints it, and returns the goals that were missed. */
export async function benchProxy(
  { rounds }: { readonly rounds: number },
): Promise<string[]> {
  const dir = await Deno.makeTempDir({ prefix: "aenv-bench-proxy-" });
  try {
    const { caFile } = await makeCertificates(dir);
    const [shown, scratch] = [join(dir, "shown"), join(dir, "scratch")];
    for (const made of [shown, scratch]) await Deno.mkdir(made);
    await using origin = await Helper.start<{ http: number; https: number }>(
      ["origin", `${dir}/server.pem`, `${dir}/server.key`, shown],
    );
    const { http, https } = origin.said;
    await using proxy = await Helper.start<{
      port: number;
      env: Record<string, string>;
    }>(["proxy", String(http), String(https)]);
    const { port, env } = proxy.said;
    const ports = { http, https, proxy: port, proxyPid: proxy.pid };
    const place = { ...ports, env, caFile, rounds, shown, scratch };
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
      await benchWork(place, "packages, https", loadPackages(place)),
      await benchWork(place, "git clone, https", await cloneRepository(place)),
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
      rounds: { type: "string", default: "7" },
      check: { type: "boolean", default: false },
    },
  });
  const missed = await benchProxy({ rounds: Number(values.rounds) });
  say(missed.length === 0 ? "All met" : `Missed: ${missed.join("; ")}`);
  return values.check && missed.length > 0 ? 1 : 0;
}

if (import.meta.main) await runScript(main);
