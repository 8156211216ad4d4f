/**
 * `deno task bench [--only SECTION,…] [--rounds N] [--store-rounds N] [--dir DIR] [--bin PATH] [--agent PATH] [--install] [--check]`:
 * what aenv costs at start and where there is much of everything, against an empty program made with the same base runtime, in one
 * interleaved run; what its store costs, against the system's own tools, in a directory of DIR; what the sandbox and its proxy cost,
 * against none and against other sandboxes, which `--install` gets. `--check` fails when a goal is missed.
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  repositoryRoot,
  runScript,
  say,
  ScriptError,
  stream,
} from "../support/script.ts";
import { type Arena, closeArena, ENVIRONMENTS, openArena } from "./arena.ts";
import { reportCrowd } from "./crowd.ts";
import { measureLeftOver } from "./left_over.ts";
import { type Case, formatTable, measure, median } from "./measure.ts";
import { benchProxy } from "./proxy.ts";
import { reportSandbox } from "./sandbox.ts";
import { benchStore } from "./store.ts";

const MIN_ROUNDS = 20;
const PROXY_ROUNDS = 5;

/** Goals, as multiples of the empty program. */
const MAX_SHIM_COST = 1.3;
const MAX_CURRENT_COST = 1.2;

const EMPTY = "empty program";
const CURRENT = "aenv current";
const BARE = "claude --version, bare";

/** What can be measured by itself. */
const SECTIONS = [
  "start",
  "memory",
  "crowd",
  "store",
  "sandbox",
  "proxy",
] as const;
type Section = typeof SECTIONS[number];

interface Options {
  readonly only: readonly Section[];
  readonly rounds: number;
  /** None: the store is left out. */
  readonly storeRounds: number;
  /** Where the store is measured: on the file system that matters. */
  readonly dir: string;
  readonly aenv: string | undefined;
  readonly agent: string;
  /** Whether other sandboxes that are missing are installed. */
  readonly install: boolean;
  readonly check: boolean;
}

function readOptions(root: string): Options {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: {
      only: { type: "string", default: SECTIONS.join(",") },
      rounds: { type: "string", default: "30" },
      "store-rounds": { type: "string", default: "3" },
      dir: { type: "string", default: "/tmp" },
      bin: { type: "string" },
      agent: { type: "string" },
      install: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < MIN_ROUNDS) {
    throw new ScriptError(
      `Cannot use "${values.rounds}" rounds: take at least ${MIN_ROUNDS}`,
    );
  }
  const agent = values.agent ??
    join(root, ".cache/agents/claude-newest/node_modules/.bin/claude");
  return {
    only: readSections(values.only),
    rounds,
    storeRounds: Number(values["store-rounds"]),
    dir: values.dir,
    aenv: values.bin,
    agent,
    install: values.install,
    check: values.check,
  };
}

function readSections(text: string): Section[] {
  return text.split(",").map((word) => {
    const section = SECTIONS.find((name) => name === word);
    if (section !== undefined) return section;
    throw new ScriptError(
      `Cannot measure "${word}": there is ${SECTIONS.join(", ")}`,
    );
  });
}

function casesOf(arena: Arena): Case[] {
  const { env, project: cwd, aenv } = arena;
  const version = ["--version"];
  const throughShim = (name: string) => ({
    program: arena.shim,
    args: version,
    env: { ...env, AENV: name },
    cwd,
  });
  return [
    { name: EMPTY, program: arena.empty, args: [], env, cwd },
    {
      name: CURRENT,
      program: aenv,
      args: ["current"],
      env: { ...env, AENV: ENVIRONMENTS.private },
      cwd,
    },
    { name: BARE, program: arena.agent, args: version, env, cwd },
    { name: "  through the shim, global", ...throughShim("global") },
    {
      name: "  through the shim, private",
      ...throughShim(ENVIRONMENTS.private),
    },
    {
      name: "  through the shim, overlay",
      ...throughShim(ENVIRONMENTS.overlay),
    },
  ];
}

/** Prints the times and returns the goals that were missed. */
async function reportTimes(arena: Arena, rounds: number): Promise<string[]> {
  const cases = casesOf(arena);
  const samples = await measure(cases, rounds);
  const medians = new Map(
    samples.map(({ name, times }) => [name, median(times)]),
  );
  const empty = medians.get(EMPTY)!;
  const bare = medians.get(BARE)!;
  const missed: string[] = [];
  const rows = [["case", "median ms", "÷ empty", "minus bare", "÷ empty"]];
  for (const { name, program } of cases) {
    const time = medians.get(name)!;
    const cost = time - bare;
    const isShim = program === arena.shim;
    rows.push([
      name,
      time.toFixed(1),
      (time / empty).toFixed(2),
      isShim ? cost.toFixed(1) : "",
      isShim ? (cost / empty).toFixed(2) : "",
    ]);
    if (isShim && cost / empty > MAX_SHIM_COST) missed.push(name.trim());
    if (name === CURRENT && time / empty > MAX_CURRENT_COST) missed.push(name);
  }
  say(`\nMedians of ${rounds} interleaved runs\n`);
  say(formatTable(rows));
  say(
    `\nGoals: shim minus bare ≤ ${MAX_SHIM_COST} × empty, ${CURRENT} ≤ ${MAX_CURRENT_COST} × empty`,
  );
  return missed;
}

/** Prints what stays in memory and returns the modes in which something does. */
async function reportMemory(arena: Arena): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const missed: string[] = [];
  const rows = [["while the agent runs", "is the agent", "aenv RSS"]];
  for (const mode of ["private", "overlay"] as const) {
    const { isAgent, aenvBytes, aenvProcesses } = await measureLeftOver(
      arena,
      mode,
    );
    rows.push([
      `shim, ${mode}`,
      isAgent ? "yes" : "no",
      `${(aenvBytes / 1e6).toFixed(1)} MB in ${aenvProcesses} processes`,
    ]);
    if (!isAgent || aenvProcesses > 0) missed.push(`memory, ${mode}`);
  }
  say("\n" + formatTable(rows));
  return missed;
}

/** Prints what the store costs and returns the goals that were missed. */
async function reportStore(
  { storeRounds, dir }: Options,
): Promise<string[]> {
  if (storeRounds === 0 || Deno.build.os !== "linux") return [];
  say(`\nThe store, medians of ${storeRounds} runs\n`);
  return await benchStore(dir, { rounds: storeRounds });
}

/** Prints what the proxy of the sandbox costs and returns the goals that were missed. */
async function reportProxy(): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  say("\nThe proxy of the sandbox\n");
  return await benchProxy({ rounds: PROXY_ROUNDS });
}

/** Measures one section, prints it, and returns the goals that were missed. */
function measureSection(
  section: Section,
  arena: Arena,
  options: Options,
): Promise<string[]> {
  switch (section) {
    case "start":
      return reportTimes(arena, options.rounds);
    case "memory":
      return reportMemory(arena);
    case "crowd":
      return reportCrowd(arena, options.rounds);
    case "store":
      return reportStore(options);
    case "sandbox":
      return reportSandbox(arena, options);
    case "proxy":
      return reportProxy();
  }
}

/** A program of our own, so that no other run of the same file is counted. */
async function obtainAenv(given: string | undefined): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "aenv-bench-bin-" });
  const aenv = join(directory, "aenv");
  if (given !== undefined) {
    await Deno.copyFile(given, aenv);
    return aenv;
  }
  const build = join(repositoryRoot(), "scripts/build.ts");
  const code = await stream(Deno.execPath(), [
    "run",
    "--allow-all",
    build,
    "--no-check",
    "--out",
    aenv,
  ], { cwd: repositoryRoot() });
  if (code !== 0) throw new ScriptError("Cannot bench: the build failed");
  return aenv;
}

async function main(): Promise<number> {
  const root = repositoryRoot();
  const options = readOptions(root);
  const aenv = await obtainAenv(options.aenv);
  const arena = await openArena(aenv, {
    agent: options.agent,
    cacheDir: join(root, ".cache", "runtime"),
  });
  try {
    const missed: string[] = [];
    for (const section of options.only) {
      missed.push(...await measureSection(section, arena, options));
    }
    say(
      `\n${missed.length === 0 ? "All met" : `Missed: ${missed.join("; ")}`}`,
    );
    return options.check && missed.length > 0 ? 1 : 0;
  } finally {
    await closeArena(arena);
    await Deno.remove(join(aenv, ".."), { recursive: true });
  }
}

if (import.meta.main) await runScript(main);
