/** Landlock, the access control that a thread of Linux puts on itself. Masks are those of linux/landlock.h. */
import type { Step } from "./clone.ts";
import { syscall } from "./syscall.ts";

const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const RULE_NET_PORT = 2;

/** What a ruleset is about: whatever is handled and not allowed by a rule is denied. */
export interface RulesetScope {
  readonly handledFiles: number;
  readonly handledNetwork: number;
  readonly scoped: number;
}

/** Version of the interface; 0 where the kernel has none, or has it switched off. */
export function landlockAbi(): number {
  return Math.max(
    0,
    syscall("landlock_create_ruleset", 0, 0, CREATE_RULESET_VERSION),
  );
}

/** Makes a ruleset and returns its descriptor, or the negative errno. A kernel refuses what it does not know. */
export function createRuleset(scope: RulesetScope): number {
  const { handledFiles, handledNetwork, scoped } = scope;
  const words = [handledFiles, handledNetwork, scoped].map(BigInt);
  // Older kernels take a shorter structure, and a longer one when the rest is zero.
  const attribute = new Uint8Array(new BigUint64Array(words).buffer);
  return syscall(
    "landlock_create_ruleset",
    attribute,
    attribute.length,
    0,
  );
}

/** Allows `access` at what `fd` names and below it. Returns 0 or the negative errno. */
export function allowPath(
  ruleset: number,
  fd: number,
  options: { access: number },
): number {
  const rule = new Uint8Array(12);
  const view = new DataView(rule.buffer);
  view.setBigUint64(0, BigInt(options.access), true);
  view.setInt32(8, fd, true);
  return syscall("landlock_add_rule", ruleset, RULE_PATH_BENEATH, rule, 0);
}

/** Allows `access` at a TCP port. Returns 0 or the negative errno. */
export function allowPort(
  ruleset: number,
  port: number,
  options: { access: number },
): number {
  const words = new BigUint64Array([BigInt(options.access), BigInt(port)]);
  const rule = new Uint8Array(words.buffer);
  return syscall("landlock_add_rule", ruleset, RULE_NET_PORT, rule, 0);
}

/** Puts the ruleset on the thread, for good. Needs no_new_privs. */
export function restrictStep(ruleset: number): Step {
  return { call: "landlock_restrict_self", args: [ruleset, 0] };
}
