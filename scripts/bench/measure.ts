/** Times programs against each other: one after the other in every round, so that a busy machine hits all alike. */

/** One program to time. */
export interface Case {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** What one case took, round by round, in milliseconds. */
export interface Sample {
  readonly name: string;
  /** On the clock. */
  readonly times: readonly number[];
  /** Of processors, with all that it waited for: says more than the clock where the machine is busy. Zeros but on Linux. */
  readonly cpu: readonly number[];
}

/** Rounds that are run first and not counted. */
const WARM_UP_ROUNDS = 2;

/** Runs all cases `rounds` times, interleaved. Throws when a program fails: a failure is not a fast success. */
export async function measure(
  cases: readonly Case[],
  rounds: number,
  { warmUp = WARM_UP_ROUNDS, afterEach = () => Promise.resolve() }: {
    readonly warmUp?: number;
    /** Waits for what a case leaves running, which is not measured and must not be in the way of the next. */
    readonly afterEach?: () => Promise<void>;
  } = {},
): Promise<Sample[]> {
  const samples = cases.map(({ name }) => ({
    name,
    times: [] as number[],
    cpu: [] as number[],
  }));
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, item] of cases.entries()) {
      const before = childrenCpu();
      const elapsed = await timeOnce(item);
      const cpu = childrenCpu() - before;
      await afterEach();
      if (round < 0) continue;
      samples[i]!.times.push(elapsed);
      samples[i]!.cpu.push(cpu);
    }
  }
  return samples;
}

async function timeOnce(item: Case): Promise<number> {
  const command = new Deno.Command(item.program, {
    args: [...item.args],
    env: { ...item.env },
    clearEnv: true,
    cwd: item.cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const start = performance.now();
  const output = await command.output();
  const elapsed = performance.now() - start;
  if (!output.success) {
    const said = new TextDecoder().decode(output.stderr).trim();
    throw new Error(`${item.name} exited with ${output.code}: ${said}`);
  }
  return elapsed;
}

const RUSAGE_CHILDREN = -1;
/** Of `struct rusage`; it begins with two pairs of seconds and microseconds. */
const RUSAGE_BYTES = 144;

const libc = Deno.build.os !== "linux" ? undefined : Deno.dlopen("libc.so.6", {
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
});

/** Milliseconds that processors spent on children that have ended. */
function childrenCpu(): number {
  if (libc === undefined) return 0;
  const usage = new BigInt64Array(RUSAGE_BYTES / 8);
  libc.symbols.getrusage(RUSAGE_CHILDREN, usage);
  const [userS, userUs, systemS, systemUs] = [...usage].map(Number);
  return (userS! + systemS!) * 1000 + (userUs! + systemUs!) / 1000;
}

/** The middle of what `compare` says of each round of two cases: steadier than two medians where the machine is busy. */
export function medianOfPairs(
  one: readonly number[],
  other: readonly number[],
  compare: (a: number, b: number) => number,
): number {
  return median(one.map((value, round) => compare(value, other[round]!)));
}

/** The middle of the values, or the mean of the two in the middle. Throws on none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("median of nothing");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Rows as lines of text with aligned columns: the first one left, the others right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}
