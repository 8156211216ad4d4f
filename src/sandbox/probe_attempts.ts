/** The attempts of a probe, each with everything that would let it succeed if nothing stopped it. */
import { type AbsPath, basename, join } from "../base/paths.ts";
import type { Step } from "../os/clone.ts";
import { closeDescriptor } from "../os/fds.ts";
import { makeDir, writeNew } from "../os/fs.ts";
import { discard } from "../os/discard.ts";
import { cString } from "../os/libc.ts";
import {
  type AddressBytes,
  listenAtAddress,
  loopbackAddress,
  openSocket,
  unixAddress,
} from "../os/plain_sockets.ts";
import { type ErrnoName, syscall } from "../os/syscall.ts";
import type { Enforcement, ProtectionId } from "./exec_types.ts";

/** Something that must fail. */
export interface Attempt {
  readonly id: ProtectionId;
  /** For people: `read a file`. */
  readonly attempt: string;
  /** Every step may fail; the last one must. */
  readonly steps: readonly Step[];
  /** The errors that show that it was refused, and not that something was missing; or the number that it has to return. */
  readonly expected: readonly (ErrnoName | number)[];
}

const AT_FDCWD = -100;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CREAT = 0o100;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const PTRACE_SEIZE = 0x4206;
const PR_GET_NO_NEW_PRIVS = 39;
const CLONE_NEWUSER = 0x10000000;
const TIOCSTI = 0x5412;
const KEYCTL_GET_KEYRING_ID = 0;
const SESSION_KEYRING = -3;
const IPC_PRIVATE = 0;
const PAGE = 4096;

/** A file, sockets that listen, and sockets to connect with. Use with `using`. */
export class ProbeGround implements Disposable {
  readonly #directory: AbsPath;
  readonly #file: AbsPath;
  readonly #open: number[] = [];
  /** Made when a directory is not protected after all. */
  readonly #traces: AbsPath[] = [];

  /** Makes the directory, which must not exist. */
  constructor(directory: AbsPath) {
    this.#directory = directory;
    this.#file = join(directory, "file");
    makeDir(directory);
    writeNew(this.#file, "forbidden\n");
  }

  [Symbol.dispose](): void {
    this.#open.forEach(closeDescriptor);
    for (const path of [this.#directory, ...this.#traces]) discard(path);
  }

  /** What must fail under this enforcement. */
  attempts(enforcement: Enforcement): Attempt[] {
    return [
      ...this.#files(enforcement),
      ...this.#metadata(enforcement),
      ...this.#network(enforcement),
      ...this.#sockets(enforcement),
      ...processes(),
      ...kernel(enforcement),
      ...this.#directories(enforcement),
    ];
  }

  #files({ mounts }: Enforcement): Attempt[] {
    const file = cString(this.#file);
    const other = cString(join(this.#directory, "new"));
    // Where all is mounted read-only that is not granted, that comes first.
    const refused = mounts === undefined
      ? ["EACCES"] as const
      : ["EACCES", "EROFS"] as const;
    const open = (path: Uint8Array<ArrayBuffer>, flags: number) =>
      tries("openat", AT_FDCWD, path, flags, 0o600);
    return [
      {
        id: "files",
        attempt: "read a file",
        steps: [open(file, O_RDONLY)],
        expected: refused,
      },
      {
        id: "files",
        attempt: "write a file",
        steps: [open(file, O_WRONLY)],
        expected: refused,
      },
      {
        id: "files",
        attempt: "make a file",
        steps: [open(other, O_WRONLY | O_CREAT)],
        expected: refused,
      },
      {
        id: "truncation",
        attempt: "empty a file",
        steps: [tries("truncate", file, 0)],
        expected: refused,
      },
    ];
  }

  #metadata({ mounts }: Enforcement): Attempt[] {
    if (mounts === undefined) return [];
    const file = cString(this.#file);
    return [{
      id: "metadata",
      attempt: "change the mode of a file",
      steps: [tries("fchmodat", AT_FDCWD, file, 0o644)],
      expected: ["EROFS"],
    }];
  }

  #network({ seccomp }: Enforcement): Attempt[] {
    if (seccomp.internet === "open") return [];
    if (seccomp.internet === "none") {
      return [{
        id: "internet",
        attempt: "make a socket",
        steps: [tries("socket", AF_INET, SOCK_STREAM, 0)],
        expected: ["EAFNOSUPPORT"],
      }];
    }
    return [{
      id: "internet",
      attempt: "connect to a port of this machine",
      steps: [this.#connect(loopbackAddress(0))],
      expected: ["EACCES"],
    }];
  }

  #sockets({ seccomp, landlock }: Enforcement): Attempt[] {
    const making: Attempt = {
      id: "unix-sockets",
      attempt: "make a Unix socket",
      steps: [tries("socket", AF_UNIX, SOCK_STREAM, 0)],
      expected: ["EACCES"],
    };
    const connecting: Attempt = {
      id: "unix-sockets",
      attempt: "connect to a Unix socket",
      steps: [this.#connect(unixAddress(this.#socketPath()))],
      expected: ["EACCES"],
    };
    const named: Attempt = {
      id: "abstract-sockets",
      attempt: "connect to an abstract Unix socket",
      steps: [
        this.#connect(unixAddress(`\0aenv-${basename(this.#directory)}`)),
      ],
      expected: ["EACCES", "EPERM"],
    };
    const isAsked = seccomp.unix !== "none";
    return [
      isAsked ? connecting : making,
      ...(isAsked || landlock.scoped !== 0 ? [named] : []),
    ];
  }

  #directories({ mounts }: Enforcement): Attempt[] {
    const traces = (mounts?.readOnly ?? []).map((path) =>
      join(path, basename(this.#directory))
    );
    this.#traces.push(...traces);
    return traces.map((path) => ({
      id: "protected-directories",
      attempt: "make a directory in a protected one",
      steps: [tries("mkdirat", AT_FDCWD, cString(path), 0o700)],
      expected: ["EROFS"],
    }));
  }

  /** A path that fits into an address, by way of this process's own directory of descriptors. */
  #socketPath(): string {
    const directory = syscall(
      "openat",
      AT_FDCWD,
      cString(this.#directory),
      0o12000000,
      0,
    );
    this.#open.push(directory);
    return `/proc/self/fd/${directory}/socket`;
  }

  /** Connects a socket that was there before to one that listens. */
  #connect(address: AddressBytes): Step {
    const there = listenAtAddress(address);
    if (typeof there === "number") {
      throw new Error(`cannot listen for a probe: ${there}`);
    }
    const socket = openSocket(address);
    this.#open.push(there.socket, socket);
    // A socket that listens at a path has been bound to it in the words of the caller.
    const to = address[0] === AF_UNIX ? address : there.address;
    return tries("connect", socket, to, to.length);
  }
}

function processes(): Attempt[] {
  const outside = syscall("getpid");
  const link = cString(`/proc/${outside}/cwd`);
  const memory = new Uint8Array(PAGE);
  return [
    {
      id: "signals",
      attempt: "signal a process outside",
      steps: [tries("kill", outside, 0)],
      expected: ["EPERM"],
    },
    {
      id: "processes",
      attempt: "look into a process outside",
      steps: [tries("readlinkat", AT_FDCWD, link, memory, memory.length)],
      expected: ["EACCES"],
    },
    {
      id: "processes",
      attempt: "debug a process outside",
      steps: [tries("ptrace", PTRACE_SEIZE, outside, 0, 0)],
      expected: ["EPERM"],
    },
  ];
}

function kernel({ seccomp }: Enforcement): Attempt[] {
  const refused = ["EPERM"] as const;
  const byte = new Uint8Array([10]);
  return [
    {
      id: "terminal-input",
      attempt: "type into the terminal",
      steps: [tries("ioctl", 0, TIOCSTI, byte)],
      expected: refused,
    },
    {
      id: "namespaces",
      attempt: "make a user namespace",
      steps: [tries("unshare", CLONE_NEWUSER)],
      expected: refused,
    },
    {
      id: "kernel-interfaces",
      attempt: "find the session's keys",
      steps: [tries("keyctl", KEYCTL_GET_KEYRING_ID, SESSION_KEYRING, 0)],
      expected: refused,
    },
    {
      id: "kernel-interfaces",
      attempt: "set up io_uring",
      steps: [tries("io_uring_setup", 1, new Uint8Array(120))],
      expected: refused,
    },
    ...(seccomp.ownSharedMemory ? [] : [
      {
        id: "shared-memory",
        attempt: "share memory by number",
        steps: [tries("shmget", IPC_PRIVATE, PAGE, 0o600)],
        expected: ["ENOSYS"],
      } as const,
    ]),
    {
      id: "privileges",
      attempt: "get rights from set-id programs",
      steps: [tries("prctl", PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)],
      expected: [1],
    },
  ];
}

function tries(call: Step["call"], ...args: Step["args"]): Step {
  return { call, args, mayFail: true };
}
