/** What Landlock is told: the rules for a policy as one value, for each version of the kernel's interface. */
import type { AbsPath } from "../base/paths.ts";
import {
  type Access,
  type Operation,
  RIGHTS,
  type SandboxPolicy,
} from "./types.ts";

/** Bits for files, from linux/landlock.h. */
export const FILE_RIGHT = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDir: 1 << 3,
  removeDir: 1 << 4,
  removeFile: 1 << 5,
  makeChar: 1 << 6,
  makeDir: 1 << 7,
  makeReg: 1 << 8,
  makeSock: 1 << 9,
  makeFifo: 1 << 10,
  makeBlock: 1 << 11,
  makeSym: 1 << 12,
  /** From version 2. Without it nothing can be moved or linked into another directory. */
  refer: 1 << 13,
  /** From version 3. */
  truncate: 1 << 14,
  /** From version 5. */
  ioctlDev: 1 << 15,
  /** From version 9: connecting to Unix sockets that processes outside have made. */
  resolveUnix: 1 << 16,
} as const;

/** Bits for TCP, from version 4. */
export const NETWORK_RIGHT = { bindTcp: 1, connectTcp: 2 } as const;

/** Bits for what may be reached outside the domain, from version 6. */
export const SCOPE = { abstractSockets: 1, signals: 2 } as const;

/** The version that first has each bit that the first version has not. */
export const LANDLOCK_FLOOR = {
  refer: 2,
  truncate: 3,
  network: 4,
  ioctlDev: 5,
  scopes: 6,
  resolveUnix: 9,
} as const;

/** The newest version that these rules know; a newer kernel is given the rules of this one. */
export const NEWEST_LANDLOCK = 9;

/** One path with what may be done there and below it. */
export interface LandlockPath {
  readonly path: AbsPath;
  readonly kind: "file" | "directory" | "socket";
  /** Bits of {@link FILE_RIGHT}. */
  readonly access: number;
}

/** All that Landlock is told. Whatever is handled and stands in no rule is denied. */
export interface LandlockRules {
  /** Version of the interface that the rules are for. */
  readonly abi: number;
  readonly handledFiles: number;
  readonly handledNetwork: number;
  readonly scoped: number;
  readonly paths: readonly LandlockPath[];
}

/** What an operation needs. Devices, which only root could make, are in no grant. */
const OPERATION_RIGHTS: Readonly<Record<Operation, number>> = {
  read: FILE_RIGHT.readFile,
  list: FILE_RIGHT.readDir,
  exec: FILE_RIGHT.execute,
  write: FILE_RIGHT.writeFile | FILE_RIGHT.truncate,
  create: FILE_RIGHT.removeDir | FILE_RIGHT.removeFile |
    FILE_RIGHT.makeDir | FILE_RIGHT.makeReg | FILE_RIGHT.makeSock |
    FILE_RIGHT.makeFifo | FILE_RIGHT.makeSym | FILE_RIGHT.refer,
  folder: FILE_RIGHT.makeDir,
  ioctl: FILE_RIGHT.ioctlDev,
};

/** What may be said about something that is not a directory. */
const FILE_ONLY = FILE_RIGHT.execute | FILE_RIGHT.writeFile |
  FILE_RIGHT.readFile | FILE_RIGHT.truncate | FILE_RIGHT.ioctlDev |
  FILE_RIGHT.resolveUnix;

/** The rules for a policy where Landlock has this version, at least 1. */
export function landlockRules(
  policy: SandboxPolicy,
  abi: number,
): LandlockRules {
  const known = Math.min(abi, NEWEST_LANDLOCK);
  const handledFiles = handledRights(known);
  const grants = policy.grants.map(({ path, kind, access }): LandlockPath => {
    const rights = rightsOf(access) & handledFiles;
    return {
      path,
      kind,
      access: kind === "directory" ? rights : rights & FILE_ONLY,
    };
  });
  return {
    abi: known,
    handledFiles,
    handledNetwork: handledNetwork(policy, known),
    scoped: known < LANDLOCK_FLOOR.scopes
      ? 0
      : SCOPE.abstractSockets | SCOPE.signals,
    paths: [...grants, ...socketRules(policy, handledFiles)],
  };
}

/** The bits of a kind of access, in every version. */
export function rightsOf(access: Access): number {
  return RIGHTS[access].reduce(
    (rights, operation) => rights | OPERATION_RIGHTS[operation],
    0,
  );
}

function handledRights(abi: number): number {
  const last = abi >= LANDLOCK_FLOOR.resolveUnix
    ? FILE_RIGHT.resolveUnix
    : abi >= LANDLOCK_FLOOR.ioctlDev
    ? FILE_RIGHT.ioctlDev
    : abi >= LANDLOCK_FLOOR.truncate
    ? FILE_RIGHT.truncate
    : abi >= LANDLOCK_FLOOR.refer
    ? FILE_RIGHT.refer
    : FILE_RIGHT.makeSym;
  return 2 * last - 1;
}

/**
 * No port is ever allowed: a rule names a port and no address, so it would reach every machine. What may be connected to is
 * connected by the mediator, which these rules do not hold; a hole in the filter would still lead nowhere.
 */
function handledNetwork(policy: SandboxPolicy, abi: number): number {
  if (abi < LANDLOCK_FLOOR.network) return 0;
  switch (policy.network.mode) {
    case "open":
      return 0;
    case "hosts":
      // Servers may be started; who reaches them is the mediator's matter.
      return NETWORK_RIGHT.connectTcp;
    case "none":
      return NETWORK_RIGHT.connectTcp | NETWORK_RIGHT.bindTcp;
  }
}

/** Sockets that processes outside made, where Landlock can tell. Those made inside are free. */
function socketRules(
  policy: SandboxPolicy,
  handledFiles: number,
): LandlockPath[] {
  if ((handledFiles & FILE_RIGHT.resolveUnix) === 0) return [];
  return policy.unixSockets.map(({ path, tree }) => ({
    path,
    kind: tree ? "directory" : "socket",
    access: FILE_RIGHT.resolveUnix,
  }));
}

/** The names of bits of {@link FILE_RIGHT}, for people. */
export function rightNames(access: number): string[] {
  return Object.entries(FILE_RIGHT).flatMap(([name, bit]) =>
    (access & bit) === 0 ? [] : [name]
  );
}
