/** Shells that do the same work in different places, by turns. */

import { ScriptError } from "../support/script.ts";
import type { Case, Sample } from "./measure.ts";

const TURNS = 60;
const WARM_UP_TURNS = 3;

/** Does the work once for each line that it reads, and says when it began and ended, and the seconds of processors. */
export function loopOf(work: string): string {
  return `TIMEFORMAT='%U %S'
while read -r _; do
  start=$EPOCHREALTIME
  cpu=$( { time { ${work}; } > /dev/null 2>&1; } 2>&1 )
  echo $start $EPOCHREALTIME $cpu
done`;
}

/** Lets every case work by turns; each is a shell that runs {@link loopOf} something. */
export async function inTurns(cases: readonly Case[]): Promise<Sample[]> {
  const workers = cases.map((item) => new Worker(item));
  for (let round = -WARM_UP_TURNS; round < TURNS; round++) {
    for (const worker of workers) await worker.work(round >= 0);
  }
  return await Promise.all(workers.map((worker) => worker.end()));
}

/** A shell that works when it is told to. */
class Worker {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #times: number[] = [];
  readonly #cpu: number[] = [];

  constructor({ name, program, args, env, cwd }: Case) {
    this.#name = name;
    this.#child = new Deno.Command(program, {
      ...{ args: [...args], env: { ...env }, clearEnv: true, cwd },
      ...{ stdin: "piped", stdout: "piped", stderr: "null" },
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  async work(isCounted: boolean): Promise<void> {
    await this.#input.write(new Uint8Array([10]));
    let line = "";
    while (!line.endsWith("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new ScriptError(`Cannot bench "${this.#name}": it ended`);
      line += value;
    }
    const [start, end, user, system] = line.trim().split(" ").map(Number);
    if (!isCounted) return;
    this.#times.push((end! - start!) * 1000);
    this.#cpu.push((user! + system!) * 1000);
  }

  async end(): Promise<Sample> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
    return { name: this.#name, times: this.#times, cpu: this.#cpu };
  }
}
