/**
 * A child process that makes a list of system calls by itself before it becomes a program, or ends. It shares this
 * process's memory and copies of its descriptors, and runs nothing else of it.
 */
import { CallList, placeOf } from "./call_list.ts";
import {
  cloneCall,
  HEADER_BYTES,
  RESULT_AT,
  STEP_BYTES,
  WORD,
} from "./clone_code.ts";
import type { Program } from "./exec.ts";
import { cString, cStrings } from "./libc.ts";
import {
  addressOf,
  ARCHITECTURE,
  ERRNO,
  syscall,
  type SyscallArgument,
} from "./syscall.ts";
import { type SyscallName, syscallNumber } from "./syscall_numbers.ts";

/** What an argument of a {@link Step} may be besides a number or memory: what an earlier step returned. */
export interface ResultOf {
  readonly resultOf: Step;
}

/** One system call of the list. */
export interface Step {
  readonly call: SyscallName;
  readonly args: readonly (SyscallArgument | ResultOf)[];
  /** Whether the list goes on when it fails; then nothing may use its result. */
  readonly mayFail?: boolean;
  /** Where to write the result besides, as a number of 32 bits; the address stands in memory that is kept. */
  readonly writesTo?: bigint;
}

/** How to start the child. */
export interface CloneOptions {
  /** CLONE_NEW… flags for namespaces of its own. */
  readonly namespaces?: number;
  /** Whether to wait until it has become another program, or has ended. */
  readonly waits: boolean;
  /** Memory that the steps point to. */
  readonly keep: readonly unknown[];
}

/** A child that runs, or ran. */
export interface Cloned {
  readonly pid: number;
  /** What the child may look at: the value is to be kept while it runs. */
  readonly kept: unknown;
  /** What the steps returned so far: the number, or the negative errno; 0 for those that did not run. */
  results(): number[];
  /** The step that ended the list, and why; undefined when none has. */
  failure(): { readonly step: Step; readonly result: number } | undefined;
}

const CLONE_VM = 0x100;
const CLONE_VFORK = 0x4000;
const SIGCHLD = 17;
const MAX_USES = 2;
/** A number that no machine has. */
const NO_CALL = -1;

/**
 * Starts a child that makes these calls; the last one has to be `execve` or `exit_group`. Signals are blocked in it until
 * a step says otherwise. Returns the child, or the negative errno.
 */
export function cloneAndRun(
  steps: readonly Step[],
  options: CloneOptions,
): Cloned | number {
  const call = cloneCall();
  if (call === undefined) return -ERRNO.EACCES;
  const list = layOut(steps);
  const view = new DataView(list.buffer);
  const vfork = options.waits ? CLONE_VFORK : 0;
  const flags = CLONE_VM | vfork | SIGCHLD | (options.namespaces ?? 0);
  view.setBigInt64(0, BigInt(flags), true);
  const blocked = blockSignals();
  if (blocked < 0) return blocked;
  const pid = call(list);
  unblockSignals();
  if (pid < 0) return pid;
  const results = () => steps.map((_, i) => resultAt(view, i));
  return {
    pid,
    kept: [steps, list, options.keep],
    results,
    failure: () => failureOf(steps, view),
  };
}

function failureOf(
  steps: readonly Step[],
  view: DataView<ArrayBuffer>,
): { readonly step: Step; readonly result: number } | undefined {
  const [first, failed] = [1, 2].map((i) => view.getBigUint64(i * WORD, true));
  if (failed === 0n) return undefined;
  const index = Number(failed! - first!) / STEP_BYTES;
  return { step: steps[index]!, result: resultAt(view, index) };
}

/** The step that becomes a program, and the memory that it points to. */
export function executeStep(
  program: Program,
): { readonly step: Step; readonly keep: unknown } {
  const argv = cStrings([program.argv0 ?? program.path, ...program.args]);
  const env = cStrings(
    Object.entries(program.env).map(([name, value]) => `${name}=${value}`),
  );
  const [argvAt, envAt] = [argv, env].map(({ pointer }) =>
    BigInt(Deno.UnsafePointer.value(pointer))
  );
  return {
    step: { call: "execve", args: [cString(program.path), argvAt!, envAt!] },
    keep: [argv, env],
  };
}

/**
 * Makes the calls in this thread instead, `keep` being memory that they point to. Returns the step that failed, with the
 * negative errno; undefined when all succeeded.
 */
export function runHere(
  steps: readonly Step[],
  { keep }: { readonly keep: unknown },
): { readonly step: Step; readonly result: number } | undefined {
  const call = cloneCall();
  if (call === undefined) return runSingly(steps);
  const list = layOut(steps);
  held[0] = [steps, keep];
  call(list);
  return failureOf(steps, new DataView(list.buffer));
}

/** What the last list pointed to: the garbage collector must not take memory that the kernel is at. */
const held: unknown[] = [];

/** Where memory may not be made executable. */
function runSingly(
  steps: readonly Step[],
): { readonly step: Step; readonly result: number } | undefined {
  const results = new Map<Step, number>();
  for (const step of steps) {
    const args = step.args.map((value) =>
      typeof value === "object" && "resultOf" in value
        ? results.get(value.resultOf)!
        : value
    );
    const result = syscall(step.call, ...args);
    results.set(step, result);
    if (result < 0 && !step.mayFail) return { step, result };
  }
  return undefined;
}

function resultAt(view: DataView, index: number): number {
  const at = HEADER_BYTES + index * STEP_BYTES + RESULT_AT;
  return Number(view.getBigInt64(at, true));
}

/** The list as the machine code reads it; flags are left to be filled in. */
function layOut(steps: readonly Step[]): Uint8Array<ArrayBuffer> {
  const scratchAt = HEADER_BYTES + steps.length * STEP_BYTES;
  const bytes = new Uint8Array(scratchAt + WORD);
  const view = new DataView(bytes.buffer);
  const base = addressOf(bytes);
  const first = base + BigInt(HEADER_BYTES);
  view.setBigUint64(WORD, first, true);
  view.setBigUint64(3 * WORD, base + BigInt(scratchAt), true);
  const uses = usesOf(steps, first);
  steps.forEach((step, i) => {
    const targets = [...uses.get(step) ?? []];
    while (targets.length < MAX_USES) targets.push(base + BigInt(scratchAt));
    const number = syscallNumber(step.call, ARCHITECTURE) ?? NO_CALL;
    const args = Array.from({ length: 6 }, (_, n) => wordOf(step.args[n] ?? 0));
    const words = [
      BigInt(number),
      ...args,
      0n,
      step.mayFail ? 1n : 0n,
      ...targets,
    ];
    const at = HEADER_BYTES + i * STEP_BYTES;
    words.forEach((word, n) => {
      view.setBigUint64(at + n * WORD, BigInt.asUintN(64, word), true);
    });
  });
  return bytes;
}

/** Results of earlier steps are filled in by the child. */
function wordOf(value: SyscallArgument | ResultOf): bigint {
  if (value instanceof Uint8Array) return addressOf(value);
  return typeof value === "object" ? 0n : BigInt(value);
}

/** For each step the addresses that its result is written to. */
function usesOf(
  steps: readonly Step[],
  first: bigint,
): ReadonlyMap<Step, readonly bigint[]> {
  const uses = new Map<Step, bigint[]>();
  const add = (step: Step, address: bigint) => {
    const known = uses.get(step) ?? [];
    if (step.mayFail || known.length === MAX_USES) {
      throw new Error(`the result of ${step.call} cannot be used there`);
    }
    uses.set(step, [...known, address]);
  };
  steps.forEach((step, i) => {
    if (step.writesTo !== undefined) add(step, step.writesTo);
    step.args.forEach((value, n) => {
      if (typeof value !== "object" || !("resultOf" in value)) return;
      const { resultOf } = value;
      if (steps.indexOf(resultOf) >= i || !steps.includes(resultOf)) {
        throw new Error(`${step.call} comes before what it uses`);
      }
      add(resultOf, first + BigInt(i * STEP_BYTES + (n + 1) * WORD));
    });
  });
  return uses;
}

const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const SIGNALS = 64;
const SIG_IGN = 1n;
/** What was blocked before {@link blockSignals}. */
const MASK = new Uint8Array(8);

/** Blocks all signals in this thread: a handler that ran in the child would run with our memory. */
function blockSignals(): number {
  const all = new Uint8Array(8).fill(0xff);
  return syscall("rt_sigprocmask", SIG_BLOCK, all, MASK, 8);
}

function unblockSignals(): void {
  syscall("rt_sigprocmask", SIG_SETMASK, MASK, 0, 8);
}

/**
 * Steps that give a program the signals as a shell would: what has a handler here has none, SIGPIPE is not ignored, what
 * is ignored otherwise stays so, and nothing is blocked.
 */
export function signalSteps(): Step[] {
  const standard = new Uint8Array(32);
  const unblocked = new Uint8Array(8);
  const SIGPIPE = 13;
  const handled = [...new Set([SIGPIPE, ...handledSignals()])];
  return [
    ...handled.map((signal): Step => ({
      call: "rt_sigaction",
      args: [signal, standard, 0, 8],
    })),
    { call: "rt_sigprocmask", args: [SIG_SETMASK, unblocked, 0, 8] },
  ];
}

/** Those that have a handler in this process. */
function handledSignals(): number[] {
  const words = 4;
  const actions = new BigUint64Array(words * SIGNALS);
  const into = placeOf(new Uint8Array(actions.buffer));
  const call = syscallNumber("rt_sigaction", ARCHITECTURE)!;
  const list = new CallList(SIGNALS);
  for (let i = 0; i < SIGNALS; i++) {
    list.mayFail(list.add(call, [i + 1, 0, into + 8 * words * i, 8]));
  }
  list.run();
  // What a failed call would have filled is 0: the default.
  return Array.from({ length: SIGNALS }, (_, i) => i + 1)
    .filter((signal) => actions[words * (signal - 1)]! > SIG_IGN);
}
