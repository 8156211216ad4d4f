/** What the sandbox costs: at a start, at the first one, and inside; against none, and against other sandboxes. */

import { join } from "node:path";
import { capture, say } from "../support/script.ts";
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
import { inTurns, ROUNDS, type Work, WORKER } from "./turns.ts";

/** Goals: milliseconds more for a start, and times the time of a program that is started inside. */
const MAX_START_MS = 3;
const MAX_INSIDE = 1.02;

/** Rounds of what takes long. */
const FIRST_ROUNDS = 7;
const FILES = 1_000;

/** Environments with a sandbox, by what their network is. */
const CONFINED = { open: "bench-open", hosts: "bench-hosts" } as const;

const NETWORKS = {
  open: "",
  hosts: 'network = { mode = "hosts", allow = [] }\n',
} as const;

/** What is done inside. The first has a goal. */
const WORK: Readonly<Record<string, Work>> = {
  ["a program is started"]: { command: ["/bin/true"], times: 4, turns: 30 },
  [`${FILES} files are read`]: {
    command: ["/bin/sh", "-c", "cat files/* > /dev/null"],
    ...{ times: 1, turns: 8 },
  },
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
  const home = arena.env["HOME"]!;
  const project = join(home, "rivals");
  await Deno.mkdir(project);
  const rivals = await findRivals({ home, project, install });
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
    ...rivals.map(({ name, network, project, wrap }) => ({
      ...direct(
        network === "open" ? name : `${name}, listed hosts`,
        wrap(command),
      ),
      cwd: project,
    })),
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
  const programs = await measure(ways, rounds, { afterEach });
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
  for (const project of [arena, ...rivals].map(({ project }) => project)) {
    await makeFiles(join(project, "files"));
  }
  const [bare, ...others] = everyWay(arena, rivals, WORKER);
  const cases = [
    bare!,
    { ...bare!, name: "as it is, once more" },
    {
      ...bare!,
      name: "as it is, with the sandbox's variables",
      env: await variablesInside(arena),
    },
    ...others,
  ];
  const found = await inTurns(cases, Object.values(WORK), {
    afterEach: () => untilQuiet(arena),
  });
  const missed: string[] = [];
  for (const [what, work] of Object.entries(WORK)) {
    const samples = found.get(work)!;
    say("\n" + formatTable(insideRows(`inside, ${what}`, samples)));
    const ours = samples.find(({ name }) => name === "aenv, sandbox")!;
    const cost = ratios(ours, samples[0]!, "cpu").middle;
    if (work === Object.values(WORK)[0] && cost > MAX_INSIDE) {
      missed.push(`inside, ${what}`);
    }
  }
  say(
    `\nMedians of ${ROUNDS} rounds, and between which values half of them lie. Goal: a program that is started inside ≤ ${MAX_INSIDE} × outside, by processor time`,
  );
  return missed;
}

async function makeFiles(dir: string): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  for (let i = 0; i < FILES; i++) {
    await Deno.writeTextFile(join(dir, `f${i}`), "x".repeat(100));
  }
}

/** What a program inside finds in its environment. */
async function variablesInside(arena: Arena): Promise<Record<string, string>> {
  const { aenv, env, project: cwd } = arena;
  const { stdout } = await capture(aenv, ["exec", "--", "env", "-0"], {
    ...{ env: { ...env, AENV: CONFINED.open }, clearEnv: true, cwd },
  });
  const entries = stdout.split("\0").filter((entry) => entry.includes("="));
  return Object.fromEntries(entries.map((entry) => {
    const at = entry.indexOf("=");
    return [entry.slice(0, at), entry.slice(at + 1)];
  }));
}

function insideRows(title: string, samples: readonly Sample[]): string[][] {
  const bare = samples[0]!;
  const compared = (sample: Sample, kind: "times" | "cpu") => {
    const { low, middle, high } = ratios(sample, bare, kind);
    const spread = `${low.toFixed(3)}–${high.toFixed(3)}`;
    return [
      median(sample[kind]).toFixed(3),
      ...(sample === bare ? ["", ""] : [middle.toFixed(3), spread]),
    ];
  };
  return [
    [title, "ms", "÷ bare", "half in", "CPU ms", "÷ bare", "half in"],
    ...samples.map((sample) => [
      sample.name,
      ...compared(sample, "times"),
      ...compared(sample, "cpu"),
    ]),
  ];
}

/** What a case took as a multiple of another, round by round: the middle, and what a quarter is below and above. */
function ratios(
  one: Sample,
  other: Sample,
  kind: "times" | "cpu",
): { readonly low: number; readonly middle: number; readonly high: number } {
  const sorted = one[kind].map((value, round) => value / other[kind][round]!)
    .sort((a, b) => a - b);
  const quarter = sorted.length >> 2;
  return {
    low: sorted[quarter]!,
    middle: median(sorted),
    high: sorted[sorted.length - 1 - quarter]!,
  };
}
