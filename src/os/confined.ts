/** Whether this process is confined, as the system sees it. */
import { readText } from "./fs.ts";

/** Whether Linux holds this process to filters that it cannot take off. A container may do the same. False elsewhere. */
export function isFiltered(): boolean {
  const status = Deno.build.os === "linux"
    ? readText("/proc/self/status") ?? ""
    : "";
  return /^NoNewPrivs:\t1$/m.test(status) && /^Seccomp:\t2$/m.test(status);
}
