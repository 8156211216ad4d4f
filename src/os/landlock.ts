/** Landlock, the access control that a thread of Linux puts on itself. Masks are those of linux/landlock.h. */
import type { Step } from "./clone.ts";
import { errno, libc } from "./libc.ts";
import { ARCHITECTURE, syscall } from "./syscall.ts";
import { type SyscallName, syscallNumber } from "./syscall_numbers.ts";

const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const O_PATH_CLOEXEC = 0o12000000;
const RESOLVE_NO_SYMLINKS_NO_MAGICLINKS = 6;
const STATX_TYPE = 1;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

/** The calls for a rule: with fixed types they take a tenth of the time, and there are many rules. */
const GLIBC = {
  openat2: {
    name: "syscall",
    parameters: ["i32", "i32", "buffer", "buffer", "i32"],
    result: "i32",
  },
  statx: {
    name: "syscall",
    parameters: ["i32", "i32", "buffer", "i32", "i32", "buffer"],
    result: "i32",
  },
  addRule: {
    name: "syscall",
    parameters: ["i32", "i32", "i32", "buffer", "i32"],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Calls = Deno.DynamicLibrary<typeof GLIBC>["symbols"];

let opened: Calls | undefined;

/** Opens the C library once. Tests do it beforehand: Deno 2.7 takes it for a leak. */
export function openLandlock(): Calls {
  if (opened === undefined) {
    // Opened first: between a call and the look at its errno nothing may happen.
    libc();
    opened = Deno.dlopen("libc.so.6", GLIBC).symbols;
  }
  return opened;
}

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

/** What is allowed at a path and below it. */
export interface PathRule {
  /** Real path. */
  readonly path: string;
  /** What it has to be. */
  readonly isDirectory: boolean;
  readonly access: number;
}

/** Why a rule could not be added: an errno as a negative number, or that something else is there. */
export type RuleProblem = number | "directory";

/**
 * Adds rules. A path on which a symbolic link is, or that is no directory though it should be one, is a problem, and the
 * other way round: rights of a file would hold for all in a directory. Returns the first rule with one; undefined when
 * all are added.
 */
export function allowPaths<Rule extends PathRule>(
  ruleset: number,
  rules: readonly Rule[],
  { skips }: { skips: readonly number[] },
): { readonly rule: Rule; readonly problem: RuleProblem } | undefined {
  const memory = new RuleMemory();
  for (const rule of rules) {
    const problem = memory.add(ruleset, rule);
    const isSkipped = typeof problem === "number" && skips.includes(problem);
    if (problem !== 0 && !isSkipped) return { rule, problem };
  }
  return undefined;
}

function numberOf(name: SyscallName): number {
  return syscallNumber(name, ARCHITECTURE)!;
}

/** The memory and numbers of the calls, for many rules. */
class RuleMemory {
  readonly #calls = openLandlock();
  readonly #numbers = {
    openat2: numberOf("openat2"),
    statx: numberOf("statx"),
    addRule: numberOf("landlock_add_rule"),
  };
  readonly #encoder = new TextEncoder();
  readonly #path = new Uint8Array(4096);
  readonly #nothing = new Uint8Array(1);
  readonly #how = new Uint8Array(24);
  readonly #facts = new Uint8Array(256);
  readonly #factsView = new DataView(this.#facts.buffer);
  readonly #rule = new Uint8Array(12);
  readonly #ruleView = new DataView(this.#rule.buffer);

  constructor() {
    const view = new DataView(this.#how.buffer);
    view.setUint32(0, O_PATH_CLOEXEC, true);
    view.setUint32(16, RESOLVE_NO_SYMLINKS_NO_MAGICLINKS, true);
  }

  add(ruleset: number, { path, isDirectory, access }: PathRule): RuleProblem {
    const { openat2, addRule } = this.#numbers;
    const { read, written } = this.#encoder.encodeInto(path, this.#path);
    if (read < path.length || written >= this.#path.length) return -36;
    this.#path[written] = 0;
    const fd = this.#calls.openat2(
      openat2,
      AT_FDCWD,
      this.#path,
      this.#how,
      this.#how.length,
    );
    if (fd < 0) return -errno();
    const problem = isDirectory ? 0 : this.#problemOfFile(fd);
    if (problem !== 0) {
      this.#calls.close(fd);
      return problem;
    }
    this.#ruleView.setUint32(0, access, true);
    this.#ruleView.setInt32(8, fd, true);
    // Rights that only directories have are refused for anything else.
    const result = this.#calls.addRule(
      addRule,
      ruleset,
      RULE_PATH_BENEATH,
      this.#rule,
      0,
    );
    const code = result < 0 ? -errno() : 0;
    this.#calls.close(fd);
    return code;
  }

  #problemOfFile(fd: number): RuleProblem {
    const found = this.#calls.statx(
      this.#numbers.statx,
      fd,
      this.#nothing,
      AT_EMPTY_PATH,
      STATX_TYPE,
      this.#facts,
    );
    if (found < 0) return -errno();
    const mode = this.#factsView.getUint16(28, true);
    return (mode & S_IFMT) === S_IFDIR ? "directory" : 0;
  }
}

/** Puts the ruleset on the thread, for good. Needs no_new_privs. */
export function restrictStep(ruleset: number): Step {
  return { call: "landlock_restrict_self", args: [ruleset, 0] };
}
