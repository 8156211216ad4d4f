/** Runs processes of `deno test` side by side; the output of each is printed whole, when it has ended. */

import { say } from "./script.ts";
import { addTally, parseSummary, type Tally } from "./tally.ts";
import type { Job, Plan } from "./test_plan.ts";

/** How the processes run. */
export interface PoolOptions {
  /** The repository. */
  readonly root: string;
  /** At most so many at a time. */
  readonly jobs: number;
  /** Told how long each took. */
  readonly onEnd?: (job: Job, seconds: number) => void;
}

/** See there. */
const PRELOAD = "tests/support/open_libc.ts";

/** Both streams in one, in the order in which they were written. */
const MERGED = 'exec "$@" 2>&1';

/** Nothing was run. */
export const NO_TESTS: Tally = { passed: 0, failed: 0, ignored: 0 };

/** What runs, with its output so far: for whoever ends the whole before its time. */
const running = new Map<Job, { child: Deno.ChildProcess; output: string }>();

/** Runs a plan to its end. Never throws for what a test did. */
export async function runPlan(
  plan: Plan,
  options: PoolOptions,
): Promise<Tally> {
  let total = NO_TESTS;
  for (const stage of [plan.together, plan.alone]) {
    const queue = [...stage];
    const jobs = stage === plan.alone ? 1 : options.jobs;
    const work = async () => {
      for (let job = queue.shift(); job; job = queue.shift()) {
        const tally = await runJob(job, options);
        total = addTally(total, tally);
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
  }
  return total;
}

/** Prints the output so far of what has not ended, and ends it. */
export function endUnfinished(): void {
  for (const [{ name }, { child, output }] of running) {
    say(`\n-- ${name} has not ended\n${output}`);
    try {
      child.kill("SIGTERM");
    } catch (error) {
      // It has ended in this moment.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

async function runJob(job: Job, options: PoolOptions): Promise<Tally> {
  const start = performance.now();
  const child = startJob(job, options.root);
  const decoder = new TextDecoder();
  const run = { child, output: "" };
  running.set(job, run);
  for await (const chunk of child.stdout) {
    run.output += decoder.decode(chunk, { stream: true });
  }
  const { success } = await child.status;
  running.delete(job);
  const seconds = (performance.now() - start) / 1000;
  say(`\n-- ${job.name} (${seconds.toFixed(1)} s)\n${run.output.trimEnd()}`);
  options.onEnd?.(job, seconds);
  return parseSummary(run.output, success);
}

function startJob({ files, env }: Job, root: string): Deno.ChildProcess {
  const args = ["test", "--allow-all", "--no-check", "--quiet"];
  const words = [Deno.execPath(), ...args, `--preload=${PRELOAD}`, ...files];
  return new Deno.Command("/bin/sh", {
    args: ["-c", MERGED, "sh", ...words],
    cwd: root,
    env: { RUST_BACKTRACE: "0", RUST_LIB_BACKTRACE: "0", ...env },
    stdin: "null",
    stdout: "piped",
  }).spawn();
}
