/** What the sandbox costs: at a start, at the first one, and inside; against none, and against other sandboxes. */

import { join } from "node:path";
import { say } from "../support/script.ts";
import { addEnvironment, type Arena, ENVIRONMENTS } from "./arena.ts";
import {
  type Case,
  formatTable,
  measure,
  median,
  medianOfPairs,
  type Sample,
} from "./measure.ts";
import { untilQuiet } from "./left_over.ts";
import { findRivals, type Rival } from "./rivals.ts";
import { inTurns, loopOf } from "./turns.ts";

/** Goals: milliseconds more for a start, and times the time of a program that is started inside. */
const MAX_START_MS = 3;
const MAX_INSIDE = 1.02;

/** Rounds of what takes long. */
const FIRST_ROUNDS = 7;
const PROGRAMS = 40;
const FILES = 1_000;

/** Environments with a sandbox, by what their network is. */
const CONFINED = { open: "bench-open", hosts: "bench-hosts" } as const;

const NETWORKS = {
  open: "",
  hosts: 'network = { mode = "hosts", allow = [] }\n',
} as const;

const PROGRAMS_ROW = `${PROGRAMS} programs`;

/** What is done inside. */
const WORK: Readonly<Record<string, string>> = {
  [PROGRAMS_ROW]: `for ((i = 0; i < ${PROGRAMS}; i++)); do /bin/true; done`,
  [`${FILES} files read`]: "cat files/*",
};

/** Measures, prints, and returns the goals that were missed. */
export async function reportSandbox(
  arena: Arena,
  { rounds, install }: { readonly rounds: number; readonly install: boolean },
): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  for (const [network, name] of Object.entries(CONFINED)) {
    const lines = NETWORKS[network as keyof typeof NETWORKS];
    const sandbox = `\n[sandbox]\nenabled = true\n${lines}`;
    await addEnvironment(arena, name, `isolation = "private"\n${sandbox}`);
  }
  const { project } = arena;
  const rivals = await findRivals({
    ...{ home: arena.env["HOME"]!, project, install },
  });
  return [
    ...await reportStarts(arena, rivals, rounds),
    ...await reportFirst(arena),
    ...await reportInside(arena, rivals),
  ];
}

/** A command as it is, in an environment without a sandbox, in those with one, and in other sandboxes. */
function everyWay(
  arena: Arena,
  rivals: readonly Rival[],
  command: readonly string[],
): Case[] {
  const { aenv, env, project: cwd } = arena;
  const through = (name: string, AENV: string): Case => ({
    ...{ name, program: aenv, args: ["exec", "--", ...command], cwd },
    env: { ...env, AENV },
  });
  const direct = (
    name: string,
    [program, ...args]: readonly string[],
  ): Case => ({
    ...{ name, program: program!, args, env, cwd },
  });
  return [
    direct("as it is", command),
    through("aenv, no sandbox", ENVIRONMENTS.private),
    through("aenv, sandbox", CONFINED.open),
    through("aenv, sandbox, listed hosts", CONFINED.hosts),
    ...rivals.map(({ name, network, wrap }) =>
      direct(network === "open" ? name : `${name}, listed hosts`, wrap(command))
    ),
  ];
}

async function reportStarts(
  arena: Arena,
  rivals: readonly Rival[],
  rounds: number,
): Promise<string[]> {
  const agent = (name: string, AENV?: string): Case => ({
    name,
    program: AENV === undefined ? arena.agent : arena.shim,
    args: ["--version"],
    env: AENV === undefined ? arena.env : { ...arena.env, AENV },
    cwd: arena.project,
  });
  const afterEach = () => untilQuiet(arena);
  const agents = await measure(
    [
      agent("claude --version, as it is"),
      agent("aenv, no sandbox", ENVIRONMENTS.private),
      agent("aenv, sandbox", CONFINED.open),
      agent("aenv, sandbox, listed hosts", CONFINED.hosts),
    ],
    rounds,
    { afterEach },
  );
  const ways = everyWay(arena, rivals, ["/bin/true"]);
  const own = ways.slice(0, ways.length - rivals.length);
  const programs = await measure(own, rounds, { afterEach });
  // By themselves: some make files in the project, after which a launch of ours looks at everything anew.
  programs.push(...await measure(ways.slice(own.length), rounds));
  programs[0] = { ...programs[0]!, name: "true, as it is" };
  say(`\nStarts, medians of ${rounds} interleaved runs\n`);
  const header = [
    "",
    "ms",
    "more than bare",
    "sandbox alone",
    "CPU ms",
    "alone",
  ];
  say(formatTable([
    header,
    ...startRows(agents),
    header.map(() => ""),
    ...startRows(programs),
  ]));
  const more = difference(agents[2]!, agents[1]!);
  say(
    `\nGoal: a start of the agent in the sandbox ≤ ${MAX_START_MS} ms more than without`,
  );
  return more > MAX_START_MS ? ["start in the sandbox"] : [];
}

function startRows(samples: readonly Sample[]): string[][] {
  const [bare, free] = samples;
  return samples.map((sample) => {
    const isOurs = sample.name.startsWith("aenv, sandbox");
    const alone = (kind: "times" | "cpu") =>
      isOurs ? difference(sample, free!, kind).toFixed(1) : "";
    return [
      sample.name,
      median(sample.times).toFixed(1),
      sample === bare ? "" : difference(sample, bare!).toFixed(1),
      alone("times"),
      median(sample.cpu).toFixed(1),
      alone("cpu"),
    ];
  });
}

function difference(
  one: Sample,
  other: Sample,
  kind: "times" | "cpu" = "times",
): number {
  return medianOfPairs(one[kind], other[kind], (a, b) => a - b);
}

/** The first start of all tries what must fail; the others read that this was done. */
async function reportFirst(arena: Arena): Promise<string[]> {
  const probes = join(arena.env["AENV_HOME"]!, "probes");
  const rows = [["first start, with the trial", "ms", "more than the next"]];
  for (const [network, AENV] of Object.entries(CONFINED)) {
    const command: Case = {
      name: network,
      program: arena.aenv,
      args: ["exec", "--", "/bin/true"],
      env: { ...arena.env, AENV },
      cwd: arena.project,
    };
    const first: number[] = [];
    const next: number[] = [];
    for (let round = 0; round < FIRST_ROUNDS; round++) {
      await forget(probes);
      first.push(await once(command));
      next.push(await once(command));
    }
    const more = medianOfPairs(first, next, (a, b) => a - b);
    rows.push([network, median(first).toFixed(1), more.toFixed(1)]);
  }
  say("\n" + formatTable(rows));
  return [];
}

async function forget(dir: string): Promise<void> {
  try {
    await Deno.remove(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function once(item: Case): Promise<number> {
  const [{ times }] = await measure([item], 1, { warmUp: 0 }) as [Sample];
  return times[0]!;
}

/** What the same work takes in all ways, in small pieces by turns: a machine that is busy is so for all alike. */
async function reportInside(
  arena: Arena,
  rivals: readonly Rival[],
): Promise<string[]> {
  const files = join(arena.project, "files");
  await Deno.mkdir(files);
  for (let i = 0; i < FILES; i++) {
    await Deno.writeTextFile(join(files, `f${i}`), "x".repeat(100));
  }
  const missed: string[] = [];
  for (const [what, work] of Object.entries(WORK)) {
    const samples = await inTurns(everyWay(arena, rivals, [
      ...["/bin/bash", "-c", loopOf(work)],
    ]));
    const bare = samples[0]!;
    const rows = [[`inside, ${what}`, "ms", "÷ bare", "CPU ms", "÷ bare"]];
    for (const { name, times, cpu } of samples) {
      const ratio = medianOfPairs(times, bare.times, (a, b) => a / b);
      const cost = total(cpu) / total(bare.cpu);
      rows.push([
        ...[name, median(times).toFixed(1), ratio.toFixed(3)],
        ...[(total(cpu) / cpu.length).toFixed(1), cost.toFixed(3)],
      ]);
      const counts = name === "aenv, sandbox" && work === WORK[PROGRAMS_ROW];
      if (counts && cost > MAX_INSIDE) missed.push(`inside, ${what}`);
    }
    say("\n" + formatTable(rows));
  }
  say(
    `\nGoal: a program that is started inside ≤ ${MAX_INSIDE} × outside, by processor time`,
  );
  return missed;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
