/** One transaction while it runs: each change is written down before it becomes possible. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { epochMs } from "../os/clock.ts";
import { discard } from "../os/discard.ts";
import {
  ensureDir,
  isSameFile,
  lstat,
  makeDir,
  randomHex,
  readBytes,
  readDir,
  removeEmptyDir,
  rename,
  syncDir,
  writeSynced,
} from "../os/fs.ts";
import { closeUndone, finish, tidy } from "./close.ts";
import { makeTxId } from "./id.ts";
import { planPut, type Put, requireFree, settle } from "./put.ts";
import { beforeFile, listIds, treeDir, txDir, writeRecord } from "./record.ts";
import { makeScratch, ownerOf } from "./scratch.ts";
import { isSameThing, replaceThing, treeMark } from "./things.ts";
import {
  type Entry,
  overlap,
  pathsOf,
  type TreeRef,
  type TxHome,
  type TxId,
  type TxRecord,
} from "./types.ts";
import { sourceOf, tempBeside } from "./undo.ts";

/** How a change stands to the others of its transaction. */
export interface StepOptions {
  /** The last one, and nothing that can fail comes after it: a killed transaction is finished once this is done. */
  readonly completes?: boolean;
}

/** What a transaction is about. */
export interface TxHead {
  /** The command: `new`, `rollback`. */
  readonly kind: string;
  /** Directory name of the env's slot, or `global`; null where it is about none. */
  readonly env: string | null;
  /** A few words for the history. */
  readonly note?: string | undefined;
  readonly undoes?: TxId | null;
  readonly redoes?: boolean;
}

/**
 * The changes that a transaction may make. All are undone when the work fails; parents of a path must exist. `commit` and
 * `abort` are for `runTransaction`.
 */
export class Transaction {
  readonly #home: TxHome;
  readonly #blocked: readonly TxRecord[];
  #head: TxHead;
  #scratch: AbsPath | undefined;
  #record: TxRecord | undefined;
  #isKept = false;

  constructor(
    home: TxHome,
    head: TxHead,
    options: {
      scratch: AbsPath | undefined;
      /** Killed ones that could not be undone: what they touched is not to be touched. */
      blocked: readonly TxRecord[];
    },
  ) {
    this.#home = home;
    this.#head = head;
    this.#scratch = options.scratch;
    this.#blocked = options.blocked;
  }

  /** Its id; undefined as long as nothing was changed. */
  get id(): TxId | undefined {
    return this.#record?.id;
  }

  /** Says what it is about, once that is known; before the first change. */
  describe(head: Partial<TxHead>): void {
    this.#head = { ...this.#head, ...head };
  }

  /** Has it written down even when it changes nothing. */
  keep(): void {
    this.#isKept = true;
    this.#begin();
  }

  /** Makes a file or link be this, or be gone; a link that is there is replaced, not followed. Throws `PATH_INVALID`, `IO`. */
  put(put: Put, options: StepOptions = {}): void {
    this.putAll([put], options);
  }

  /** Several files, written down at once. What is so already is left alone. */
  putAll(puts: readonly Put[], options: StepOptions = {}): void {
    const steps = puts.map((put) => planPut(put)).filter((step) =>
      !isSameThing(step.entry.before, step.entry.after)
    );
    if (steps.length === 0) return;
    const { dir, first } = this.#next(steps.map((step) => step.entry.path));
    steps.forEach(({ entry }, i) => {
      if (entry.before.kind !== "file") return;
      writeSynced(beforeFile(dir, first + i), readBytes(entry.path)!);
    });
    this.#write(steps.map((step) => step.entry), options);
    steps.forEach(({ entry, bytes }, i) => {
      const temp = tempBeside(entry.path, this.id!, first + i);
      replaceThing(entry.path, entry.after, { temp, bytes });
    });
  }

  /**
   * A directory appears at `path` in one step: the one of this name that was made in the scratch directory, or one that an
   * earlier transaction took away. Throws `TX_CONFLICT` when something is there.
   */
  place(
    tree: string | TreeRef,
    path: AbsPath,
    options: StepOptions = {},
  ): void {
    const to = settle(path);
    const { dir, first } = this.#next([to]);
    requireFree(to);
    const own = treeDir(dir, first);
    if (typeof tree === "string") rename(join(dir, tree), own);
    const from = typeof tree === "string" ? null : tree;
    const at = { dirs: this.#home.dirs, id: this.id! };
    const unmarked = { op: "place", path: to, mark: "", from } as const;
    const source = sourceOf(unmarked, first, at);
    this.#write([{ ...unmarked, mark: treeMark(source) }], options);
    rename(source, to);
    syncDir(parent(to));
  }

  /** What is at `path` goes away, into the state directory: nothing is copied, and nothing lost. */
  take(path: AbsPath, options: StepOptions = {}): void {
    const from = settle(path);
    const { dir, first } = this.#next([from]);
    this.#write([{ op: "take", path: from }], options);
    rename(from, treeDir(dir, first));
    syncDir(parent(from));
  }

  /** Moves a directory; nothing may be at `to`, but for another spelling of the same name. */
  move(path: AbsPath, to: AbsPath): void {
    const entry = { op: "move", path: settle(path), to: settle(to) } as const;
    this.#next(pathsOf(entry));
    if (!isSameFile(entry.path, entry.to)) requireFree(entry.to);
    this.#write([entry], {});
    rename(entry.path, entry.to);
    syncDir(parent(entry.to));
  }

  /** Makes a directory, mode 0700. Undone, it goes only when it is empty. */
  makeDir(path: AbsPath): void {
    const at = settle(path);
    this.#next([at]);
    this.#write([{ op: "mkdir", path: at }], {});
    makeDir(at);
  }

  /** Removes a directory that is empty; leaves any other. */
  removeDir(path: AbsPath): void {
    const at = settle(path);
    if (lstat(at)?.kind !== "directory" || readDir(at)!.length > 0) return;
    this.#next([at]);
    this.#write([{ op: "rmdir", path: at }], {});
    removeEmptyDir(at);
  }

  /** Makes what was done the state of things; returns the record, or undefined when nothing was changed. */
  commit(): TxRecord | undefined {
    if (this.#record === undefined) return undefined;
    const dir = txDir(this.#home.dirs, this.#record.id);
    if (this.#record.entries.length === 0 && !this.#isKept) {
      discard(dir);
      return undefined;
    }
    const done = finish(this.#record, "committed", this.#head.note);
    tidy(dir, done);
    writeRecord(dir, done);
    this.#record = done;
    return done;
  }

  /** Takes back what was done. Throws what stands in the way; it is pending then. */
  abort(reason: string): void {
    if (this.#record === undefined) return;
    const { dirs } = this.#home;
    closeUndone(this.#record, { dirs, force: false, isOwn: true, reason });
  }

  #begin(): TxRecord {
    if (this.#record !== undefined) return this.#record;
    const { dirs, host } = this.#home;
    ensureDir(dirs.state);
    const scratch = this.#scratch ?? makeScratch(dirs, host);
    const options = { newest: listIds(dirs).at(-1), digits: randomHex(6) };
    const id = makeTxId(epochMs(), options);
    const { kind, env, note, undoes, redoes } = this.#head;
    const record: TxRecord = {
      version: 1,
      id,
      kind,
      env,
      started: new Date(epochMs()).toISOString(),
      finished: null,
      status: "pending",
      note: note ?? null,
      undoes: undoes ?? null,
      redoes: redoes ?? false,
      owner: ownerOf(host),
      whole: false,
      undone: 0,
      entries: [],
    };
    try {
      writeRecord(scratch, record);
      rename(scratch, txDir(dirs, id));
    } catch (error) {
      discard(scratch);
      throw error;
    }
    syncDir(dirs.state);
    this.#record = record;
    return record;
  }

  /** Where the next entry keeps its things. Throws `TX_CONFLICT` for paths that a killed transaction has its hand on. */
  #next(paths: readonly AbsPath[]): { dir: AbsPath; first: number } {
    const other = this.#blocked.find((record) =>
      record.entries.some((entry) =>
        pathsOf(entry).some((a) => paths.some((b) => overlap(a, b)))
      )
    );
    if (other !== undefined) {
      throw new AppError(
        "TX_CONFLICT",
        `Cannot change ${
          quote(paths[0]!)
        }: a killed transaction has left it half changed`,
        { hint: "Take that back first: aenv rollback --pending" },
      );
    }
    const { id, entries } = this.#begin();
    return { dir: txDir(this.#home.dirs, id), first: entries.length };
  }

  #write(entries: readonly Entry[], { completes }: StepOptions): void {
    const record = this.#begin();
    const next = {
      ...record,
      note: this.#head.note ?? null,
      entries: [...record.entries, ...entries],
      whole: completes ?? false,
    };
    writeRecord(txDir(this.#home.dirs, record.id), next);
    this.#record = next;
  }
}
