/**
 * Filters for system calls as decision trees, and the BPF program that a tree stands for. Only registers are looked at:
 * what a pointer leads to can change after the look.
 */
import { ERRNO, type ErrnoName } from "../os/syscall.ts";

/** Part of what the kernel tells a filter. `arg0` is the lower half of the first argument, `arg0high` the upper. */
export type Word =
  | "nr"
  | "arch"
  | `arg${0 | 1 | 2 | 3 | 4 | 5}`
  | `arg${0 | 1 | 2 | 3 | 4 | 5}high`;

/** What becomes of a call. `kill` ends the process, `notify` asks whoever holds the listener. */
export type Verdict = "allow" | "kill" | "notify" | ErrnoName;

/** What a word, or the part of it under `mask`, is compared with: unsigned numbers of 32 bits. */
export type Test =
  | { readonly oneOf: readonly number[]; readonly mask?: number }
  | { readonly anyBitOf: number }
  | { readonly atLeast: number };

/** A question with two answers. */
export interface Branch {
  readonly word: Word;
  readonly test: Test;
  readonly yes: Filter;
  readonly no: Filter;
}

/** A decision about every system call. */
export type Filter = Verdict | Branch;

/** One instruction of classic BPF. */
export interface Instruction {
  readonly code: number;
  /** How many instructions to skip when the test is true, and when it is not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Operations of classic BPF that a filter uses. */
export const BPF = {
  load: 0x20,
  and: 0x54,
  jump: 0x05,
  jumpIfEqual: 0x15,
  jumpIfAtLeast: 0x35,
  jumpIfAnyBit: 0x45,
  return: 0x06,
} as const;

/** What a program returns, from linux/seccomp.h. */
export const ACTION = {
  kill: 0x80000000,
  errno: 0x00050000,
  notify: 0x7fc00000,
  allow: 0x7fff0000,
} as const;

const MAX_SKIP = 255;
const MAX_INSTRUCTIONS = 4096;

/** The program of a tree. Throws for one that is longer than the kernel takes. */
export function assemble(filter: Filter): Instruction[] {
  const program: Instruction[] = [];
  write(program, filter, { loaded: undefined });
  program.reverse();
  if (program.length > MAX_INSTRUCTIONS) {
    throw new Error(`a filter of ${program.length} instructions`);
  }
  return program;
}

/** The program as the kernel reads it. */
export function encode(
  program: readonly Instruction[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k >>> 0, true);
  });
  return bytes;
}

/**
 * Appends a part to the program, which is written from its end: then it is known how far a jump goes. `loaded` names what
 * the accumulator holds on the way into this part.
 */
function write(
  program: Instruction[],
  filter: Filter,
  { loaded }: { loaded: string | undefined },
): void {
  if (typeof filter === "string") {
    program.push(op(BPF.return, actionOf(filter)));
    return;
  }
  const { word, test, yes, no } = filter;
  // Nothing is one of nothing; no jump would stand there to say so.
  if ("oneOf" in test && test.oneOf.length === 0) {
    return write(program, no, { loaded });
  }
  const mask = "mask" in test ? test.mask : undefined;
  const wanted = mask === undefined ? word : `${word}&${mask}`;
  write(program, no, { loaded: wanted });
  const end = program.length;
  write(program, yes, { loaded: wanted });
  program.push(...jumps(test, program.length - end).reverse());
  if (loaded === wanted) return;
  if (mask !== undefined) program.push(op(BPF.and, mask));
  program.push(op(BPF.load, offsetOf(word)));
}

/** Goes on when the test is true, and skips `length` instructions when it is not. */
function jumps(test: Test, length: number): Instruction[] {
  const over = length <= MAX_SKIP ? length : 1;
  const tests = questions(test);
  const last = tests.length - 1;
  const asked = tests.map(([code, k], i): Instruction => ({
    code,
    // A true one goes past the others, and past the long jump where there is one.
    jt: last - i + (over === length ? 0 : 1),
    jf: i === last && over === length ? length : 0,
    k,
  }));
  return over === length ? asked : [...asked, op(BPF.jump, length)];
}

function questions(test: Test): (readonly [code: number, k: number])[] {
  if ("oneOf" in test) {
    return test.oneOf.map((value) => [BPF.jumpIfEqual, value]);
  }
  return "anyBitOf" in test
    ? [[BPF.jumpIfAnyBit, test.anyBitOf]]
    : [[BPF.jumpIfAtLeast, test.atLeast]];
}

function op(code: number, k: number): Instruction {
  return { code, jt: 0, jf: 0, k };
}

/** Offsets in struct seccomp_data; both machines have the lower half first. */
function offsetOf(word: Word): number {
  if (word === "nr") return 0;
  if (word === "arch") return 4;
  return 16 + 8 * Number(word[3]) + (word.endsWith("high") ? 4 : 0);
}

function actionOf(verdict: Verdict): number {
  switch (verdict) {
    case "allow":
    case "kill":
    case "notify":
      return ACTION[verdict];
    default:
      return ACTION.errno | ERRNO[verdict];
  }
}
