/** Words of this module. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, isWithin } from "../base/paths.ts";
import type { Host } from "../os/host.ts";

/** `YYYYMMDDTHHMMSSmmmZ-<6 hex digits>`: sorts in the order in which transactions began to change something. */
export type TxId = string & { readonly __brand: "TxId" };

/** Where transactions live, and who else has a say. */
export interface TxHome {
  readonly host: Host;
  readonly dirs: Dirs;
  /**
   * Throws when an agent runs in what these paths are about. Asked before directories are taken back or away, and once more
   * when they are.
   */
  requireIdle(paths: readonly AbsPath[]): void;
}

/** What is at a path, as far as a transaction has to know it to put it back. */
export type Thing =
  | { readonly kind: "missing" }
  | {
    readonly kind: "file";
    readonly sha256: string;
    readonly size: number;
    readonly mode: number;
  }
  | { readonly kind: "symlink"; readonly target: string }
  /** A directory or a device: never put, and never equal to anything. */
  | { readonly kind: "other" };

/** A tree in the state directory of a transaction. */
export interface TreeRef {
  readonly id: TxId;
  readonly index: number;
}

/**
 * One change. Entry `n` keeps the file it replaced as `n.before` and the tree it took away as `n.tree`, both in the
 * transaction's own directory.
 */
export type Entry =
  | {
    readonly op: "put";
    readonly path: AbsPath;
    readonly before: Thing;
    readonly after: Thing;
  }
  | {
    /** A directory that appears: from the transaction's own `n.tree`, or from what another one took away. */
    readonly op: "place";
    readonly path: AbsPath;
    /** See `treeMark`: tells whether it was changed since. */
    readonly mark: string;
    readonly from: TreeRef | null;
  }
  | { readonly op: "take"; readonly path: AbsPath }
  | { readonly op: "move"; readonly path: AbsPath; readonly to: AbsPath }
  | { readonly op: "mkdir" | "rmdir"; readonly path: AbsPath };

/** The process that does it: its id, and its start as `processStart` gives it. */
export interface Owner {
  readonly pid: number;
  readonly start: string;
}

/** How far a transaction got. */
export type TxStatus = "pending" | "committed" | "rolled-back";

/** A transaction as it is written down. */
export interface TxRecord {
  readonly version: 1;
  readonly id: TxId;
  /** The command: `new`, `rollback`. */
  readonly kind: string;
  readonly env: string | null;
  /** ISO 8601. */
  readonly started: string;
  readonly finished: string | null;
  readonly status: TxStatus;
  readonly note: string | null;
  /** The transaction that this one took back. */
  readonly undoes: TxId | null;
  /** Whether that one had itself taken something back. */
  readonly redoes: boolean;
  readonly owner: Owner;
  /** Whether it is whole once its last entry is done, so that a killed one is finished and not undone. */
  readonly whole: boolean;
  /** How many entries, counted from the last, are undone already. */
  readonly undone: number;
  readonly entries: readonly Entry[];
}

/** The paths an entry is about. */
export function pathsOf(entry: Entry): AbsPath[] {
  return entry.op === "move" ? [entry.path, entry.to] : [entry.path];
}

/** Whether one path is the other or lies in it. */
export function overlap(a: AbsPath, b: AbsPath): boolean {
  return isWithin(a, b) || isWithin(b, a);
}
