/** Becoming a program as it was prepared in an earlier launch. */
import { CALL_AT, CallList } from "../os/call_list.ts";
import { CALL } from "../os/call_numbers.ts";
import { becomeProgram, type Program } from "../os/exec.ts";
import {
  allowPacked,
  createRuleset,
  packRules,
  type RuleProblem,
} from "../os/landlock.ts";
import { unenforced } from "./unenforced.ts";
import type { QuickLaunch } from "./quick.ts";
import { bytesOf } from "./quick_format.ts";

const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
const CLOSE_RANGE_CLOEXEC = 4;
const EVERY_DESCRIPTOR = 0xffffffff;
const SET_MODE_FILTER = 1;
const INSTRUCTION_BYTES = 8;
/** ENOENT, EACCES: what is gone, or may not be looked at, is not granted. */
const SKIPS = [-2, -13];
const EBUSY = -16;
/** Where the number of a capability stands in the calls that drop them. */
const CAPABILITY_AT = CALL_AT.first + CALL_AT.argument + 2;

/**
 * Confines this process for good and becomes the program. Returns only by throwing: `SANDBOX_UNENFORCED`, or
 * `AGENT_NOT_STARTED` when the program cannot be run; this process may then be confined already.
 */
export function becomeQuickly(launch: QuickLaunch, program: Program): never {
  const ruleset = rulesetOf(launch);
  confineHere(launch, ruleset);
  becomeProgram(program);
}

function rulesetOf({ info, paths, access }: QuickLaunch): number {
  const ruleset = createRuleset(info);
  if (ruleset < 0) throw unenforced(`Landlock refuses its rules (${-ruleset})`);
  const own = packRules(info.rules);
  const rules = own && {
    paths: joined(paths, own.paths),
    access: new Int32Array(
      joined(bytesOf(access), bytesOf(own.access)).buffer,
    ),
  };
  const options = { skips: SKIPS, becomes: true };
  const failed = rules === undefined
    ? { problem: 0 }
    : allowPacked(ruleset, rules, options);
  if (failed !== undefined) throw replaced(failed.problem);
  return ruleset;
}

function joined(
  one: Uint8Array<ArrayBuffer>,
  other: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}

function replaced(problem: RuleProblem): Error {
  return unenforced(
    problem === "directory"
      ? "a file has been replaced by a directory"
      : `something granted has been replaced (error ${-problem})`,
  );
}

/** The same calls in the same order as `exec_confine` makes them. */
function confineHere(
  { machine, info: { lastCapability }, filter }: QuickLaunch,
  ruleset: number,
): void {
  const last = machine.canDrop ? lastCapability : -1;
  if (last === null || !isLast(last)) {
    throw unenforced("the kernel has other capabilities than before");
  }
  const list = new CallList(last + 8);
  const names = new Map<number, string>();
  const add = (name: keyof typeof CALL, args: readonly number[]) => {
    names.set(list.add(CALL[name], args), name);
  };
  if (last >= 0) list.add(CALL.prctl, [PR_CAPBSET_DROP, 0]);
  list.repeat(last + 1);
  for (let n = 1; n <= last; n++) {
    list.words[CAPABILITY_AT + n * CALL_AT.step] = n;
  }
  add("prctl", [PR_SET_NO_NEW_PRIVS, 1]);
  add("prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL]);
  const sets = new Int32Array(32);
  sets[0] = CAPABILITY_VERSION_3;
  const setsAt = list.place(new Uint8Array(sets.buffer));
  add("capset", [setsAt, setsAt + 8]);
  add("landlock_restrict_self", [ruleset, 0]);
  // Before the filter and not after: it is the last thing that may fail for a reason of the kernel's.
  add("close_range", [3, EVERY_DESCRIPTOR, CLOSE_RANGE_CLOEXEC]);
  const header = new BigUint64Array(16);
  header[0] = BigInt(filter.length / INSTRUCTION_BYTES);
  header[1] = BigInt(list.place(filter));
  add("seccomp", [
    ...[SET_MODE_FILTER, 0, list.place(new Uint8Array(header.buffer))],
  ]);
  const failed = list.run();
  if (failed === -1) return;
  if (failed === undefined) throw unenforced("no calls can be made");
  const result = list.result(failed);
  throw unenforced(
    names.get(failed) === "seccomp" && result === EBUSY
      ? "this already runs in a sandbox with a supervisor"
      : `the system refuses "${names.get(failed)}" (error ${-result})`,
  );
}

/** Whether this is the number of the last capability: one more is refused. Nothing is asked when none is dropped. */
function isLast(last: number): boolean {
  if (last < 0) return true;
  const list = new CallList(2);
  const known = list.add(CALL.prctl, [PR_CAPBSET_READ, last]);
  const next = list.add(CALL.prctl, [PR_CAPBSET_READ, last + 1]);
  list.mayFail(next);
  return list.run() === -1 && list.result(known) >= 0 && list.result(next) < 0;
}
