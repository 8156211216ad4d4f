/**
 * A process that waits for the end of another and then becomes a program. While it waits it is a list of system calls in a
 * few pages: this program's memory, which it begins with, is given back when this program has become another one. Linux.
 */
import { CallList } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { ARCHITECTURE } from "./architecture.ts";
import { codeAddress, PAGE } from "./clone_code.ts";
import type { Program } from "./exec.ts";
import { Pages } from "./pages.ts";

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

const CLONE_VM = 0x100;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const SIG_IGN = 1;
const MASK_BYTES = 8;
const MAX_CALLS = 40;

/**
 * Starts a process that waits. It begins with its own session and leaves this program's directory, descriptors and signals
 * alone; who waits for children of this one does not see it. Undefined where it cannot be started.
 */
export function watchEnd(watch: Watch): Watcher | undefined {
  const begun = begin();
  if (begun === undefined) return undefined;
  const { pages, from, into, mask } = begun;
  const steps = stepsOf(watch, { pages, from });
  // With no signal at its end: this one's parent is not told, and does not wait for it.
  const pid = steps?.start(CLONE_VM) ?? 0;
  const list = new CallList(2);
  list.add(CALL.rt_sigprocmask, [
    ...[SIG_SETMASK, list.place(mask), 0, MASK_BYTES],
  ]);
  list.add(CALL.close, [from]);
  list.run();
  if (pid > 0) return { pid, cancel: () => cancel(pid, into) };
  close([into]);
  return pages.unmap();
}

/** What a child needs. */
interface Begun {
  readonly pages: Pages;
  /** The ends of a pipe. The second is closed by this program's end or by its becoming another: from then on nobody else uses this memory. */
  readonly from: number;
  readonly into: number;
  /** The signals that were blocked before. */
  readonly mask: Uint8Array<ArrayBuffer>;
}

/** Makes it, and blocks all signals: a handler that ran in the child would run with this program's memory. */
function begin(): Begun | undefined {
  const ends = new Int32Array(2);
  const [all, mask] = [new Uint8Array(MASK_BYTES), new Uint8Array(MASK_BYTES)];
  all.fill(0xff);
  const list = new CallList(3);
  list.add(CALL.pipe2, [list.place(new Uint8Array(ends.buffer)), O_CLOEXEC]);
  const mapped = Pages.add(list, PAGES);
  const blocked = list.add(CALL.rt_sigprocmask, [
    ...[SIG_BLOCK, list.place(all), list.place(mask), MASK_BYTES],
  ]);
  const failed = list.run();
  const [from, into] = [ends[0]!, ends[1]!];
  if (failed === -1) {
    return { pages: Pages.of(list, mapped, PAGES), from, into, mask };
  }
  if (failed === blocked) Pages.of(list, mapped, PAGES).unmap();
  if (failed === mapped || failed === blocked) close([from, into]);
  return undefined;
}

/** The pipe is closed last: its end tells that this memory is not used any more. */
function cancel(pid: number, into: number): void {
  const list = new CallList(3);
  list.add(CALL.kill, [pid, SIGKILL]);
  list.add(CALL.wait4, [pid, 0, WALL, 0]);
  list.add(CALL.close, [into]);
  list.run();
}

function close(descriptors: readonly number[]): void {
  const list = new CallList(descriptors.length);
  for (const fd of descriptors) list.add(CALL.close, [fd]);
  list.run();
}

/** Undefined when the words of the program do not fit into the pages. */
function stepsOf(
  watch: Watch,
  memory: { readonly pages: Pages; readonly from: number },
): CallList | undefined {
  const { pages } = memory;
  try {
    const list = new CallList(MAX_CALLS, (size) => pages.take(size));
    addSteps(list, watch, memory);
    return list;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

function addSteps(
  list: CallList,
  { pidfd, program, hands, keepsErrors }: Watch,
  { pages, from }: { readonly pages: Pages; readonly from: number },
): void {
  const words = [program.argv0 ?? program.path, ...program.args];
  const variables = Object.entries(program.env).map(([name, value]) =>
    `${name}=${value}`
  );
  const ignored = pages.put([SIG_IGN, 0, 0, 0, 0, 0, 0, 0]);
  list.add(CALL.setsid, []);
  for (const signal of PATIENT) {
    list.add(CALL.rt_sigaction, [signal, ignored, 0, MASK_BYTES]);
  }
  list.add(CALL.prctl, [PR_SET_NAME, pages.text(NAME)]);
  list.add(CALL.chdir, [pages.text("/")]);
  addStandard(list, pages, keepsErrors);
  for (const [first, last] of gapsBetween([pidfd, from, ...hands])) {
    list.add(CALL.close_range, [first, last, 0]);
  }
  for (const fd of hands) list.add(CALL.fcntl, [fd, F_SETFD, 0]);
  list.add(CALL.read, [from, pages.put([0]), 1]);
  for (const [start, end] of freedBeside(pages)) {
    list.mayFail(list.add(CALL.munmap, [start, end - start]));
  }
  list.add(CALL.ppoll, [pages.put([pidfd, POLLIN]), 1, 0, 0, 0]);
  // All signals stay blocked: those that have a handler here would find it gone.
  const path = pages.text(program.path);
  list.add(CALL.execve, [path, pages.texts(words), pages.texts(variables)]);
}

/** Standard input, output and mostly error lead nowhere: whoever reads this program's output need not wait for this process. */
function addStandard(
  list: CallList,
  pages: Pages,
  keepsErrors: boolean,
): void {
  list.mayFail(list.add(CALL.close, [0]));
  list.add(CALL.openat, [HERE, pages.text("/dev/null"), O_RDWR, 0]);
  list.add(CALL.dup3, [0, 1, 0]);
  if (!keepsErrors) list.add(CALL.dup3, [0, 2, 0]);
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

/** All memory but the list and the code that makes its calls. */
function freedBeside({ address, size }: Pages): [number, number][] {
  const code = codeAddress()!;
  const [first, second] = address < code
    ? [[address, address + size], [code, code + PAGE]]
    : [[code, code + PAGE], [address, address + size]];
  const ranges: [number, number][] = [
    [0, first![0]!],
    [first![1]!, second![0]!],
    ...TOPS[ARCHITECTURE].map((top): [number, number] => [second![1]!, top]),
  ];
  return ranges.filter(([from, to]) => to > from);
}
