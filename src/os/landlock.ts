/** Landlock, the access control that a thread of Linux puts on itself. Masks are those of linux/landlock.h. */
import { CallList, placeOf } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import type { Step } from "./clone.ts";
import { FACT, FACT_WORDS } from "./stat_list.ts";

/** Tells the audit also of what programs that are started later are refused. */
const LOG_NEW_EXEC_ON = 2;
const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const O_PATH_CLOEXEC = 0o12000000;
const RESOLVE_NO_SYMLINKS_NO_MAGICLINKS = 6;
const STATX_TYPE = 1;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const EPERM = 1;
const EINVAL = 22;

/** What a ruleset is about: whatever is handled and not allowed by a rule is denied. */
export interface RulesetScope {
  readonly handledFiles: number;
  readonly handledNetwork: number;
  readonly scoped: number;
}

/** Version of the interface; 0 where the kernel has none, or has it switched off. */
export function landlockAbi(): number {
  return Math.max(0, createCall(0, 0, CREATE_RULESET_VERSION));
}

/** Makes a ruleset and returns its descriptor, or the negative errno. A kernel refuses what it does not know. */
export function createRuleset(scope: RulesetScope): number {
  const { handledFiles, handledNetwork, scoped } = scope;
  // Older kernels take a shorter structure, and a longer one when the rest is zero.
  const words = new Int32Array(6);
  [handledFiles, handledNetwork, scoped].forEach((word, i) => {
    words[2 * i] = word;
  });
  const attribute = new Uint8Array(words.buffer);
  return createCall(placeOf(attribute), attribute.length, 0);
}

function createCall(attribute: number, size: number, flags: number): number {
  const list = new CallList(1);
  const call = list.add(CALL.landlock_create_ruleset, [attribute, size, flags]);
  return list.run() === undefined ? -EPERM : list.result(call);
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

/** Rules in the form in which they are quickly given to the kernel. */
export interface PackedRules {
  /** The paths, each followed by a NUL. */
  readonly paths: Uint8Array<ArrayBuffer>;
  /** For each: what is allowed. Its sign bit says that it has to be a directory. */
  readonly access: Int32Array<ArrayBuffer>;
}

/** The bit of {@link PackedRules.access} that is none of the kernel's. */
const IS_DIRECTORY = 1 << 31;

/** Packs rules. Undefined when a path holds a NUL. */
export function packRules(rules: readonly PathRule[]): PackedRules | undefined {
  if (rules.some(({ path }) => path.includes("\0"))) return undefined;
  const text = rules.map(({ path }) => `${path}\0`).join("");
  const access = new Int32Array(rules.length);
  rules.forEach((rule, i) => {
    access[i] = rule.access | (rule.isDirectory ? IS_DIRECTORY : 0);
  });
  return { paths: new TextEncoder().encode(text), access };
}

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
  const packed = packRules(rules);
  if (packed === undefined) return { rule: rules[0]!, problem: -EINVAL };
  const failed = allowPacked(ruleset, packed, { skips });
  return failed && { rule: rules[failed.index]!, problem: failed.problem };
}

/** The same for rules that have been packed; also a problem: that the paths are not as many. */
export function allowPacked(
  ruleset: number,
  { paths, access }: PackedRules,
  { skips }: { skips: readonly number[] },
): { readonly index: number; readonly problem: RuleProblem } | undefined {
  let at = 0;
  for (let first = 0; first < access.length; first += BATCH) {
    const batch = new RuleBatch(
      ruleset,
      Math.min(BATCH, access.length - first),
    );
    for (let i = first; i < first + batch.size; i++) {
      const end = paths.indexOf(0, at);
      if (end < 0) return { index: i, problem: -EINVAL };
      batch.add(paths.subarray(at, end + 1), access[i]!);
      at = end + 1;
    }
    const failed = batch.run(skips);
    if (failed) return { ...failed, index: first + failed.index };
  }
  return at === paths.length ? undefined : { index: 0, problem: -EINVAL };
}

/** How many rules are added at once: descriptors of files stay open so long. */
const BATCH = 256;
/** A rule of the kernel has 12 bytes. */
const RULE_BYTES = 16;
const FACT_BYTES = FACT_WORDS * 4;

/** Rules that are added with one call. */
class RuleBatch {
  readonly size: number;
  readonly #ruleset: number;
  readonly #list: CallList;
  /** The kernel's structures, then what files look like. */
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #base: number;
  /** For each rule the place of its first call. */
  readonly #first: number[] = [];
  readonly #keep: Uint8Array<ArrayBuffer>[] = [];
  /** `struct open_how`, and an empty path. */
  readonly #how = new Int32Array(8);
  readonly #howAt: number;
  readonly #facts: number;

  constructor(ruleset: number, size: number) {
    this.size = size;
    this.#ruleset = ruleset;
    this.#list = new CallList(3 * size);
    this.#facts = size * RULE_BYTES;
    this.#memory = new Uint8Array(this.#facts + size * FACT_BYTES);
    this.#words = new Int32Array(this.#memory.buffer);
    this.#base = placeOf(this.#memory);
    this.#how[0] = O_PATH_CLOEXEC;
    this.#how[4] = RESOLVE_NO_SYMLINKS_NO_MAGICLINKS;
    this.#howAt = placeOf(new Uint8Array(this.#how.buffer));
  }

  /** Rights that only directories have are refused for anything else. */
  add(path: Uint8Array<ArrayBuffer>, access: number): void {
    const index = this.#first.length;
    const list = this.#list;
    const rule = index * RULE_BYTES;
    this.#keep.push(path);
    const open = list.add(CALL.openat2, [
      ...[AT_FDCWD, placeOf(path), this.#howAt, 24],
    ]);
    this.#first.push(open);
    this.#words[rule / 4] = access & ~IS_DIRECTORY;
    // No descriptor until there is one.
    this.#words[rule / 4 + 2] = -1;
    list.writeResult(open, { to: this.#base + rule + 8 });
    const more = [
      list.add(CALL.landlock_add_rule, [
        ...[this.#ruleset, RULE_PATH_BENEATH, this.#base + rule, 0],
      ]),
      (access & IS_DIRECTORY) !== 0
        ? list.add(CALL.close, [-1])
        : list.add(CALL.statx, [
          ...[-1, this.#howAt + 24, AT_EMPTY_PATH, STATX_TYPE],
          this.#base + this.#facts + index * FACT_BYTES,
        ]),
    ];
    list.useResult(more[1]!, { of: open, argument: 0, nth: 1 });
    for (const call of [open, ...more]) list.mayFail(call);
  }

  /** Adds them. Returns the first that has a problem which is not skipped. */
  run(
    skips: readonly number[],
  ): { readonly index: number; readonly problem: RuleProblem } | undefined {
    if (this.#list.run() === undefined) return { index: 0, problem: -EPERM };
    const problems = this.#first.map((open, i) => this.#problem(open, i));
    this.#closeFiles();
    const index = problems.findIndex((problem) =>
      problem !== 0 && !(typeof problem === "number" && skips.includes(problem))
    );
    return index < 0 ? undefined : { index, problem: problems[index]! };
  }

  #problem(open: number, index: number): RuleProblem {
    const [fd, added, looked] = [0, 1, 2].map((n) =>
      this.#list.result(open + n)
    ) as [number, number, number];
    if (fd < 0) return fd;
    const mode = this.#words[
      (this.#facts + index * FACT_BYTES) / 4 + FACT.mode
    ]!;
    if ((mode & S_IFMT) === S_IFDIR) return "directory";
    return added < 0 ? added : Math.min(0, looked);
  }

  /** Those of directories are closed. */
  #closeFiles(): void {
    const list = new CallList(this.size);
    this.#first.forEach((open, i) => {
      const fd = this.#list.result(open);
      if (fd >= 0 && this.#words[i * RULE_BYTES / 4 + 2] === fd) {
        list.mayFail(list.add(CALL.close, [fd]));
      }
    });
    list.run();
  }
}

/** Puts the ruleset on the thread, for good. Needs no_new_privs. */
export function restrictStep(
  ruleset: number,
  { logs = false }: { readonly logs?: boolean | undefined } = {},
): Step {
  const flags = logs ? LOG_NEW_EXEC_ON : 0;
  return { call: "landlock_restrict_self", args: [ruleset, flags] };
}
