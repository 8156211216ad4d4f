/** Which agents run in which env: one directory per launch, `runs/<pid>-<start>/`, dead ones removed on the way. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { discard } from "../os/discard.ts";
import {
  ensureDir,
  makeDir,
  readDir,
  readText,
  removeTree,
  writeAtomic,
  writeNew,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { processStart } from "../os/process.ts";

/** A launch. The launcher mostly becomes the agent: then its process id and start are the agent's. */
export interface Run {
  readonly pid: number;
  /** See `processStart`: tells a process from a later one with the same id. */
  readonly start: string;
  readonly label: string;
  readonly slotName: string;
  readonly agent: string;
  readonly cwd: string;
  /** The agent, where the launcher did not become it. */
  readonly agentProcess?: { readonly pid: number; readonly start: string };
  /** The launch's own directory; also holds its generated files. */
  readonly dir: AbsPath;
}

const RECORD = "run.json";

/** Writes down that this process is about to become an agent, and clears away what dead ones left; returns the launch's directory. */
export function beginRun(
  dirs: Dirs,
  host: Host,
  run: Omit<Run, "pid" | "start" | "dir" | "agentProcess">,
): AbsPath {
  ensureDir(dirs.runs);
  // An agent that ends runs nothing of ours: the next launch cleans up behind it.
  liveRuns(dirs);
  const start = ownStart(host);
  const dir = runDirFor(dirs, host);
  // A directory of this name is this very process's own, from a launch that failed: nobody else can use it.
  removeTree(dir);
  makeDir(dir);
  writeNew(
    join(dir, RECORD),
    JSON.stringify({ pid: host.pid, start, ...run }) + "\n",
  );
  return dir;
}

/** The directory of this process's launch; made by {@link beginRun}. */
export function runDirFor(dirs: Dirs, host: Host): AbsPath {
  return join(dirs.runs, `${host.pid}-${ownStart(host)}`);
}

/** Starts of processes that were asked for: a plan, a record and a directory name need the same one. */
const starts = new Map<number, string>();

function ownStart(host: Host): string {
  const start = starts.get(host.pid) ?? processStart(host.pid) ?? "unknown";
  starts.set(host.pid, start);
  return start;
}

/** Writes down which process the agent of a launch is, where this one stays beside it. */
export function nameAgent(dir: AbsPath, pid: number): void {
  const record = readRecord(dir);
  const start = processStart(pid);
  if (record === undefined || start === undefined) return;
  const { dir: _, ...run } = record;
  const text = JSON.stringify({ ...run, agentProcess: { pid, start } });
  writeAtomic(join(dir, RECORD), text + "\n");
}

/** Forgets a launch that came to nothing, or has come to its end. What somebody still writes to, a later launch removes. */
export function endRun(dir: AbsPath): void {
  discard(dir);
}

/** The launches whose process, or agent, still lives. Directories of dead ones are removed. */
export function liveRuns(dirs: Dirs): Run[] {
  const live: Run[] = [];
  for (const entry of readDir(dirs.runs) ?? []) {
    const match = /^(\d+)-([A-Za-z0-9_]+)$/.exec(entry.name);
    if (!match || entry.kind !== "directory") continue;
    const dir = join(dirs.runs, entry.name);
    if (!isProcess(Number(match[1]), match[2]) && !agentLives(dir)) {
      // On a disk that cannot be written it stays, and is no reason to fail.
      discard(dir);
      continue;
    }
    const run = readRecord(dir);
    // A record that cannot be read belongs to a live process that is just writing it.
    if (run) live.push(run);
  }
  return live;
}

function isProcess(pid: number, start: string | undefined): boolean {
  return start !== undefined && processStart(pid) === start;
}

/** Whether the agent of a dead launch outlived it: it needs its files. */
function agentLives(dir: AbsPath): boolean {
  const agent = readRecord(dir)?.agentProcess;
  return agent !== undefined && isProcess(agent.pid, agent.start);
}

function readRecord(dir: AbsPath): Run | undefined {
  const text = readText(join(dir, RECORD));
  if (text === undefined || !text.endsWith("\n")) return undefined;
  return { ...JSON.parse(text) as Omit<Run, "dir">, dir };
}
