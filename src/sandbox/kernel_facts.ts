/** What this kernel offers. */
import { readText } from "../os/fs.ts";
import { landlockAbi } from "../os/landlock.ts";
import { ARCHITECTURE, syscall } from "../os/syscall.ts";
import type { KernelFacts } from "./exec_types.ts";

/** Asks the kernel. */
export function readKernelFacts(): KernelFacts {
  return {
    release: readText("/proc/sys/kernel/osrelease")?.trim() ?? "",
    architecture: ARCHITECTURE,
    landlockAbi: landlockAbi(),
    uid: syscall("geteuid"),
  };
}
