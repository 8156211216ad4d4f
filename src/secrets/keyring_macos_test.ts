import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { decodeBase64 } from "../base/base64.ts";
import { parseSecretKey } from "../base/secret_key.ts";
import {
  addCommand,
  deleteArguments,
  findArguments,
  parseHead,
  splitValue,
} from "./keyring_macos.ts";
import type { EnvIdentity } from "./types.ts";

const env = "0123456789abcdef0123456789abcdef" as EnvIdentity;
const key = parseSecretKey("gh-token");

Deno.test("addCommand() is one line for `security -i`, whatever the label", () => {
  strictEqual(
    addCommand({ env, account: "gh-token" }, {
      text: "v1:0f:0:c2VjcmV0",
      label: 'aenv: gh-token (wo"rk\\\n$x)',
    }),
    'add-generic-password -U -a "gh-token" ' +
      '-s "aenv:0123456789abcdef0123456789abcdef" ' +
      '-l "aenv: gh-token (wo_rk___x)" -w "v1:0f:0:c2VjcmV0"\n',
  );
});

Deno.test("the arguments of `security` name an item and never a value", () => {
  const item = { env, account: "gh-token" };
  const service = "aenv:0123456789abcdef0123456789abcdef";
  deepStrictEqual(findArguments(item, { shows: true }), [
    "find-generic-password",
    "-a",
    "gh-token",
    "-s",
    service,
    "-w",
  ]);
  deepStrictEqual(findArguments(item, { shows: false }), [
    "find-generic-password",
    "-a",
    "gh-token",
    "-s",
    service,
  ]);
  deepStrictEqual(deleteArguments(item), [
    "delete-generic-password",
    "-a",
    "gh-token",
    "-s",
    service,
  ]);
});

Deno.test("splitValue() keeps any bytes in lines that `security -i` can read, and parseHead() finds them again", () => {
  const value = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 64 }),
    fc.uint8Array({ minLength: 2200, maxLength: 9000 }),
  );
  fc.assert(
    fc.property(value, (bytes) => {
      const items = splitValue(key, bytes, "0f0f0f0f");
      for (const { account, text } of items) {
        const line = addCommand({ env, account }, { text, label: "aenv" });
        ok(line.length < 4096, String(line.length));
        strictEqual(line.indexOf("\n"), line.length - 1);
      }
      const [head, ...rest] = items;
      strictEqual(head!.account, key);
      const parsed = parseHead(key, head!.text);
      deepStrictEqual(parsed?.accounts, rest.map(({ account }) => account));
      const text = parsed!.first + rest.map((item) => item.text).join("");
      deepStrictEqual(decodeBase64(text), new Uint8Array(bytes));
    }),
    { numRuns: 60 },
  );
});

Deno.test("parseHead() takes nothing that aenv did not write", () => {
  for (
    const text of ["", "hunter2", "v1::0:", "v2:0f:0:YQ==", "v1:0f:x:YQ=="]
  ) {
    strictEqual(parseHead(key, text), undefined, text);
  }
});
