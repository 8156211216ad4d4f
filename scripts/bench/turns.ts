/** Workers that start the same programs in different places, by turns. */

import { ScriptError } from "../support/script.ts";
import type { Case, Sample } from "./measure.ts";

/** A command that is timed by itself each time. */
export interface Work {
  readonly command: readonly string[];
  /** How often a worker runs it before it is the next one's turn. */
  readonly times: number;
  readonly turns: number;
}

/** Rounds begin with new workers: one that lies well in memory is faster than another for as long as it runs. */
export const ROUNDS = 21;
const WARM_UP_TURNS = 1;

/** The calls that tell what processors spent, by machine. */
const GETRUSAGE = { ["x86_64"]: 98, aarch64: 165 } as const;

/**
 * The program of a case. Reads how often to start what; says what each time took, in milliseconds on the clock and of
 * processors. A shell would tell those in whole milliseconds.
 */
export const WORKER = [
  "/usr/bin/perl",
  "-e",
  `use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
$| = 1;
sub spent {
  my $sum = 0;
  for my $who (0, -1) {
    my $usage = "\\0" x 144;
    syscall(${GETRUSAGE[Deno.build.arch]}, $who, $usage);
    my @n = unpack("q4", $usage);
    $sum += ($n[0] + $n[2]) * 1e3 + ($n[1] + $n[3]) / 1e3;
  }
  return $sum;
}
while (<STDIN>) {
  chomp;
  my ($times, @command) = split /\\t/;
  my @took;
  for (1 .. $times) {
    my ($clock, $cpu) = (clock_gettime(CLOCK_MONOTONIC), spent());
    my $child = fork;
    if ($child == 0) { exec { $command[0] } @command; exit 127; }
    waitpid($child, 0);
    die "@command: $?" if $?;
    push @took, (clock_gettime(CLOCK_MONOTONIC) - $clock) * 1e3, spent() - $cpu;
  }
  print "@took\\n";
}`,
] as const;

/** Lets every case do every work by turns; each is a {@link WORKER}. One sample for each case, by work. */
export async function inTurns(
  cases: readonly Case[],
  works: readonly Work[],
  { afterEach }: {
    /** Waits for what workers that have ended leave running. */
    readonly afterEach: () => Promise<void>;
  },
): Promise<Map<Work, Sample[]>> {
  const found = new Map(works.map((work) => [
    work,
    cases.map(({ name }) => ({
      ...{ name, times: [] as number[], cpu: [] as number[] },
    })),
  ]));
  for (let round = 0; round < ROUNDS; round++) {
    const workers = cases.map((item) => new Worker(item));
    for (const work of works) {
      for (const [i, taken] of (await takeTurns(workers, work)).entries()) {
        const { times, cpu } = found.get(work)![i]!;
        times.push(lowerHalf(taken.map(({ time }) => time)));
        cpu.push(lowerHalf(taken.map(({ cpu }) => cpu)));
      }
    }
    for (const worker of workers) await worker.end();
    await afterEach();
  }
  return found;
}

/** What one run took: milliseconds on the clock and of processors. */
interface Run {
  readonly time: number;
  readonly cpu: number;
}

/** All runs of each worker. They take turns in any order: who follows itself, or one that leaves much behind, is chance. */
async function takeTurns(
  workers: readonly Worker[],
  work: Work,
): Promise<Run[][]> {
  const runs: Run[][] = workers.map(() => []);
  for (let turn = -WARM_UP_TURNS; turn < work.turns; turn++) {
    const order = workers.map((worker, i) => ({ worker, i, at: Math.random() }))
      .sort((a, b) => a.at - b.at);
    for (const { worker, i } of order) {
      const taken = await worker.work(work);
      if (turn >= 0) runs[i]!.push(...taken);
    }
  }
  return runs;
}

/** The mean of the lower half: what else a machine does only ever adds to what something takes. */
function lowerHalf(values: readonly number[]): number {
  const half = values.toSorted((a, b) => a - b).slice(0, values.length / 2);
  return half.reduce((sum, value) => sum + value, 0) / half.length;
}

/** A process that works when it is told to. */
class Worker {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #said: Promise<string>;

  constructor({ name, program, args, env, cwd }: Case) {
    this.#name = name;
    this.#child = new Deno.Command(program, {
      ...{ args: [...args], env: { ...env }, clearEnv: true, cwd },
      ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#said = new Response(this.#child.stderr).text();
  }

  async work({ command, times }: Work): Promise<Run[]> {
    const asked = [times, ...command].join("\t") + "\n";
    await this.#input.write(new TextEncoder().encode(asked));
    let line = "";
    while (!line.endsWith("\n")) {
      const { value, done } = await this.#output.read();
      if (done) {
        throw new ScriptError(
          `Cannot bench "${this.#name}": it ended: ${await this.#said}`,
        );
      }
      line += value;
    }
    const numbers = line.trim().split(" ").map(Number);
    return Array.from({ length: numbers.length / 2 }, (_, i) => ({
      ...{ time: numbers[2 * i]!, cpu: numbers[2 * i + 1]! },
    }));
  }

  async end(): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
    await this.#said;
  }
}
