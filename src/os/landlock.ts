/** Landlock, the access control that a thread of Linux puts on itself. Masks are those of linux/landlock.h. */
import { CALL_AT, CallList, crosses, placeOf } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { STEP_BYTES } from "./clone_code.ts";
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

/**
 * The same for rules that have been packed; also a problem: that the paths are not as many. With `becomes`, descriptors stay
 * open for the program that this process becomes at once: it gets none of them.
 */
export function allowPacked(
  ruleset: number,
  { paths, access }: PackedRules,
  { skips, becomes = false }: {
    readonly skips: readonly number[];
    readonly becomes?: boolean;
  },
): { readonly index: number; readonly problem: RuleProblem } | undefined {
  let at = 0;
  for (let first = 0; first < access.length; first += BATCH) {
    const rules = access.subarray(first, first + BATCH);
    const batch = new RuleBatch(ruleset, rules, paths);
    const end = batch.write(at);
    if (end < 0) return { index: first, problem: -EINVAL };
    at = end;
    const failed = batch.run(skips);
    if (failed) return { ...failed, index: first + failed.index };
    if (!becomes) batch.close();
  }
  return at === paths.length ? undefined : { index: 0, problem: -EINVAL };
}

/** How many rules are added at once: descriptors of files stay open so long. */
const BATCH = 256;
/** A rule of the kernel has 12 bytes. */
const RULE_BYTES = 16;
const FACT_BYTES = FACT_WORDS * 4;
/** For each rule: open, add, look at. */
const CALLS = 3;
const LOOK_INDEX = 2;
/** Where they differ from rule to rule: the path and where its descriptor goes, the rule, what was opened looks like. */
const PATH_AT = CALL_AT.first + CALL_AT.argument + 2;
const TARGET_AT = CALL_AT.first + CALL_AT.target;
const RULE_AT = CALL_AT.first + CALL_AT.step + CALL_AT.argument + 4;
const FACTS_AT = CALL_AT.first + LOOK_INDEX * CALL_AT.step +
  CALL_AT.argument + 8;
/** Of the number of a call, before its arguments. */
const ARGUMENT_BYTES = 8;
/** `struct open_how`, and an empty path. */
const HOW_WORDS = 8;
const HOW_BYTES = 24;
const HALF = 2 ** 32;

/** Rules that are added with one call. */
class RuleBatch {
  readonly #rules: Int32Array<ArrayBuffer>;
  readonly #paths: Uint8Array<ArrayBuffer>;
  readonly #list: CallList;
  /** How to open, then the kernel's structures, then what was opened looks like. */
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #base: number;
  readonly #factsAt: number;

  /** `paths` hold those of the rules, which are at most {@link BATCH}. */
  constructor(
    ruleset: number,
    rules: Int32Array<ArrayBuffer>,
    paths: Uint8Array<ArrayBuffer>,
  ) {
    this.#rules = rules;
    this.#paths = paths;
    this.#factsAt = HOW_WORDS * 4 + rules.length * RULE_BYTES;
    const size = this.#factsAt + rules.length * FACT_BYTES;
    this.#words = new Int32Array(size / 4);
    this.#words[0] = O_PATH_CLOEXEC;
    this.#words[4] = RESOLVE_NO_SYMLINKS_NO_MAGICLINKS;
    this.#base = placeOf(new Uint8Array(this.#words.buffer));
    const list = new CallList(CALLS * rules.length);
    this.#list = list;
    const first = [
      list.add(CALL.openat2, [AT_FDCWD, 0, this.#base, HOW_BYTES]),
      list.add(CALL.landlock_add_rule, [ruleset, RULE_PATH_BENEATH, 0, 0]),
      list.add(CALL.statx, [
        ...[-1, this.#base + HOW_BYTES, AT_EMPTY_PATH, STATX_TYPE, 0],
      ]),
    ];
    for (const call of first) list.mayFail(call);
    this.#writeUpper(0, { path: placeOf(paths), index: 0 });
    list.repeat(rules.length);
  }

  /** Writes the calls for the paths from there on, and returns where the next one is; -1 when there are too few. */
  write(from: number): number {
    const [words, list, rules] = [this.#words, this.#list, this.#rules];
    const [calls, texts, count] = [list.words, this.#paths, rules.length];
    const paths = placeOf(texts);
    const isWide = crosses(paths, texts.length) ||
      crosses(this.#base, words.length * 4) ||
      crosses(list.addressOf(0), calls.length * 4);
    let lowRule = (this.#base + HOW_WORDS * 4) | 0;
    let lowLook = (list.addressOf(LOOK_INDEX) + ARGUMENT_BYTES) | 0;
    let lowFacts = (this.#base + this.#factsAt) | 0;
    const [lowPaths, step] = [paths | 0, CALLS * CALL_AT.step];
    let [at, call, rule] = [from, 0, HOW_WORDS];
    // Each turn is interpreted, so it has few operations.
    for (let i = 0; i < count; i++) {
      words[rule] = rules[i]! & ~IS_DIRECTORY;
      // No descriptor until there is one.
      words[rule + 2] = -1;
      calls[call + PATH_AT] = (lowPaths + at) | 0;
      calls[call + TARGET_AT] = (lowRule + 8) | 0;
      calls[call + TARGET_AT + 2] = lowLook;
      calls[call + RULE_AT] = lowRule;
      calls[call + FACTS_AT] = lowFacts;
      if (isWide) this.#writeUpper(call, { path: paths + at, index: i });
      lowRule = (lowRule + RULE_BYTES) | 0;
      lowLook = (lowLook + CALLS * STEP_BYTES) | 0;
      lowFacts = (lowFacts + FACT_BYTES) | 0;
      call += step;
      rule += RULE_BYTES / 4;
      at = texts.indexOf(0, at) + 1;
      if (at === 0) return -1;
    }
    return at;
  }

  /** The upper halves of the addresses of a rule. The list has those of the first. */
  #writeUpper(
    call: number,
    { path, index }: { readonly path: number; readonly index: number },
  ): void {
    const calls = this.#list.words;
    const rule = this.#base + (HOW_WORDS * 4 + index * RULE_BYTES);
    const look = this.#list.addressOf(index * CALLS + LOOK_INDEX);
    calls[call + PATH_AT + 1] = path / HALF;
    calls[call + TARGET_AT + 1] = (rule + 8) / HALF;
    calls[call + TARGET_AT + 3] = (look + ARGUMENT_BYTES) / HALF;
    calls[call + RULE_AT + 1] = rule / HALF;
    calls[call + FACTS_AT + 1] = (this.#base + this.#factsAt +
      index * FACT_BYTES) / HALF;
  }

  /** Adds them. Returns the first that has a problem which is not skipped. */
  run(
    skips: readonly number[],
  ): { readonly index: number; readonly problem: RuleProblem } | undefined {
    if (this.#list.run() === undefined) return { index: 0, problem: -EPERM };
    const from = this.#firstBad();
    for (let index = from; index < this.#rules.length; index++) {
      const problem = this.#problem(index);
      const isSkipped = typeof problem === "number" && skips.includes(problem);
      if (problem !== 0 && !isSkipped) return { index, problem };
    }
    return undefined;
  }

  /** The first rule that something is wrong with, or how many there are. */
  #firstBad(): number {
    const [rules, calls, words] = [this.#rules, this.#list.words, this.#words];
    const count = rules.length;
    let [call, facts] = [
      CALL_AT.first + CALL_AT.result,
      this.#factsAt / 4 + FACT.mode,
    ];
    for (let i = 0; i < count; i++) {
      if (calls[call]! < 0 || calls[call + CALL_AT.step] !== 0) return i;
      if (rules[i]! >= 0) {
        const isFile = calls[call + 2 * CALL_AT.step] === 0 &&
          (words[facts]! & S_IFMT) !== S_IFDIR;
        if (!isFile) return i;
      }
      call += CALLS * CALL_AT.step;
      facts += FACT_WORDS;
    }
    return count;
  }

  /** Rights that only directories have are refused for anything else, and the other way round we do it. */
  #problem(index: number): RuleProblem {
    const [list, call] = [this.#list, index * CALLS];
    const [opened, added] = [list.result(call), list.result(call + 1)];
    if (opened < 0) return opened;
    if ((this.#rules[index]! & IS_DIRECTORY) !== 0) return added;
    const looked = list.result(call + LOOK_INDEX);
    if (looked < 0) return looked;
    const facts = (this.#factsAt + index * FACT_BYTES) / 4;
    const isDirectory = (this.#words[facts + FACT.mode]! & S_IFMT) === S_IFDIR;
    return isDirectory ? "directory" : added;
  }

  /** Closes what was opened. */
  close(): void {
    const list = new CallList(this.#rules.length);
    for (let i = 0; i < this.#rules.length; i++) {
      const fd = this.#list.result(i * CALLS);
      if (fd >= 0) list.mayFail(list.add(CALL.close, [fd]));
    }
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
