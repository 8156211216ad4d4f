/** Capabilities: the parts that the power of root is made of on Linux. */
import type { Step } from "./clone.ts";
import { readBytes } from "./fs.ts";
import { syscall } from "./syscall.ts";

const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
const CAP_SETPCAP = 8n;
const CAP_SYS_PTRACE = 19n;
const CAP_SYS_ADMIN = 21n;

/** What this process may do as root. */
export interface Capabilities {
  /** Whether it may take capabilities from its own bounding set. */
  readonly canDrop: boolean;
  readonly canMount: boolean;
  /** Whether it may look into processes that are not below it. */
  readonly canTrace: boolean;
}

const NONE: Capabilities = { canDrop: false, canMount: false, canTrace: false };

/** Reads what this process may do. Users other than root are not looked at: what they have they lose, and cannot get back. */
export function readCapabilities(): Capabilities {
  if (syscall("geteuid") !== 0) return NONE;
  const bytes = readBytes("/proc/self/status");
  const text = bytes && new TextDecoder("latin1").decode(bytes);
  const match = text && /^CapEff:\s+([0-9a-f]+)$/m.exec(text);
  const bits = match ? BigInt(`0x${match[1]}`) : 0n;
  const has = (bit: bigint) => (bits >> bit & 1n) === 1n;
  return {
    canDrop: has(CAP_SETPCAP),
    canMount: has(CAP_SYS_ADMIN),
    canTrace: has(CAP_SYS_PTRACE),
  };
}

/**
 * Steps that take every capability from a process, in all five sets, so that no program gets one back. `canDrop` says
 * whether it has the right to: who has not has none to lose, and no_new_privs keeps it so.
 */
export function dropCapabilitySteps(
  { canDrop }: Pick<Capabilities, "canDrop">,
): Step[] {
  const bounding = canDrop ? allCapabilities() : [];
  const header = new Uint8Array(
    new Uint32Array([CAPABILITY_VERSION_3, 0]).buffer,
  );
  return [
    ...bounding.map((capability): Step => ({
      call: "prctl",
      args: [PR_CAPBSET_DROP, capability],
    })),
    { call: "prctl", args: [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL] },
    { call: "capset", args: [header, new Uint8Array(24)] },
  ];
}

function allCapabilities(): number[] {
  const bytes = readBytes("/proc/sys/kernel/cap_last_cap");
  const last = Number(new TextDecoder().decode(bytes));
  // More than there are would be refused, fewer would leave some.
  if (!bytes || !Number.isInteger(last)) throw new Error("no cap_last_cap");
  return Array.from({ length: last + 1 }, (_, capability) => capability);
}
