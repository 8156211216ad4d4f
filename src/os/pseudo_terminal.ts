/** Terminals that programs make: the side of the program that shows it, and the side of those that run in it. Linux. */
import { cString } from "./libc.ts";
import { ERRNO, syscall } from "./syscall.ts";

const TIOCGPTPEER = 0x5441;
const AT_EMPTY_PATH = 0x1000;
const STATX_TYPE = 1;
const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
/** Of /dev/ptmx, wherever it lies. */
const MASTER = { major: 5, minor: 2 } as const;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
/** O_RDWR, O_WRONLY, O_NONBLOCK. */
const OPEN_MODES = 0o4003;

/**
 * Opens the other side of a terminal whose master is open at `fd`, as the flags of open(2) say; it never becomes this
 * process's own. Returns the descriptor, which the caller closes, or the negative errno: `-ENOTTY` when it is no master.
 */
export function openTerminalPeer(fd: number, flags: number): number {
  // To another device the same number may mean anything.
  if (!isMaster(fd)) return -ERRNO.ENOTTY;
  const asked = (flags & OPEN_MODES) | O_NOCTTY | O_CLOEXEC;
  return syscall("ioctl", fd, TIOCGPTPEER, asked);
}

function isMaster(fd: number): boolean {
  const facts = new Uint8Array(256);
  const empty = cString("");
  const looked = syscall("statx", fd, empty, AT_EMPTY_PATH, STATX_TYPE, facts);
  if (looked < 0) return false;
  const view = new DataView(facts.buffer);
  return (view.getUint16(28, true) & S_IFMT) === S_IFCHR &&
    view.getUint32(128, true) === MASTER.major &&
    view.getUint32(132, true) === MASTER.minor;
}
