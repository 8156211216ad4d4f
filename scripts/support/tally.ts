/** Counts tests from what `deno test` prints. */

/** How many tests did what. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(.*)$/gm;

const COLOUR = new RegExp(String.raw`\u001b\[[0-9;]*m`, "g");

/**
 * The tally of one `deno test` run. A run that failed without a failed test (it did not compile, or a module threw)
 * counts as one failure.
 */
export function parseSummary(output: string, success: boolean): Tally {
  const last = [...output.replace(COLOUR, "").matchAll(SUMMARY)].at(-1);
  const [, passed = "0", failed = "0", rest = ""] = last ?? [];
  const isUnexplained = !success && Number(failed) === 0;
  return {
    passed: Number(passed),
    failed: isUnexplained ? 1 : Number(failed),
    ignored: countIgnored(rest),
  };
}

/** Ignored steps inside tests count too: `| 0 ignored (2 steps)`. */
function countIgnored(rest: string): number {
  const match = /(\d+) ignored(?: \((\d+) steps?\))?/.exec(rest);
  return Number(match?.[1] ?? 0) + Number(match?.[2] ?? 0);
}

/** The sum of two tallies. */
export function addTally(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  };
}
