/** A program that runs to its end, confined as the agent will be: the hook before it. And how macOS confines. */
import type { AbsPath } from "../base/paths.ts";
import type { Program } from "../os/exec.ts";
import { waitForEnd } from "../os/process_marks.ts";
import { run } from "../os/process.ts";
import {
  type Enforcement,
  type SandboxPolicy,
  seatbeltCommand,
  seatbeltProfile,
  startConfined,
} from "../sandbox/mod.ts";

/** Runs a program and returns its exit code, 128+n after signal n. */
export async function runConfined(
  program: Program,
  { policy, enforcement, cwd, mark }: {
    readonly policy: SandboxPolicy;
    /** Undefined on macOS. */
    readonly enforcement: Enforcement | undefined;
    readonly cwd: AbsPath;
    readonly mark: number;
  },
): Promise<number> {
  if (enforcement === undefined) {
    const [path, ...args] = seatbeltArguments(policy, program);
    const io = { stdin: "inherit", output: "inherit" } as const;
    return (await run(path!, args, { cwd, env: program.env, ...io })).code;
  }
  const { pid } = startConfined(enforcement, program, { mark });
  const status = waitForEnd(pid);
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** The command that runs a program confined on macOS. */
export function seatbeltArguments(
  policy: SandboxPolicy,
  { path, args }: Program,
): string[] {
  return seatbeltCommand(seatbeltProfile(policy), [path, ...args]);
}
