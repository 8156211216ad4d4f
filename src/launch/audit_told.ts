/**
 * What the agent itself has written down of calls that the system refused to its tools. The kernel tells no launcher of those.
 * It is what the agent says: something hostile may leave it out or make it up.
 */
import { claude, codex } from "../agents/mod.ts";
import type { SessionLog } from "../audit/mod.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { lstat, readDir, type Stat } from "../os/fs.ts";
import { readForeign } from "../os/foreign_file.ts";

/** Whose records are read. */
export interface TellingAgents {
  /** Their own directories in the env. */
  readonly claude: AbsPath;
  readonly codex: AbsPath;
  /** Start of the session, milliseconds since 1970. */
  readonly since: number;
}

/** Claude: a project, its conversations, what those started. Codex: year, month, day. */
const MAX_DEPTH = 4;
const MAX_FILES = 200;
/** Of one record; its end counts. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_ENTRIES = 10_000;

/** Adds each refusal once. To be called when nothing of the session lives any more. What cannot be read is left out. */
export function tellRefusedTools(
  { since, ...dirs }: TellingAgents,
  log: SessionLog,
): void {
  const told = new Set<string>();
  const found = [
    ...recordsIn(join(dirs.claude, claude.RECORDS), since)
      .flatMap((path) => claude.refusedTools(endOf(path, dirs.claude), since)),
    ...recordsIn(join(dirs.codex, codex.RECORDS), since)
      .flatMap((path) => codex.refusedTools(endOf(path, dirs.codex), since)),
  ];
  for (const { time, tool, why } of found) {
    const name = `${tool} ${why}`;
    if (told.has(name)) continue;
    told.add(name);
    const when = new Date(time).toISOString();
    log.tell({ event: "tool-refused", tool, why, when }, "agent");
  }
}

/** Something of the agent's may live on and put a link or a pipe there while this reads. */
function endOf(path: AbsPath, below: AbsPath): string {
  const options = { below, maxBytes: MAX_BYTES, tail: true };
  const bytes = ifOpen(() => readForeign(path, options));
  return new TextDecoder().decode(bytes);
}

/** Records that were written since. What lies there the agent has made: links are not followed, and nothing but files is opened. */
function recordsIn(dir: AbsPath, since: number): AbsPath[] {
  const found: AbsPath[] = [];
  let looked = 0;
  const walk = (at: AbsPath, depth: number) => {
    if (statOf(at)?.kind !== "directory") return;
    for (const { name, kind } of ifOpen(() => readDir(at)) ?? []) {
      if (++looked > MAX_ENTRIES || found.length >= MAX_FILES) return;
      const path = join(at, name);
      if (kind === "directory" && depth < MAX_DEPTH) walk(path, depth + 1);
      if (kind !== "file" || !name.endsWith(".jsonl")) continue;
      if ((statOf(path)?.mtime ?? 0) >= since) found.push(path);
    }
  };
  walk(dir, 0);
  return found;
}

function statOf(path: AbsPath): Stat | undefined {
  return ifOpen(() => lstat(path));
}

/** What is inside may have closed its own directories. */
function ifOpen<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return undefined;
  }
}
