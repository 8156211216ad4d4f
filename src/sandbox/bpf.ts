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
  const writer = new Writer();
  writer.write(filter, { loaded: "" });
  const program = writer.program.toReversed();
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
 * Writes a program from its end: then it is known how far a jump goes. What stands in a tree several times stands in the
 * program once, where a jump reaches it: the kernel translates every instruction at every start.
 */
class Writer {
  readonly program: Instruction[] = [];
  readonly #verdicts = new Map<Verdict, number>();
  /** By what the accumulator holds on the way into it. */
  readonly #branches = new Map<Branch, Map<string, number>>();

  /** Writes a part unless it is there, and returns where it begins. `loaded` names what the accumulator holds before. */
  write(filter: Filter, { loaded }: { loaded: string }): number {
    if (typeof filter === "string") return this.#writeVerdict(filter);
    const known = this.#branches.get(filter)?.get(loaded);
    if (known !== undefined) return known;
    const { word, test, yes, no } = filter;
    // Nothing is one of nothing; no jump would stand there to say so.
    if ("oneOf" in test && test.oneOf.length === 0) {
      return this.write(no, { loaded });
    }
    const mask = "mask" in test ? test.mask : undefined;
    const wanted = mask === undefined ? word : `${word}&${mask}`;
    const noAt = this.write(no, { loaded: wanted });
    const yesAt = this.write(yes, { loaded: wanted });
    this.#writeQuestions(questions(test), { yesAt, noAt });
    if (loaded !== wanted) {
      if (mask !== undefined) this.#push(op(BPF.and, mask));
      this.#push(op(BPF.load, offsetOf(word)));
    }
    const at = this.program.length - 1;
    const entries = this.#branches.get(filter) ?? new Map<string, number>();
    this.#branches.set(filter, entries.set(loaded, at));
    return at;
  }

  #writeVerdict(verdict: Verdict): number {
    const known = this.#verdicts.get(verdict);
    if (known !== undefined) return known;
    const at = this.#push(op(BPF.return, actionOf(verdict)));
    this.#verdicts.set(verdict, at);
    return at;
  }

  /** Goes on at `yesAt` as soon as one is true, and at `noAt` when none is. */
  #writeQuestions(
    asked: readonly (readonly [code: number, k: number])[],
    { yesAt, noAt }: { readonly yesAt: number; readonly noAt: number },
  ): void {
    const no = this.#bringNear(noAt, asked.length + 1);
    const yes = this.#bringNear(yesAt, asked.length);
    for (const [i, [code, k]] of asked.toReversed().entries()) {
      const at = this.program.length;
      this.#push({
        code,
        jt: at - yes - 1,
        jf: i === 0 ? at - no - 1 : 0,
        k,
      });
    }
  }

  /** The place itself where a jump reaches it over so many more instructions, else one that leads there. */
  #bringNear(at: number, more: number): number {
    const { program } = this;
    if (program.length + more - at <= MAX_SKIP) return at;
    const target = program[at]!;
    return this.#push(
      target.code === BPF.return
        ? target
        : op(BPF.jump, program.length - at - 1),
    );
  }

  #push(instruction: Instruction): number {
    if (instruction.jt > MAX_SKIP || instruction.jf > MAX_SKIP) {
      throw new Error("a test of too many values");
    }
    return this.program.push(instruction) - 1;
  }
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
