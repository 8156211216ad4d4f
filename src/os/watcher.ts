/**
 * A process that waits for the end of another and then becomes a program. While it waits it is a list of system calls in a
 * few pages: this program's memory, which it begins with, is given back when this program has become another one. Linux.
 */
import { cloneAndRun, type Step } from "./clone.ts";
import { cloneCall, codeAddress, PAGE } from "./clone_code.ts";
import type { Program } from "./exec.ts";
import { closeDescriptor } from "./fds.ts";
import { Pages } from "./pages.ts";
import { ARCHITECTURE, syscall } from "./syscall.ts";

/** What to wait for, and what for. */
export interface Watch {
  /** A descriptor of the process whose end is waited for. */
  readonly pidfd: number;
  /** What is run then. */
  readonly program: Program;
  /** Descriptors that the program gets, with the numbers that they have here. */
  readonly hands: readonly number[];
  /** Whether the program gets this one's standard error; the rest leads nowhere. */
  readonly keepsErrors: boolean;
}

/** A process that waits. */
export interface Watcher {
  readonly pid: number;
  /** Ends it. Until then, or the end of this program, it keeps this program's memory. */
  cancel(): void;
}

const NAME = "aenv-watch";
const PR_SET_NAME = 15;
const HERE = -100;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const EVERY_DESCRIPTOR = 0xffffffff;
const POLLIN = 1;
const SIGKILL = 9;
/** SIGHUP, SIGINT, SIGQUIT, SIGTERM: it does its work whoever sends them. */
const PATIENT = [1, 2, 3, 15] as const;
/** Waits for children of every kind. */
const WALL = 0x40000000;
/** For the list, the program's words and variables. Pages that are not written to do not exist. */
const PAGES = 8;

/** Where memory may end, by the number of address bits that a kernel was built for; one that is not so is refused. */
const TOPS: Readonly<Record<typeof ARCHITECTURE, readonly number[]>> = {
  // The first leaves the stack and what the kernel maps, which it may have sealed.
  ["x86_64"]: [0x7ff000000000, 0x7ffffffff000],
  aarch64: [2 ** 39, 2 ** 42, 2 ** 47, 2 ** 48],
};

/**
 * Starts a process that waits. It begins with its own session and leaves this program's directory, descriptors and signals
 * alone; who waits for children of this one does not see it. Undefined where it cannot be started.
 */
export function watchEnd(watch: Watch): Watcher | undefined {
  if (cloneCall() === undefined) return undefined;
  const pages = Pages.map(PAGES);
  if (pages === undefined) return undefined;
  const pipe = new Int32Array(2);
  const made = syscall("pipe2", new Uint8Array(pipe.buffer), O_CLOEXEC);
  if (made < 0) return pages.unmap();
  // Closed by this program's end or by its becoming another: from then on nobody else uses this memory.
  const [from, into] = pipe as unknown as [number, number];
  try {
    const child = cloneAndRun(stepsOf(watch, { pages, from }), {
      ...{ waits: false, keep: [], endSignal: 0 },
      memory: (size) => pages.take(size),
    });
    if (typeof child === "number") {
      pages.unmap();
      closeDescriptor(into);
      return undefined;
    }
    return { pid: child.pid, cancel: () => cancel(child.pid, into) };
  } catch (error) {
    pages.unmap();
    closeDescriptor(into);
    // Words that do not fit into the pages.
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  } finally {
    closeDescriptor(from);
  }
}

/** The pipe is closed last: its end tells that this memory is not used any more. */
function cancel(pid: number, into: number): void {
  if (syscall("kill", pid, SIGKILL) < 0) return;
  syscall("wait4", pid, 0, WALL, 0);
  closeDescriptor(into);
}

function stepsOf(
  { pidfd, program, hands, keepsErrors }: Watch,
  { pages, from }: { readonly pages: Pages; readonly from: number },
): Step[] {
  const kept = [pidfd, from, ...hands];
  const byte = pages.put(new Uint8Array(1));
  const poll = new Uint8Array(new Int32Array([pidfd, POLLIN]).buffer);
  const words = [program.argv0 ?? program.path, ...program.args];
  const variables = Object.entries(program.env).map(([name, value]) =>
    `${name}=${value}`
  );
  const ignored = pages.put(
    new Uint8Array(new BigUint64Array([1n, 0n, 0n, 0n]).buffer),
  );
  return [
    { call: "setsid", args: [] },
    ...PATIENT.map((signal): Step => ({
      call: "rt_sigaction",
      args: [signal, ignored, 0, 8],
    })),
    { call: "prctl", args: [PR_SET_NAME, pages.text(NAME)] },
    { call: "chdir", args: [pages.text("/")] },
    ...standardSteps(pages, keepsErrors),
    ...gapsBetween(kept).map(([first, last]): Step => ({
      call: "close_range",
      args: [first, last, 0],
    })),
    ...hands.map((fd): Step => ({ call: "fcntl", args: [fd, F_SETFD, 0] })),
    { call: "read", args: [from, byte, 1] },
    ...forgetSteps(pages),
    { call: "ppoll", args: [pages.put(poll), 1, 0, 0, 0] },
    // All signals stay blocked: those that have a handler here would find it gone.
    {
      call: "execve",
      args: [
        pages.text(program.path),
        pages.texts(words),
        pages.texts(variables),
      ],
    },
  ];
}

/** Standard input, output and mostly error lead nowhere: whoever reads this program's output need not wait for this process. */
function standardSteps(pages: Pages, keepsErrors: boolean): Step[] {
  const nowhere = pages.text("/dev/null");
  return [
    { call: "close", args: [0], mayFail: true },
    { call: "openat", args: [HERE, nowhere, O_RDWR, 0] },
    { call: "dup3", args: [0, 1, 0] },
    ...(keepsErrors ? [] : [{ call: "dup3", args: [0, 2, 0] } as const]),
  ];
}

/** The ranges from 3 on that lie between these descriptors. */
function gapsBetween(kept: readonly number[]): [number, number][] {
  const gaps: [number, number][] = [];
  let next = 3;
  for (const fd of [...kept].sort((a, b) => a - b)) {
    if (fd > next) gaps.push([next, fd - 1]);
    next = Math.max(next, fd + 1);
  }
  return [...gaps, [next, EVERY_DESCRIPTOR]];
}

/** Gives back all memory but the list and the code that makes its calls. */
function forgetSteps({ address, size }: Pages): Step[] {
  const kept = [[address, address + size], [
    codeAddress()!,
    codeAddress()! + PAGE,
  ]].sort(([a], [b]) => a! - b!) as [number, number][];
  const [first, second] = kept as [[number, number], [number, number]];
  const ranges = [
    [0, first[0]],
    [first[1], second[0]],
    ...TOPS[ARCHITECTURE].map((top) => [second[1], top]),
  ] as [number, number][];
  return ranges.filter(([from, to]) => to > from).map(([from, to]) => ({
    call: "munmap",
    args: [from, to - from],
    mayFail: true,
  }));
}
