/** What commands cost where there is much: an install with nothing to do for 100 plugins, a list of 1,000 environments. */

import { join } from "node:path";
import { capture, say, ScriptError } from "../support/script.ts";
import type { Arena } from "./arena.ts";
import { type Case, formatTable, measure, median } from "./measure.ts";

const PLUGINS = 100;
const ENVIRONMENTS = 1_000;

/** Goals, as multiples of the empty program, and in bytes. */
const MAX_INSTALL = 1.5;
const MAX_LIST = 2;
const MAX_BYTES = 150e6;

const POLL_MS = 2;
const SETTLE_MS = 2_500;

/** Measures in homes of their own below the arena, prints it, and returns the goals that were missed. */
export async function reportCrowd(
  arena: Arena,
  rounds: number,
): Promise<string[]> {
  const empty = { ...placeOf(arena, "empty"), program: arena.empty, args: [] };
  const install = await makePlugins(arena);
  const list = await makeEnvironments(arena);
  const goals: readonly (readonly [Case, number])[] = [
    [install, MAX_INSTALL],
    [list, MAX_LIST],
  ];
  const samples = await measure(
    [{ ...empty, name: "empty program" }, install, list],
    rounds,
  );
  const [base, ...times] = samples.map((sample) => median(sample.times));
  const rows = [["case", "median ms", "÷ empty", "goal", "peak MB"]];
  const missed: string[] = [];
  for (const [i, [item, most]] of goals.entries()) {
    const ratio = times[i]! / base!;
    const bytes = await peakMemory(item);
    rows.push([
      item.name,
      times[i]!.toFixed(1),
      ratio.toFixed(2),
      `≤ ${most}`,
      (bytes / 1e6).toFixed(0),
    ]);
    if (ratio > most) missed.push(item.name);
    if (bytes > MAX_BYTES) missed.push(`memory, ${item.name}`);
  }
  say(`\nMedians of ${rounds} interleaved runs\n`);
  say(formatTable(rows));
  return missed;
}

/** A home of its own, and a directory to stand in. */
function placeOf(
  arena: Arena,
  name: string,
): { readonly env: Readonly<Record<string, string>>; readonly cwd: string } {
  const home = join(arena.root, `crowd-${name}`);
  const cwd = join(home, "project");
  Deno.mkdirSync(cwd, { recursive: true });
  const env = { ...arena.env, HOME: home, AENV_HOME: join(home, ".aenv") };
  return { env, cwd };
}

/** A project with plugins, installed. */
async function makePlugins(arena: Arena): Promise<Case> {
  const place = placeOf(arena, "plugins");
  await run(arena.aenv, ["init", "--no-default"], place);
  await run(arena.aenv, ["init", "--here", "app"], place);
  for (let i = 0; i < PLUGINS; i++) {
    const dir = join(place.cwd, `p${i}`, ".claude-plugin");
    Deno.mkdirSync(dir, { recursive: true });
    Deno.writeTextFileSync(join(dir, "plugin.json"), `{"name":"p${i}"}`);
    const entry = `\n[[plugins.enabled]]\nname = "p${i}"\nsource = "./p${i}"\n`;
    const manifest = join(place.cwd, "aenv.toml");
    Deno.writeTextFileSync(manifest, entry, { append: true });
  }
  await run(arena.aenv, ["install"], place);
  const name = `install, ${PLUGINS} plugins, nothing to do`;
  return { name, program: arena.aenv, args: ["install"], ...place };
}

/** Environments as `aenv new` makes them. */
async function makeEnvironments(arena: Arena): Promise<Case> {
  const place = placeOf(arena, "environments");
  await run(arena.aenv, ["init", "--no-default"], place);
  await run(arena.aenv, ["new", "e0"], place);
  const envs = join(place.env["AENV_HOME"]!, "envs");
  const text = Deno.readTextFileSync(join(envs, "e0", "aenv.toml"));
  for (let i = 1; i < ENVIRONMENTS; i++) {
    Deno.mkdirSync(join(envs, `e${i}`), { mode: 0o700 });
    const own = text.replace('name = "e0"', `name = "e${i}"`);
    const file = join(envs, `e${i}`, "aenv.toml");
    Deno.writeTextFileSync(file, own, { mode: 0o600 });
  }
  // What manifests say is kept once they are no longer new.
  await new Promise((wake) => setTimeout(wake, SETTLE_MS));
  await run(arena.aenv, ["list"], place);
  const name = `list, ${ENVIRONMENTS} environments`;
  return { name, program: arena.aenv, args: ["list"], ...place };
}

async function run(
  program: string,
  args: readonly string[],
  place: Pick<Case, "env" | "cwd">,
): Promise<void> {
  const done = await capture(program, args, { ...place, clearEnv: true });
  if (done.success) return;
  throw new ScriptError(`Cannot run "aenv ${args.join(" ")}": ${done.stderr}`);
}

/** The most resident memory that was seen while a program ran, in bytes. Linux only; 0 elsewhere. */
async function peakMemory(item: Case): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  const child = new Deno.Command(item.program, {
    args: [...item.args],
    env: { ...item.env },
    clearEnv: true,
    cwd: item.cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  const ended = child.status.then(() => hasEnded = true);
  let peak = 0;
  while (!hasEnded) {
    peak = Math.max(peak, residentPeak(child.pid));
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  await ended;
  return peak;
}

function residentPeak(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch (error) {
    // Over by now.
    const isGone = error instanceof Deno.errors.NotFound ||
      (error instanceof Error && "code" in error && error.code === "ESRCH");
    if (!isGone) throw error;
    return 0;
  }
}
