/**
 * Standing in for a program that runs as our child on the same terminal and in the same process group: whoever signals,
 * stops, continues or waits for us is to see what they would see of the program itself. Linux and macOS.
 */
import { bytesOf, processCalls, SYSTEM } from "./c_process.ts";
import type { Child, ChildEnd } from "./children.ts";
import { cString, libc } from "./libc.ts";
import { isStopped, sleep } from "./process.ts";

/** Signals that somebody may send to us and means the program, with their numbers. */
const PASSED: readonly (readonly [Deno.Signal, number])[] = [
  ["SIGTERM", 15],
  ["SIGHUP", 1],
  ["SIGUSR1", Deno.build.os === "darwin" ? 30 : 10],
  ["SIGUSR2", Deno.build.os === "darwin" ? 31 : 12],
];
/** Those that the terminal sends for a key, to the whole group: then the program has it already. */
const FROM_KEYS: readonly (readonly [Deno.Signal, number])[] = [
  ["SIGINT", 2],
  ["SIGQUIT", 3],
];
const SIGCONT = Deno.build.os === "darwin" ? 19 : 18;

/** How long a program has to react to a key before it is assumed that the signal was meant for it alone, milliseconds. */
const KEY_MS = 1000;
/** A stopped group is continued one after the other: how long that may take, milliseconds. */
const SETTLE_MS = 20;

/** Passes signals on to the program. Install it before the program starts; give it the program at once after. */
export class SignalPasser implements Disposable {
  readonly #listeners: (readonly [Deno.Signal, () => void])[] = [];
  /** What came before there was a program. */
  readonly #early: number[] = [];
  #child: Child | undefined;

  constructor() {
    for (const [name, number] of PASSED) {
      this.#listen(name, number, () => this.#send(number));
    }
    for (const [name, number] of FROM_KEYS) {
      this.#listen(name, number, () => void this.#passFromKeys(number));
    }
    this.#listen("SIGCONT", SIGCONT, () => void this.#continue());
  }

  /** Names the program that signals are for. */
  passTo(child: Child): void {
    this.#child = child;
    for (const signal of this.#early) child.send(signal);
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) {
      Deno.removeSignalListener(name, listener);
    }
  }

  /** A signal that we were started to ignore stays ignored, by the program as well. */
  #listen(name: Deno.Signal, number: number, listener: () => void): void {
    if (isIgnored(number)) return;
    Deno.addSignalListener(name, listener);
    this.#listeners.push([name, listener]);
  }

  #send(signal: number): void {
    if (this.#child === undefined) this.#early.push(signal);
    else this.#child.send(signal);
  }

  async #passFromKeys(signal: number): Promise<void> {
    // Nothing tells who sent it. One that comes twice does less harm than one that is lost.
    if (this.#child !== undefined && mayBeFromKeys()) await sleep(KEY_MS);
    this.#send(signal);
  }

  /** Somebody may have continued us alone. */
  async #continue(): Promise<void> {
    await sleep(SETTLE_MS);
    if (this.#child && isStopped(this.#child.pid)) this.#send(SIGCONT);
  }
}

/** Stops this process because the program stopped, so that the shell takes over; returns when it is continued. */
export async function stopAlong(child: Child, signal: number): Promise<void> {
  // The terminal stops the whole group: then we have been stopped too, and this is after it.
  await sleep(SETTLE_MS);
  if (isStopped(child.pid)) processCalls().kill(Deno.pid, signal);
}

/** Ends this process as the program ended: with its exit code, or by the signal that ended it. */
export function endAs(end: ChildEnd): never {
  if (end.kind === "exited") Deno.exit(end.code);
  const RLIMIT_CORE = 4;
  // A program that crashed has left its picture of memory; ours is of no use, and may hold secrets.
  processCalls().setrlimit(RLIMIT_CORE, new Uint8Array(16));
  libc().signal(end.signal, 0n);
  processCalls().kill(Deno.pid, end.signal);
  Deno.exit(128 + end.signal);
}

/** Keeps processes of the same user from reading this one's memory, where the system can. */
export function hideMemory(): void {
  const PR_SET_DUMPABLE = 4;
  processCalls().linux?.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
}

/** Whether our group has the terminal, and its keys send signals. */
function mayBeFromKeys(): boolean {
  const calls = processCalls();
  const { noControllingTerminal, closeOnExecFlag } = SYSTEM;
  const flags = noControllingTerminal | closeOnExecFlag;
  const terminal = calls.open(cString("/dev/tty"), flags);
  if (terminal < 0) return false;
  try {
    const settings = new Uint8Array(256);
    if (calls.tcgetattr(terminal, settings) !== 0) return false;
    const view = new DataView(settings.buffer);
    const local = view.getUint32(SYSTEM.localFlags, true);
    return (local & SYSTEM.keysSendSignals) !== 0 &&
      calls.tcgetpgrp(terminal) === calls.getpgrp();
  } finally {
    calls.close(terminal);
  }
}

function isIgnored(signal: number): boolean {
  const action = new BigUint64Array(32);
  const code = processCalls().sigaction(signal, null, bytesOf(action));
  const SIG_IGN = 1n;
  return code === 0 && action[0] === SIG_IGN;
}
