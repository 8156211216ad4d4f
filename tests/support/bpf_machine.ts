/** Runs classic BPF as the kernel runs filters for system calls. */
import type { Instruction } from "../../src/sandbox/bpf.ts";

/** What the kernel tells a filter. */
export interface SeccompData {
  readonly nr: number;
  readonly arch: number;
  readonly args?: readonly bigint[];
}

/**
 * What the program returns: the action with its data; `count` is how many instructions that took. Throws for a program that
 * the kernel would not take.
 */
export function runFilter(
  program: readonly Instruction[],
  data: SeccompData,
  count: { instructions: number } = { instructions: 0 },
): number {
  const bytes = new DataView(new ArrayBuffer(64));
  bytes.setUint32(0, data.nr >>> 0, true);
  bytes.setUint32(4, data.arch, true);
  (data.args ?? []).forEach((value, i) => {
    bytes.setBigUint64(16 + 8 * i, BigInt.asUintN(64, value), true);
  });
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const { code, jt, jf, k } = program[at]!;
    count.instructions++;
    switch (code) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        if (k % 4 !== 0 || k >= 64) throw new Error(`load of ${k}`);
        accumulator = bytes.getUint32(k, true);
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x05: // BPF_JMP | BPF_JA
        at += k;
        break;
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        at += accumulator === k >>> 0 ? jt : jf;
        break;
      case 0x35: // BPF_JMP | BPF_JGE | BPF_K
        at += accumulator >= k >>> 0 ? jt : jf;
        break;
      case 0x45: // BPF_JMP | BPF_JSET | BPF_K
        at += (accumulator & k) !== 0 ? jt : jf;
        break;
      case 0x06: // BPF_RET | BPF_K
        return k >>> 0;
      default:
        throw new Error(`instruction ${code}`);
    }
  }
  throw new Error("the program has no end");
}
