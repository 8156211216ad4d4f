/** Reading a file that only this user may have written, with one call of this program. Linux. */
import { CallList } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { OPEN } from "./open_flags.ts";
import { FACT, FACT_WORDS } from "./stat_list.ts";
import { cString } from "./libc.ts";

const HERE = -100;
const NO_FOLLOW = 0x100;
const EMPTY_PATH = 0x1000;
const BASIC = 0x7ff;
const O_NONBLOCK = 0x800;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const BY_OTHERS = 0o077;
const WRITTEN_BY_OTHERS = 0o022;

/**
 * The bytes of a regular file of this user that nobody else may use, reached through no link at its end, in a directory of
 * this user that nobody else may write. Undefined when there is none, when it is anything else, or not read in full.
 */
export function readPrivateAtOnce(
  dir: string,
  { name, uid, maxBytes }: {
    readonly name: string;
    readonly uid: number;
    readonly maxBytes: number;
  },
): Uint8Array<ArrayBuffer> | undefined {
  const [folder, file] = [cString(dir), cString(`${dir}/${name}`)];
  // Pages that nothing is read into are never touched.
  const bytes = new Uint8Array(maxBytes + 1);
  const facts = new Int32Array(2 * FACT_WORDS);
  const list = new CallList(4);
  const factsAt = list.place(new Uint8Array(facts.buffer));
  list.add(CALL.statx, [HERE, list.place(folder), NO_FOLLOW, BASIC, factsAt]);
  const flags = OPEN.noFollow | OPEN.closeOnExec | O_NONBLOCK;
  const open = list.add(CALL.openat, [HERE, list.place(file), flags, 0]);
  const empty = list.place(EMPTY);
  const look = list.add(CALL.statx, [
    ...[-1, empty, EMPTY_PATH, BASIC, factsAt + FACT_WORDS * 4],
  ]);
  list.useResult(look, { of: open, argument: 0 });
  const read = list.add(CALL.read, [-1, list.place(bytes), bytes.length]);
  list.useResult(read, { of: open, argument: 0, nth: 1 });
  const failed = list.run();
  if (failed === undefined) return undefined;
  if (list.result(open) > 0) close(list.result(open));
  const count = list.result(read);
  const isOurs = failed < 0 && count <= maxBytes &&
    facts[FACT_WORDS + FACT.size] === count &&
    isPrivate(facts, 0, { uid, type: S_IFDIR, refused: WRITTEN_BY_OTHERS }) &&
    isPrivate(facts, FACT_WORDS, { uid, type: S_IFREG, refused: BY_OTHERS });
  return isOurs ? bytes.subarray(0, count) : undefined;
}

const EMPTY = new Uint8Array(128);

function close(fd: number): void {
  const list = new CallList(1);
  list.add(CALL.close, [fd]);
  list.run();
}

function isPrivate(
  facts: Int32Array,
  at: number,
  { uid, type, refused }: {
    readonly uid: number;
    readonly type: number;
    readonly refused: number;
  },
): boolean {
  const mode = facts[at + FACT.mode]! & 0xffff;
  return facts[at + FACT.owner] === uid && (mode & S_IFMT) === type &&
    (mode & refused) === 0;
}
