/**
 * Programs that this process starts and watches by itself, through the C library: with any descriptors, in a session of
 * their own or on the same terminal, where it sees them stop as well as end. Linux and macOS.
 */
import { bytesOf, processCalls, SYSTEM } from "./c_process.ts";
import { type Program, startFailure } from "./exec.ts";
import { cString, cStrings } from "./libc.ts";
import { markOf, ownChildren } from "./process_marks.ts";

/** How a program ended. */
export type ChildEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: number };

/** What to start, and with what. */
export interface ChildOptions extends Program {
  /** Descriptors for its standard input, output and error; ours unless given. */
  readonly stdio?: readonly [number, number, number];
  /** In a session and process group of its own; then no terminal reaches it. */
  readonly ownSession?: boolean;
  /** Called when it was stopped, with the signal. */
  readonly onStop?: (signal: number) => void;
}

/** A program that runs. */
export interface Child {
  readonly pid: number;
  /** Settled when it has ended. */
  readonly ended: Promise<ChildEnd>;
  /** Sends a signal; whether it could be sent. Nothing happens once the program has ended: its number may be another's. */
  send(signal: number): boolean;
}

const WNOHANG = 1;
const WUNTRACED = 2;
const SIGPIPE = 13;
const SET_DEFAULT_SIGNALS = 0x04;
const LONG_MS = 60_000;
/** Room for the C library's own records, whose largest has 336 bytes. */
const RECORD_BYTES = 512;

/** The programs of one supervisor. Use with `using`; it does not end them. */
export class Children implements Disposable {
  readonly #running = new Map<number, Running>();
  readonly #onChange = () => this.#look();
  #adopted: number | undefined;
  /** A signal that may come keeps this process from ending no more than the program does: a timer does, while one runs. */
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    Deno.addSignalListener("SIGCHLD", this.#onChange);
  }

  /** Starts a program. Throws `AGENT_NOT_STARTED`. */
  start(options: ChildOptions): Child {
    return this.watch(spawn(options), options.onStop);
  }

  /** Watches a child of this process that was started in another way, and that nobody else waits for. */
  watch(pid: number, onStop?: (signal: number) => void): Child {
    const running = new Running(pid, onStop);
    this.#running.set(pid, running);
    this.#timer ??= setInterval(this.#onChange, LONG_MS);
    // It may have ended before it was in the table.
    this.#look();
    return running;
  }

  /**
   * Makes this process the parent of those with this mark whose own parent ends: only an ancestor may look into them where
   * Yama says so. Linux.
   */
  adoptMarked(mark: number): void {
    const PR_SET_CHILD_SUBREAPER = 36;
    processCalls().linux?.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n);
    this.#adopted = mark;
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGCHLD", this.#onChange);
    this.#stopTimer();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One signal may stand for many changes. */
  #look(): void {
    for (const [pid, running] of this.#running) {
      if (running.look()) this.#running.delete(pid);
    }
    if (this.#running.size === 0) this.#stopTimer();
    if (this.#adopted !== undefined) this.#buryAdopted(this.#adopted);
  }

  /** Others are waited for by whoever started them. */
  #buryAdopted(mark: number): void {
    for (const pid of ownChildren()) {
      if (this.#running.has(pid) || markOf(pid) !== mark) continue;
      processCalls().waitpid(pid, new Uint8Array(4), WNOHANG);
    }
  }
}

class Running implements Child {
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  readonly #onStop: ((signal: number) => void) | undefined;
  readonly #end: (end: ChildEnd) => void;
  #hasEnded = false;

  constructor(pid: number, onStop: ((signal: number) => void) | undefined) {
    this.pid = pid;
    this.#onStop = onStop;
    const { promise, resolve } = Promise.withResolvers<ChildEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  send(signal: number): boolean {
    return !this.#hasEnded && processCalls().kill(this.pid, signal) === 0;
  }

  /** Takes note of what changed; whether it has ended. */
  look(): boolean {
    const status = new Int32Array(1);
    const flags = WNOHANG | WUNTRACED;
    while (processCalls().waitpid(this.pid, bytesOf(status), flags) > 0) {
      const state = status[0]!;
      const signal = state & 0x7f;
      if (signal === 0x7f) {
        this.#onStop?.((state >> 8) & 0xff);
        continue;
      }
      this.#hasEnded = true;
      this.#end(
        signal === 0
          ? { kind: "exited", code: (state >> 8) & 0xff }
          : { kind: "killed", signal },
      );
      return true;
    }
    return false;
  }
}

function spawn(options: ChildOptions): number {
  const calls = processCalls();
  const actions = new Uint8Array(RECORD_BYTES);
  const attributes = new Uint8Array(RECORD_BYTES);
  calls.posix_spawn_file_actions_init(actions);
  calls.posix_spawnattr_init(attributes);
  try {
    options.stdio?.forEach((fd, target) => {
      calls.posix_spawn_file_actions_adddup2(actions, fd, target);
    });
    // Rust's runtime ignores SIGPIPE, and what is ignored stays so.
    calls.posix_spawnattr_setsigdefault(attributes, signalSet(SIGPIPE));
    const session = options.ownSession ? SYSTEM.spawnSetSession : 0;
    calls.posix_spawnattr_setflags(attributes, SET_DEFAULT_SIGNALS | session);
    return spawnWith(options, actions, { attributes });
  } finally {
    calls.posix_spawn_file_actions_destroy(actions);
    calls.posix_spawnattr_destroy(attributes);
  }
}

function spawnWith(
  { path, args, env, argv0 }: Program,
  actions: Uint8Array<ArrayBuffer>,
  { attributes }: { attributes: Uint8Array<ArrayBuffer> },
): number {
  const argv = cStrings([argv0 ?? path, ...args]);
  const variables = cStrings(
    Object.entries(env).map(([name, value]) => `${name}=${value}`),
  );
  const pid = new Int32Array(1);
  const code = processCalls().posix_spawn(
    bytesOf(pid),
    cString(path),
    actions,
    attributes,
    argv.pointer,
    variables.pointer,
  );
  if (code === 0) return pid[0]!;
  throw startFailure(path, code, [argv.keep, variables.keep]);
}

/** A `sigset_t` with one signal; its first word has the first 32 on both systems. */
function signalSet(signal: number): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(128);
  new DataView(set.buffer).setUint32(0, 1 << (signal - 1), true);
  return set;
}
