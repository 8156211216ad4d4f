/** Process groups: a program with all it started, as long as that did not make a group of its own. */
import { monotonicMs } from "./clock.ts";
import { processCalls } from "./c_process.ts";
import { sleep } from "./process.ts";

const SIGTERM = 15;
const SIGKILL = 9;
const LOOK_MS = 20;
/** A killed process may wait for its disk; longer than this, milliseconds, nobody waits for it. */
const KILL_MS = 500;

/** Sends a signal to all of a group; whether there was anybody. 0 only asks. */
export function signalGroup(group: number, signal: number): boolean {
  return processCalls().kill(-group, signal) === 0;
}

/** Asks a group to end, and kills what is left of it after `graceMs` milliseconds. */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  for (
    const [signal, time] of [[SIGTERM, graceMs], [SIGKILL, KILL_MS]] as const
  ) {
    const deadline = monotonicMs() + time;
    // Once nobody is there, the number may become somebody else's: it is not used again.
    if (!signalGroup(group, signal)) return;
    do {
      await sleep(LOOK_MS);
      if (!signalGroup(group, 0)) return;
    } while (monotonicMs() < deadline);
  }
}
