/** Which test files run in one process, which processes run side by side, and in what order. Pure. */

/** One process of `deno test`. */
export interface Job {
  /** For the heading of its output. */
  readonly name: string;
  readonly files: readonly string[];
  /** Added to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** How long it is expected to take. */
  readonly seconds: number;
}

/** What is run: first what goes side by side, then what must not. */
export interface Plan {
  /** The longest first. */
  readonly together: readonly Job[];
  readonly alone: readonly Job[];
}

/** What a plan is made of. */
export interface Parts {
  /** Files that get a process each. */
  readonly single: readonly string[];
  /** Small files that share processes. */
  readonly shared: readonly string[];
  /** Areas of the specs, each a process. */
  readonly areas: readonly string[];
  /** How many processes the shared files are dealt out to. */
  readonly shares: number;
  /** Expected seconds of the files and areas that take long. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** The file that runs the specs of the areas in `SPEC_AREA`. */
export const SPECS = "tests/specs/specs_test.ts";

/** What a file is taken for that nobody has measured: better too soon than too late. */
const USUAL_SECONDS = { single: 20, shared: 0.3, area: 5 };

/** Files that nothing may run beside, and why. */
export const ALONE: Readonly<Record<string, string>> = {
  "tests/e2e/secrets_speed_test.ts":
    "it measures in milliseconds how soon twenty secrets are there",
};

/** Deals tests out to processes. */
export function planTests(parts: Parts): Plan {
  const { areas, shares, seconds } = parts;
  const shared = parts.shared.filter((file) => !isAlone(file));
  const single = [...parts.single, ...parts.shared.filter(isAlone)];
  const singles = single.map((file) => ({
    ...job(file, [file]),
    seconds: seconds[file] ?? USUAL_SECONDS.single,
  }));
  const jobs = [
    ...singles.filter(({ name }) => !isAlone(name)),
    ...areas.map((area) => ({
      ...job(`specs/${area}`, [SPECS], { SPEC_AREA: area }),
      seconds: seconds[`specs/${area}`] ?? USUAL_SECONDS.area,
    })),
    ...deal(shared, shares, seconds),
  ];
  return {
    together: jobs.toSorted((a, b) => b.seconds - a.seconds),
    alone: singles.filter(({ name }) => isAlone(name)),
  };
}

function isAlone(file: string): boolean {
  return ALONE[file] !== undefined;
}

function job(
  name: string,
  files: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Omit<Job, "seconds"> {
  return { name, files, env };
}

/** The longest file goes to the share that has least to do, and so on. */
function deal(
  files: readonly string[],
  shares: number,
  seconds: Readonly<Record<string, number>>,
): Job[] {
  const secondsOf = (file: string) => seconds[file] ?? USUAL_SECONDS.shared;
  const piles = Array.from(
    { length: Math.min(shares, files.length) },
    () => ({ files: [] as string[], seconds: 0 }),
  );
  for (const file of files.toSorted((a, b) => secondsOf(b) - secondsOf(a))) {
    const pile = piles.reduce((a, b) => b.seconds < a.seconds ? b : a);
    pile.files.push(file);
    pile.seconds += secondsOf(file);
  }
  return piles.map((pile, i) => ({
    ...job(`unit tests ${i + 1} of ${piles.length}`, pile.files.toSorted()),
    seconds: pile.seconds,
  }));
}
