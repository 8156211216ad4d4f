/** Ending every process that carries a mark of ours, wherever it has gone: Linux. See `process_marks.ts`. */
import { processCalls } from "./c_process.ts";
import { processIds } from "./pidfd.ts";
import { processStart, sleep } from "./process.ts";
import { markOf } from "./process_marks.ts";

/** Between two looks for what is left, milliseconds. */
const PAUSE_MS = 2;
const MAX_LOOKS = 500;
const SIGKILL = 9;

/** Kills every process with one of these marks, until there is none. */
export async function endMarked(marks: readonly number[]): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const found = processIds().filter((pid) => {
      const mark = markOf(pid);
      return mark !== undefined && marks.includes(mark) &&
        processStart(pid) !== undefined;
    });
    if (found.length === 0) return;
    for (const pid of found) processCalls().kill(pid, SIGKILL);
    await sleep(PAUSE_MS);
  }
}
