/** The record of a transaction on disk. It is data, not an order: what does not add up is refused by name. */
import { type Dirs, dirsAt } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  isBelow,
  isWithin,
  join,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat, readDir, readText, realPath, writeAtomic } from "../os/fs.ts";
import { isTxId } from "./id.ts";
import type { Entry, Thing, TxId, TxRecord } from "./types.ts";

/** Name of the record in a transaction's directory. */
export const RECORD_FILE = "record.json";

const MAX_BYTES = 16 * 1024 * 1024;
const KIND = /^[a-z][a-z0-9 _-]{0,39}$/;

/** The directory of a transaction. */
export function txDir(dirs: Dirs, id: TxId): AbsPath {
  return join(dirs.state, id);
}

/** Where entry `index` of the transaction in `dir` keeps the file it replaced. */
export function beforeFile(dir: AbsPath, index: number): AbsPath {
  return join(dir, `${index}.before`);
}

/** Where entry `index` of the transaction in `dir` keeps the tree it took away, or has yet to place. */
export function treeDir(dir: AbsPath, index: number): AbsPath {
  return join(dir, `${index}.tree`);
}

/** Writes the record, in one step. */
export function writeRecord(dir: AbsPath, record: TxRecord): void {
  writeAtomic(join(dir, RECORD_FILE), JSON.stringify(record, null, 1) + "\n");
}

/** Ids of the transactions that there are, oldest first; with or without a good record. */
export function listIds(dirs: Dirs): TxId[] {
  return (readDir(dirs.state) ?? []).map((entry) => entry.name).filter(isTxId);
}

/** Reads a record. Throws `TX_NOT_FOUND`, and `TX_INVALID` for one that is damaged or was tampered with. */
export function readRecord(dirs: Dirs, id: TxId): TxRecord {
  const dir = txDir(dirs, id);
  if (lstat(dir) === undefined) {
    throw new AppError(
      "TX_NOT_FOUND",
      `Cannot find transaction ${quote(id)}: there is none of that id`,
      { hint: "See what there is: aenv history" },
    );
  }
  const file = join(dir, RECORD_FILE);
  if (lstat(file)?.kind !== "file") throw invalid(id, "it has no record");
  const value = parseJson(readText(file, MAX_BYTES) ?? "", id);
  const problem = recordProblem(value, id, realPath(dirs.root) ?? dirs.root);
  if (problem !== undefined) throw invalid(id, problem);
  return value as TxRecord;
}

/** The error for a record, or a copy beside it, that cannot be used. */
export function invalid(id: TxId, state: string): AppError {
  return new AppError(
    "TX_INVALID",
    `Cannot use transaction ${quote(id)}: ${state}`,
    { hint: `Look at it in ${RECORD_FILE}, and remove its directory by hand` },
  );
}

function parseJson(text: string, id: TxId): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(id, "its record is not JSON");
  }
}

type Fields = Readonly<Record<string, unknown>>;

function recordProblem(
  value: unknown,
  id: TxId,
  root: AbsPath,
): string | undefined {
  if (!isFields(value)) return "its record is no object";
  if (value["version"] !== 1) return "its record has another version";
  if (value["id"] !== id) return "its record is about another id";
  const { entries, undone, owner } = value;
  const isWhole = KIND.test(String(value["kind"])) &&
    isTextOrNull(value["env"]) && isTextOrNull(value["note"]) &&
    isTime(value["started"]) &&
    (value["finished"] === null || isTime(value["finished"])) &&
    ["pending", "committed", "rolled-back"].includes(String(value["status"])) &&
    (value["undoes"] === null || isTxId(String(value["undoes"]))) &&
    typeof value["redoes"] === "boolean" &&
    typeof value["whole"] === "boolean" &&
    isFields(owner) && isCount(owner["pid"]) &&
    typeof owner["start"] === "string" && Array.isArray(entries) &&
    isCount(undone) && undone <= entries.length;
  if (!isWhole) return "its record lacks something";
  const bad = entries.findIndex((entry) => !isEntry(entry, root));
  return bad < 0 ? undefined : `entry ${bad} of its record is not valid`;
}

function isEntry(entry: unknown, root: AbsPath): entry is Entry {
  if (!isFields(entry) || !isPath(entry["path"])) return false;
  const { op, path } = entry;
  if (op === "put") {
    return !isJournal(path, root) && isThing(entry["before"]) &&
      isThing(entry["after"]);
  }
  // Whole directories are moved in our home only, and never the journal itself.
  if (!isOurs(path, root)) return false;
  if (op === "place") {
    const { from } = entry;
    const isFrom = from === null ||
      (isFields(from) && isTxId(String(from["id"])) && isCount(from["index"]));
    return isFrom && isHash(entry["mark"]);
  }
  if (op === "move") return isPath(entry["to"]) && isOurs(entry["to"], root);
  return op === "take" || op === "mkdir" || op === "rmdir";
}

function isOurs(path: string, root: AbsPath): boolean {
  return isBelow(path, root) && !isJournal(path, root);
}

function isJournal(path: string, root: AbsPath): boolean {
  const { state, trash, lock } = dirsAt(root);
  return [state, trash, lock].some((own) => isWithin(path, own));
}

function isThing(value: unknown): value is Thing {
  if (!isFields(value)) return false;
  switch (value["kind"]) {
    case "missing":
      return true;
    case "symlink":
      return typeof value["target"] === "string" && value["target"] !== "";
    case "file":
      return isHash(value["sha256"]) && isCount(value["size"]) &&
        isCount(value["mode"]) && value["mode"] <= 0o7777;
    default:
      return false;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isHash(value: unknown): boolean {
  return /^[0-9a-f]{64}$/.test(String(value));
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

/** An absolute path as we write them: nothing in it that could lead elsewhere. */
function isPath(value: unknown): value is AbsPath {
  return typeof value === "string" && !value.includes("\0") &&
    isAbsolutePath(value) && join(value as AbsPath) === value;
}
