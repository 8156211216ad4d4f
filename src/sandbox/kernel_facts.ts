/** What this kernel offers. */
import { readText } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { landlockAbi } from "../os/landlock.ts";
import { ARCHITECTURE, syscall } from "../os/syscall.ts";
import { NO_LANDLOCK } from "./exec_error.ts";
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

/** Why no agent can be confined on this system; undefined where one can, as far as is known without trying. For people. */
export function noSandbox(os: Host["os"]): string | undefined {
  if (os === "windows") return "there is no sandbox on Windows";
  return os === "linux" && landlockAbi() < 1 ? NO_LANDLOCK : undefined;
}
