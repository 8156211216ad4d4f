/** Ending every process that carries a mark of ours, wherever it has gone: Linux. See `process_marks.ts`. */
import { AppError } from "../base/errors.ts";
import { processCalls } from "./c_process.ts";
import { processIds } from "./pidfd.ts";
import { processStart, sleep } from "./process.ts";
import { readBytes } from "./fs.ts";
import { markIn, withMarks } from "./process_marks.ts";

/** Between two looks for what is left, milliseconds. */
const PAUSE_MS = 2;
const MAX_LOOKS = 500;
const SIGKILL = 9;

/** Kills every process with one of these marks, until there is none. */
export async function endMarked(marks: readonly number[]): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const found = withMarks(processIds(), marks)
      .filter((pid) => processStart(pid) !== undefined);
    if (found.length === 0) return;
    for (const pid of found) processCalls().kill(pid, SIGKILL);
    await sleep(PAUSE_MS);
  }
}

/**
 * A process with this mark that lives; undefined when there is none, and "unsure" when that cannot be told. One that gives way to a child while we look is found
 * too: whoever was there and could not be looked at makes us look again.
 */
export function findMarked(mark: number): number | undefined | "unsure" {
  const others = new Set<number>();
  for (let look = 0; look < MAX_LOOKS; look++) {
    let isSure = true;
    for (const pid of processIds()) {
      if (others.has(pid)) continue;
      const limits = readLimits(pid);
      if (limits === undefined) isSure = false;
      else if (markIn(limits) !== mark) others.add(pid);
      else if (processStart(pid) !== undefined) return pid;
    }
    if (isSure) return undefined;
  }
  return "unsure";
}

function readLimits(pid: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readBytes(`/proc/${pid}/limits`);
  } catch (error) {
    // It ended between opening and reading.
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
