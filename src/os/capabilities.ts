/** Capabilities: the parts that the power of root is made of on Linux. */
import { ERRNO, syscall } from "./syscall.ts";

const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
/** More than there are; asking for one that the kernel does not know ends the loop. */
const CAPABILITIES = 64;

/**
 * Takes every capability from the calling thread, in all five sets, so that no program gets one back. Returns 0 or the
 * negative errno.
 */
export function dropCapabilities(): number {
  const bounding = dropBoundingSet();
  // Without CAP_SETPCAP the bounding set stays: then there is nothing to lose, and no_new_privs keeps it so.
  if (bounding < 0 && bounding !== -ERRNO.EPERM) return bounding;
  const ambient = syscall(
    "prctl",
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    0,
    0,
    0,
  );
  if (ambient < 0) return ambient;
  const header = new Uint8Array(
    new Uint32Array([CAPABILITY_VERSION_3, 0]).buffer,
  );
  return syscall("capset", header, new Uint8Array(24));
}

function dropBoundingSet(): number {
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    const has = syscall("prctl", PR_CAPBSET_READ, capability, 0, 0, 0);
    if (has === -ERRNO.EINVAL) return 0;
    if (has < 0) return has;
    if (has === 0) continue;
    const result = syscall("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (result < 0) return result;
  }
  return 0;
}
