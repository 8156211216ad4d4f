/** The clock of the file system: on many kernels it moves in steps of some milliseconds. */
import { markOf } from "../../src/os/marks.ts";

/** Returns when whatever changes in `directory` gets a later change time than everything before this call. */
export function waitForTick(directory: string): void {
  const probe = `${directory}/tick-probe`;
  Deno.writeTextFileSync(probe, "");
  const time = markOf(probe)!.ctime;
  do Deno.writeTextFileSync(probe, ""); while (markOf(probe)!.ctime <= time);
  Deno.removeSync(probe);
}
