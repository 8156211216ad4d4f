/**
 * `deno task test [PART or FILE…]`: runs the parts and sums what they report. Ends with one line `N passed, N failed`;
 * fails when a test failed, when there was none, or when one was ignored: on Linux all mean something. Test files run side by side, `AENV_TEST_JOBS` at a time.
 * `RECORD=1` writes down how long each took, for the order of the next run.
 */

import { join } from "node:path";
import {
  repositoryRoot,
  runScript,
  say,
  ScriptError,
  stream,
} from "./support/script.ts";
import { addTally, type Tally } from "./support/tally.ts";
import { type Job, planTests, SPECS } from "./support/test_plan.ts";
import { endUnfinished, NO_TESTS, runPlan } from "./support/test_pool.ts";

/** A step of the whole: a script that must succeed, or directories with test files that are counted. */
type Part =
  | { readonly kind: "script"; readonly file: string }
  | {
    readonly kind: "tests";
    readonly directories: readonly string[];
    /** Whether the files are small: they share processes. */
    readonly isShared?: boolean;
  };

const isMac = Deno.build.os === "darwin";

const PARTS: Readonly<Record<string, Part>> = {
  prepare: { kind: "script", file: "scripts/prepare_tests.ts" },
  build: { kind: "script", file: "scripts/build.ts" },
  unit: {
    kind: "tests",
    directories: ["src", "scripts", "tests/support"],
    isShared: true,
  },
  specs: { kind: "tests", directories: ["tests/specs"], isShared: true },
  e2e: { kind: "tests", directories: ["tests/e2e"] },
  enforcement: {
    kind: "tests",
    directories: [
      isMac ? "tests/enforcement/macos" : "tests/enforcement",
    ],
  },
};

/** Claims about another system are not below what is run here. */
const ELSEWHERE = isMac ? [] : ["tests/enforcement/macos"];

/** Tests mostly wait for processes. */
const JOBS_PER_CORE = 2;

/** Seconds by file or area; those that take less are not worth a line. */
const TIMES = "scripts/support/test_seconds.json";
const WORTH_SECONDS = 2;

function jobCount(): number {
  const wanted = Deno.env.get("AENV_TEST_JOBS");
  if (wanted === undefined) {
    return navigator.hardwareConcurrency * JOBS_PER_CORE;
  }
  if (/^[1-9]\d?$/.test(wanted)) return Number(wanted);
  throw new ScriptError(
    `Cannot run tests "${wanted}" at a time: AENV_TEST_JOBS is a number from 1 to 99`,
  );
}

function isTestFile(path: string): boolean {
  return path.endsWith("_test.ts");
}

/** A part by its name, or a single file as a part. */
function partOf(name: string): Part {
  const part = PARTS[name];
  if (part !== undefined) return part;
  if (isTestFile(name)) return { kind: "tests", directories: [name] };
  throw new ScriptError(
    `Cannot run "${name}": the parts are ${
      Object.keys(PARTS).join(", ")
    }; or name a test file`,
  );
}

/** Test files below a directory, as paths from the root, sorted. */
function testFiles(root: string, directory: string): string[] {
  if (ELSEWHERE.includes(directory)) return [];
  return [...Deno.readDirSync(join(root, directory))]
    .toSorted((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      const path = `${directory}/${name}`;
      if (isDirectory) return testFiles(root, path);
      return isTestFile(path) ? [path] : [];
    });
}

function specAreas(root: string): string[] {
  return [...Deno.readDirSync(join(root, SPECS, ".."))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
}

function readTimes(root: string): Record<string, number> {
  return JSON.parse(Deno.readTextFileSync(join(root, TIMES)));
}

/** Adds what was measured to the table. */
function record(root: string, measured: ReadonlyMap<Job, number>): void {
  const times = readTimes(root);
  for (const [{ name, files }, seconds] of measured) {
    // A file that shared its process has not been measured.
    if (files.length > 1) continue;
    const key = name.startsWith("specs/") ? name : files[0]!;
    delete times[key];
    if (seconds >= WORTH_SECONDS) times[key] = Math.round(seconds);
  }
  const rows = Object.entries(times).sort(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify(Object.fromEntries(rows), undefined, 2);
  Deno.writeTextFileSync(join(root, TIMES), `${text}\n`);
}

/** Runs the tests of these parts side by side. */
async function runTests(
  names: readonly string[],
  root: string,
): Promise<Tally> {
  const parts = names.map(partOf);
  const jobs = jobCount();
  const single: string[] = [];
  const shared: string[] = [];
  for (const part of parts) {
    if (part.kind !== "tests") continue;
    const files = part.directories.flatMap((path) =>
      isTestFile(path) ? [path] : testFiles(root, path)
    );
    (part.isShared ? shared : single).push(...files);
  }
  const plan = planTests({
    single,
    shared: shared.filter((file) => file !== SPECS),
    areas: names.includes("specs") ? specAreas(root) : [],
    shares: 2 * jobs,
    seconds: readTimes(root),
  });
  const measured = new Map<Job, number>();
  const onEnd = (job: Job, seconds: number) => void measured.set(job, seconds);
  const tally = await runPlan(plan, { root, jobs, onEnd });
  if (Deno.env.get("RECORD")) record(root, measured);
  return tally;
}

async function runScriptPart(file: string, root: string): Promise<Tally> {
  const args = ["run", "--allow-all", join(root, file)];
  const code = await stream(Deno.execPath(), args, { cwd: root });
  // A step that fails counts, or the last line would look like success.
  return { ...NO_TESTS, failed: code === 0 ? 0 : 1 };
}

/** The parts in order; tests that follow each other run together. */
function stepsOf(names: readonly string[]): string[][] {
  const steps: string[][] = [];
  for (const name of names) {
    const part = partOf(name);
    const last = steps.at(-1);
    const isNext = part.kind === "tests" && last !== undefined &&
      partOf(last[0]!).kind === "tests";
    if (isNext) last.push(name);
    else steps.push([name]);
  }
  return steps;
}

async function main(): Promise<number> {
  const root = repositoryRoot();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      endUnfinished();
      Deno.exit(1);
    });
  }
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(PARTS);
  let total = NO_TESTS;
  for (const step of stepsOf(names)) {
    say(`\n== ${step.join(", ")}`);
    const part = partOf(step[0]!);
    const tally = part.kind === "script"
      ? await runScriptPart(part.file, root)
      : await runTests(step, root);
    total = addTally(total, tally);
    if (part.kind === "script" && tally.failed > 0) break;
  }
  const mayIgnore = Deno.build.os !== "linux";
  if (total.ignored > 0) {
    say(`\n${total.ignored} ignored${mayIgnore ? "" : ": none may be"}`);
  }
  say(`\n${total.passed} passed, ${total.failed} failed`);
  const isGood = total.passed > 0 && total.failed === 0 &&
    (mayIgnore || total.ignored === 0);
  return isGood ? 0 : 1;
}

if (import.meta.main) await runScript(main);
