/** Ids of transactions. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { TxId } from "./types.ts";

// A year that leaves room for a later id of as many digits.
const ID = /^([0-8]\d{3})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]{6}$/;

/** Whether `text` is an id: one name, so that it cannot lead anywhere. */
export function isTxId(text: string): text is TxId {
  return ID.test(text) && !Number.isNaN(Date.parse(isoOf(text)));
}

/** Parses an id that somebody typed. Throws `TX_NOT_FOUND`. */
export function parseTxId(text: string): TxId {
  if (isTxId(text)) return text;
  throw new AppError(
    "TX_NOT_FOUND",
    `Cannot use ${quote(text)} as the id of a transaction: it is none`,
    { hint: "See what there is: aenv history" },
  );
}

/** An id for `now` (milliseconds since 1970) that sorts behind `newest`, whatever became of the clock in between. */
export function makeTxId(
  now: number,
  { newest, digits }: { newest: TxId | undefined; digits: string },
): TxId {
  const time = newest === undefined ? now : Math.max(now, timeOf(newest) + 1);
  const words = new Date(time).toISOString().replaceAll(/[-:.]/g, "");
  return `${words}-${digits}` as TxId;
}

/** When a transaction began, milliseconds since 1970. */
export function timeOf(id: TxId): number {
  return Date.parse(isoOf(id));
}

function isoOf(id: string): string {
  return id.replace(ID, "$1-$2-$3T$4:$5:$6.$7Z");
}
