/** Mount namespaces without root, as steps of a child: the new mount calls, which work on descriptors. Linux 5.12. */
import type { Step } from "./clone.ts";
import { openRealPathStep } from "./fds.ts";
import { cString } from "./libc.ts";
import { syscall } from "./syscall.ts";

/** Flags of clone(2). */
export const NAMESPACE = {
  mount: 0x00020000,
  ipc: 0x08000000,
  user: 0x10000000,
} as const;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const OPEN_TREE_CLONE = 1;
const O_WRONLY = 1;
const O_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOUNT_ATTR_RDONLY = 1n;
const PATH_MAX = 4096;
const MS_REC = 0x4000;
const MS_SLAVE = 0x80000;

/** Gives a child in a new user namespace the ids that it had outside. */
export function sameIdSteps(): Step[] {
  const [uid, gid] = [syscall("geteuid"), syscall("getegid")];
  return [
    ...writeSteps("/proc/self/setgroups", "deny"),
    ...writeSteps("/proc/self/uid_map", `${uid} ${uid} 1`),
    ...writeSteps("/proc/self/gid_map", `${gid} ${gid} 1`),
  ];
}

function writeSteps(path: string, text: string): Step[] {
  const bytes = new TextEncoder().encode(text);
  const open: Step = {
    call: "openat",
    args: [AT_FDCWD, cString(path), O_WRONLY | O_CLOEXEC, 0],
  };
  const file = { resultOf: open };
  return [
    open,
    { call: "write", args: [file, bytes, bytes.length] },
    // What is open for writing cannot be made read-only.
    { call: "close", args: [file] },
  ];
}

/** Keeps what is mounted in this namespace out of all others. What is mounted outside still comes in. */
export function ownMountsStep(): Step {
  const none = cString("none");
  return {
    call: "mount",
    args: [none, cString("/"), none, MS_REC | MS_SLAVE, 0],
  };
}

/** Looks where the process is, and goes there again: without it a process stays below what was mounted before. */
export function sameDirectorySteps(): {
  readonly look: Step;
  readonly go: Step;
} {
  const path = new Uint8Array(PATH_MAX);
  return {
    look: { call: "getcwd", args: [path, path.length] },
    go: { call: "chdir", args: [path] },
  };
}

/** A tree of files that is to be mounted where it is. */
export interface Bind {
  /** Takes a copy of what is mounted there now. */
  readonly take: readonly Step[];
  /** Mounts the copy over it. */
  readonly put: readonly Step[];
}

/** Mounts what lies at a real path over itself. Fails when a symbolic link is on the way. */
export function bindSteps(
  path: string,
  options: { readOnly: boolean },
): Bind {
  const here = cString("");
  // One descriptor for what is mounted and where, so that nothing can take its place in between.
  const target = openRealPathStep(path);
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH |
    AT_SYMLINK_NOFOLLOW;
  const tree: Step = {
    call: "open_tree",
    args: [{ resultOf: target }, here, flags],
  };
  const readOnly = options.readOnly
    ? [readOnlyStep({ resultOf: tree }, here)]
    : [];
  const move: Step = {
    call: "move_mount",
    args: [
      { resultOf: tree },
      here,
      { resultOf: target },
      here,
      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
    ],
  };
  return { take: [target, tree, ...readOnly], put: [move] };
}

/** Makes everything that is mounted now read-only. */
export function allReadOnlyStep(): Step {
  return readOnlyStep(AT_FDCWD, cString("/"));
}

function readOnlyStep(
  at: number | { readonly resultOf: Step },
  path: Uint8Array<ArrayBuffer>,
): Step {
  const attributes = new Uint8Array(
    new BigUint64Array([MOUNT_ATTR_RDONLY, 0n, 0n, 0n]).buffer,
  );
  const flags = AT_EMPTY_PATH | AT_RECURSIVE;
  return {
    call: "mount_setattr",
    args: [at, path, flags, attributes, attributes.length],
  };
}
