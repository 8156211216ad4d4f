import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { isTxId, makeTxId, parseTxId, timeOf } from "./id.ts";
import type { TxId } from "./types.ts";

Deno.test("makeTxId() sorts behind the newest, also when the clock was set back", () => {
  const first = makeTxId(Date.UTC(2030, 0, 31, 23, 59, 59, 999), {
    newest: undefined,
    digits: "ffffff",
  });
  strictEqual(String(first), "20300131T235959999Z-ffffff");
  const ids: TxId[] = [first];
  for (const now of [Date.UTC(2000, 0, 1), Date.UTC(2030, 1, 1)]) {
    ids.push(makeTxId(now, { newest: ids.at(-1)!, digits: "000000" }));
  }
  strictEqual(ids[1], "20300201T000000000Z-000000");
  strictEqual(ids[2], "20300201T000000001Z-000000");
  deepStrictEqual(ids.toSorted(), ids);
  strictEqual(timeOf(first), Date.UTC(2030, 0, 31, 23, 59, 59, 999));
});

Deno.test("parseTxId() takes ids only, so that none can lead elsewhere", () => {
  const bad = [
    "",
    "..",
    "../20300131T235959999Z-ffffff",
    "20300131T235959999Z-ffffff/..",
    "20301331T235959999Z-ffffff",
    "20300131T235959999Z-FFFFFF",
    "20300131T235959999Z-ffffff\n",
    ".new-1-2-abc",
    "99991231T235959999Z-ffffff",
  ];
  for (const text of bad) {
    strictEqual(isTxId(text), false, text);
    throws(() => parseTxId(text), { code: "TX_NOT_FOUND" }, text);
  }
});
