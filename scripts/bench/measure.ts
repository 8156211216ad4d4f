/** Times programs against each other: one after the other in every round, so that a busy machine hits all alike. */

/** One program to time. */
export interface Case {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What counts instead of the time it took: a number of milliseconds that it printed. */
  readonly read?: (stdout: string) => number;
}

/** Wall-clock times of one case, in milliseconds. */
export interface Sample {
  readonly name: string;
  readonly times: readonly number[];
}

/** Rounds that are run first and not counted. */
const WARM_UP_ROUNDS = 2;

/** Runs all cases `rounds` times, interleaved. Throws when a program fails: a failure is not a fast success. */
export async function measure(
  cases: readonly Case[],
  rounds: number,
  { warmUp = WARM_UP_ROUNDS }: { readonly warmUp?: number } = {},
): Promise<Sample[]> {
  const times = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const item of cases) {
      const elapsed = await timeOnce(item);
      if (round >= 0) times.get(item.name)!.push(elapsed);
    }
  }
  return [...times].map(([name, values]) => ({ name, times: values }));
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
  return item.read?.(new TextDecoder().decode(output.stdout)) ?? elapsed;
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
