import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { parseSecretKey } from "../base/secret_key.ts";
import { readIndex, setIndex } from "./index_file.ts";

const key = parseSecretKey;

Deno.test("setIndex() keeps one key a line, sorted, for this user alone", () => {
  using temp = new TempDir();
  const slot = temp.path as AbsPath;
  deepStrictEqual([...readIndex(slot)], []);
  const dirs = { secrets: join(slot, "secrets") };
  setIndex(slot, key("gh-token"), { state: "kept", dirs });
  setIndex(slot, key("a"), { state: "changing", dirs });
  strictEqual(
    Deno.readTextFileSync(`${slot}/.secrets.list`),
    "a ?\ngh-token\n",
  );
  strictEqual(Deno.statSync(`${slot}/.secrets.list`).mode! & 0o777, 0o600);
  setIndex(slot, key("a"), { state: "kept", dirs });
  setIndex(slot, key("gh-token"), { state: undefined, dirs });
  setIndex(slot, key("nobody"), { state: undefined, dirs });
  deepStrictEqual([...readIndex(slot)], [["a", "kept"]]);
});

Deno.test("readIndex() leaves out lines that name no key", () => {
  using temp = new TempDir();
  const text = "ok\n\n../x\na b\nb ?\n-x\nok ??\n\u001b[2J\n";
  Deno.writeTextFileSync(`${temp.path}/.secrets.list`, text);
  deepStrictEqual([...readIndex(temp.path as AbsPath)], [
    ["ok", "kept"],
    ["b", "changing"],
  ]);
});
