/**
 * Standing in for a program that runs as our child on the same terminal and in the same process group: whoever signals,
 * stops, continues or waits for us is to see what they would see of the program itself. Linux and macOS.
 */
import { bytesOf, processCalls, SYSTEM } from "./c_process.ts";
import type { Child, ChildEnd } from "./children.ts";
import { cString, libc } from "./libc.ts";
import { isStopped, sleep } from "./process.ts";

const isDarwin = Deno.build.os === "darwin";
const SIGCONT = isDarwin ? 19 : 18;

/** A signal that somebody may send to us and means the program. */
interface Passed {
  readonly name: Deno.Signal;
  readonly number: number;
  /** Whether the terminal sends it for a key, to the whole group: then the program has it already. */
  readonly isFromKeys?: boolean;
}

const PASSED: readonly Passed[] = [
  { name: "SIGTERM", number: 15 },
  { name: "SIGHUP", number: 1 },
  { name: "SIGUSR1", number: isDarwin ? 30 : 10 },
  { name: "SIGUSR2", number: isDarwin ? 31 : 12 },
  { name: "SIGINT", number: 2, isFromKeys: true },
  { name: "SIGQUIT", number: 3, isFromKeys: true },
  { name: "SIGCONT", number: SIGCONT },
];

/** How long a program has to react to a key before it is assumed that the signal was meant for it alone, milliseconds. */
const KEY_MS = 1000;
/** A stopped group is continued one after the other: how long that may take, milliseconds. */
const SETTLE_MS = 20;

/** Passes signals on to the program. Install it before the program starts; give it the program at once after. */
export class SignalPasser implements Disposable {
  readonly #listeners = new Map<Deno.Signal, () => void>();
  /** What came before there was a program. */
  readonly #early: number[] = [];
  #child: Child | undefined;

  constructor() {
    this.#listen(({ number }) => !isIgnored(number));
  }

  /** Names the program that signals are for. */
  passTo(child: Child): void {
    this.#child = child;
    // What we were started to ignore had to stay so until now: the program was to inherit that, and may have changed it.
    this.#listen(() => true);
    for (const signal of this.#early) child.send(signal);
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) {
      Deno.removeSignalListener(name, listener);
    }
  }

  #listen(which: (signal: Passed) => boolean): void {
    for (const signal of PASSED) {
      const { name } = signal;
      if (this.#listeners.has(name) || !which(signal)) continue;
      const listener = () => this.#take(signal);
      Deno.addSignalListener(name, listener);
      this.#listeners.set(name, listener);
    }
  }

  #take({ number, isFromKeys }: Passed): void {
    if (number === SIGCONT) void this.#continue();
    else if (isFromKeys) void this.#passFromKeys(number);
    else this.#send(number);
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
  setReadable(0n);
}

/** Does something for which this process must not hide its memory, when `isNeeded`; it hides again at once. */
export function whileReadable<T>(isNeeded: boolean, work: () => T): T {
  if (!isNeeded) return work();
  setReadable(1n);
  try {
    return work();
  } finally {
    setReadable(0n);
  }
}

function setReadable(value: bigint): void {
  const PR_SET_DUMPABLE = 4;
  processCalls().linux?.prctl(PR_SET_DUMPABLE, value, 0n, 0n, 0n);
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
