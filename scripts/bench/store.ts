/**
 * `deno run -A scripts/bench/store.ts [--rounds N] [--dir DIR] [--check]`: what the store costs, against the tools that do the same
 * without it, each in a process of its own and one after the other in every round. Linux only: reads /proc.
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  capture,
  repositoryRoot,
  runScript,
  say,
  ScriptError,
} from "../support/script.ts";
import { formatTable, median } from "./measure.ts";

/** Goals, as multiples of the other tool, and in milliseconds and bytes. */
const MAX_LINK = 1.2;
const MAX_INSERT = 0.7;
const MAX_CHECK_MS = 10;
const MAX_BYTES = 150e6;

const FILES = 20_000;
const CHECKED_FILES = 2_000;
const FILE_BYTES = 50_000;
const FILES_PER_DIRECTORY = 100;
const OBJECTS = 10_000;

/** One row of the table. */
interface Row {
  readonly name: string;
  readonly milliseconds: number;
  readonly peakBytes: number;
  /** The other tool. */
  readonly than?: string;
  readonly thanMilliseconds?: number;
  readonly goal?: string;
  readonly isMissed?: boolean;
}

interface Measured {
  readonly milliseconds: number;
  readonly peakBytes: number;
  readonly result: unknown;
}

/** Where the measuring happens. */
interface Place {
  readonly root: string;
  readonly store: string;
  readonly rounds: number;
}

async function operate(
  place: Place,
  name: string,
  args: readonly string[],
): Promise<Measured> {
  const script = join(repositoryRoot(), "tests/support/store_bench.ts");
  const run = await capture(Deno.execPath(), [
    "run",
    "--no-check",
    "--allow-all",
    script,
    name,
    place.store,
    ...args,
  ]);
  if (!run.success) {
    throw new ScriptError(`Cannot run "${name}": ${run.stderr}`);
  }
  return JSON.parse(run.stdout);
}

/** Milliseconds that a shell command takes. */
async function time(command: string): Promise<number> {
  const start = performance.now();
  const run = await capture("/bin/sh", ["-c", command]);
  if (!run.success) {
    throw new ScriptError(`Cannot run "${command}": ${run.stderr}`);
  }
  return performance.now() - start;
}

async function makeTree(root: string, files: number): Promise<string> {
  const block = crypto.getRandomValues(new Uint8Array(FILE_BYTES));
  for (let i = 0; i < files; i++) {
    const directory = `${root}/d${Math.floor(i / FILES_PER_DIRECTORY)}`;
    if (i % FILES_PER_DIRECTORY === 0) {
      Deno.mkdirSync(directory, { recursive: true });
    }
    new DataView(block.buffer).setUint32(0, i);
    Deno.writeFileSync(`${directory}/f${i}.md`, block);
  }
  await settle();
  return root;
}

/** What one measurement has written must not be paid for by the next. */
async function settle(): Promise<void> {
  await time("sync");
}

function summarise(
  name: string,
  ours: readonly Measured[],
  rest: Partial<Row> & { readonly others?: readonly number[] } = {},
): Row {
  const { others, ...more } = rest;
  return {
    name,
    milliseconds: median(ours.map((run) => run.milliseconds)),
    peakBytes: Math.max(...ours.map((run) => run.peakBytes)),
    ...(others ? { thanMilliseconds: median(others) } : {}),
    ...more,
  };
}

/** `row` with a goal that is a multiple of the other tool. */
function withGoal(row: Row, most: number): Row {
  const isMissed = row.milliseconds > most * row.thanMilliseconds!;
  return { ...row, goal: `≤ ${most} ×`, isMissed };
}

async function benchInsert(place: Place, source: string): Promise<Row[]> {
  const ours: Measured[] = [];
  const others: number[] = [];
  // Where writing is slow, no ingest can be fast.
  const copies: number[] = [];
  for (let round = 0; round < place.rounds; round++) {
    const store = `${place.store}-${round}`;
    ours.push(await operate({ ...place, store }, "insert", [source]));
    Deno.removeSync(store, { recursive: true });
    await settle();
    const list = `find ${source} -type f -print0`;
    others.push(await time(`${list} | xargs -0 sha256sum > /dev/null`));
    const copy = join(place.root, "copy");
    copies.push(await time(`cp -a ${source} ${copy}`));
    await remove(copy);
  }
  const name = `insert 1 GB in ${FILES} files`;
  const row = summarise(name, ours, { than: "sha256sum", others });
  return [
    withGoal(row, MAX_INSERT),
    summarise("  the same", ours, { than: "cp -a", others: copies }),
  ];
}

/** Nothing is removed meanwhile: a file with a name less would be looked at anew. */
async function benchLink(place: Place, source: string): Promise<Row[]> {
  const { result } = await operate(place, "insert", [source]);
  const hash = String(result);
  const target = join(place.root, "target");
  const first = await operate(place, "link", [hash, target]);
  const linked: Measured[] = [];
  const others: number[] = [];
  for (let round = 0; round < place.rounds; round++) {
    await settle();
    linked.push(await operate(place, "link", [hash, `${target}-${round}`]));
    await settle();
    others.push(await time(`cp -al ${source} ${target}-cp-${round}`));
  }
  const name = `place ${FILES} files, shared (${linked[0]!.result})`;
  const row = summarise(name, linked, { than: "cp -al", others });
  return [withGoal(row, MAX_LINK), summarise("  the first time", [first])];
}

async function benchCopy(place: Place, source: string): Promise<Row> {
  const { result } = await operate(place, "insert", [source]);
  const target = join(place.root, "copy");
  const copied: Measured[] = [];
  const others: number[] = [];
  for (let round = 0; round < place.rounds; round++) {
    copied.push(await operate(place, "copy", [String(result), target]));
    await remove(target);
    others.push(await time(`cp -a ${source} ${target}`));
    await remove(target);
  }
  const name = `place ${FILES} files, not shared (${copied[0]!.result})`;
  return summarise(name, copied, { than: "cp -a", others });
}

async function remove(path: string): Promise<void> {
  Deno.removeSync(path, { recursive: true });
  await settle();
}

async function benchCheck(place: Place): Promise<Row[]> {
  const source = await makeTree(join(place.root, "checked"), CHECKED_FILES);
  const { result } = await operate(place, "insert", [source]);
  const target = join(place.root, "placed");
  await operate(place, "link", [String(result), target]);
  const first: Measured[] = [];
  const again: Measured[] = [];
  for (let round = 0; round < 3 * place.rounds; round++) {
    first.push(await operate(place, "check", [String(result), target]));
    again.push(await operate(place, "recheck", [String(result), target]));
  }
  const row = summarise(`check ${CHECKED_FILES} files`, first);
  const isMissed = row.milliseconds > MAX_CHECK_MS;
  return [
    { ...row, goal: `≤ ${MAX_CHECK_MS} ms`, isMissed },
    summarise("  again in the same process", again),
  ];
}

async function benchCollect(place: Place): Promise<Row> {
  const source = join(place.root, "one");
  Deno.mkdirSync(source);
  const own = { ...place, store: `${place.store}-many` };
  await operate(own, "fill", [String(OBJECTS), source]);
  const run = await operate(own, "collect", []);
  return summarise(`collect ${OBJECTS} objects`, [run]);
}

function print(rows: readonly Row[]): void {
  const header = ["", "ms", "other ms", "÷", "goal", "peak MB"];
  say(formatTable([
    header,
    ...rows.map((row) => {
      const other = row.thanMilliseconds;
      return [
        row.than ? `${row.name}, ${row.than}` : row.name,
        row.milliseconds.toFixed(1),
        other?.toFixed(1) ?? "",
        other ? (row.milliseconds / other).toFixed(2) : "",
        row.goal ?? "",
        (row.peakBytes / 1e6).toFixed(0),
      ];
    }),
  ]));
}

/** Measures everything in `dir`, prints it, and returns the goals that were missed. */
export async function benchStore(
  dir: string,
  options: { readonly rounds: number },
): Promise<string[]> {
  const root = await Deno.makeTempDir({ dir, prefix: "aenv-bench-store-" });
  const place = { root, store: join(root, "store"), ...options };
  try {
    const source = await makeTree(join(root, "source"), FILES);
    const rows = [
      ...await benchInsert(place, source),
      ...await benchLink(place, source),
      await benchCopy(place, source),
      ...await benchCheck(place),
      await benchCollect(place),
    ];
    print(rows);
    return rows.flatMap((row) => [
      ...(row.isMissed ? [row.name.trim()] : []),
      ...(row.peakBytes > MAX_BYTES ? [`memory, ${row.name.trim()}`] : []),
    ]);
  } finally {
    await time(`chmod -R u+w ${root}; rm -rf ${root}`);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: {
      rounds: { type: "string", default: "5" },
      dir: { type: "string", default: "/tmp" },
      check: { type: "boolean", default: false },
    },
  });
  const missed = await benchStore(values.dir, {
    rounds: Number(values.rounds),
  });
  say(missed.length === 0 ? "All met" : `Missed: ${missed.join("; ")}`);
  return values.check && missed.length > 0 ? 1 : 0;
}

if (import.meta.main) await runScript(main);
