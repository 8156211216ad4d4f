import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { TempDir } from "../../tests/support/temp.ts";
import { decodeBase64, encodeBase64 } from "../base/base64.ts";
import { parseSecretKey } from "../base/secret_key.ts";
import { hostWith } from "../os/host.ts";
import {
  addCommand,
  deleteArguments,
  findArguments,
  macosKeyring,
  parseHead,
  splitValue,
} from "./keyring_macos.ts";
import type { EnvIdentity } from "./types.ts";
import { SecretValue } from "./value.ts";

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

/** Keeps items in files as `security` keeps them in a keychain, by what its manual says, and writes down its arguments. */
const STAND_IN = `#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/arguments"
if [ "$1" = -i ]; then IFS= read -r line; eval "set -- $line"; fi
verb=$1; account=; service=; value=; shows=
shift
while [ $# -gt 0 ]; do
  case $1 in
    -a) account=$2; shift ;;
    -s) service=$2; shift ;;
    -l) shift ;;
    -w) shows=yes; value=$2; [ $# -gt 1 ] && shift ;;
  esac
  shift
done
item=$HOME/keychain/$service.$account
case $verb in
  add-generic-password) printf %s "$value" > "$item" ;;
  find-generic-password) [ -f "$item" ] || exit 44; [ -z "$shows" ] || { cat "$item"; echo; } ;;
  delete-generic-password) [ -f "$item" ] || exit 44; rm "$item" ;;
esac
`;

Deno.test("macosKeyring() keeps, replaces and removes values of any length, which are in no argument", async () => {
  using temp = new TempDir();
  const program = `${temp.path}/security`;
  Deno.writeTextFileSync(program, STAND_IN, { mode: 0o755 });
  Deno.mkdirSync(`${temp.path}/keychain`);
  const keyring = macosKeyring(hostWith({ env: { HOME: temp.path } }), program);
  const other = parseSecretKey("other");
  const long = new SecretValue("0123456789".repeat(900));
  const short = new SecretValue(Uint8Array.of(0, 255, 10));
  await keyring.write(env, { key, value: long, label: "aenv" });
  await keyring.write(env, { key: other, value: short, label: "aenv" });
  const read = await keyring.read(env, [key, other, parseSecretKey("none")]);
  deepStrictEqual([...read.keys()].sort(), [key, other]);
  ok(read.get(key)!.equals(long) && read.get(other)!.equals(short));
  deepStrictEqual([...await keyring.keys(env, [key])], [key]);
  await keyring.write(env, { key, value: short, label: "aenv" });
  ok((await keyring.read(env, [key])).get(key)!.equals(short));
  const items = () => [...Deno.readDirSync(`${temp.path}/keychain`)].length;
  strictEqual(items(), 2);
  strictEqual(await keyring.remove(env, key), true);
  strictEqual(await keyring.remove(env, key), false);
  strictEqual(items(), 1);
  const shown = Deno.readTextFileSync(`${temp.path}/arguments`);
  ok(shown.includes("find-generic-password -a gh-token"));
  for (const value of [long, short]) {
    const text = encodeBase64(value.reveal()).slice(0, 4);
    ok(!shown.includes(text), text);
  }
});

Deno.test("macosKeyring() tells missing, locked and cancelled by the exit code", async () => {
  using temp = new TempDir();
  const program = `${temp.path}/security`;
  const script = '#!/bin/sh\necho "no: $*" >&2\nexit "$(cat "$HOME/code")"\n';
  Deno.writeTextFileSync(program, script, { mode: 0o755 });
  const host = hostWith({ env: { HOME: temp.path } });
  const keyring = macosKeyring(host, program);
  const answer = async (code: number) => {
    Deno.writeTextFileSync(`${temp.path}/code`, String(code));
    return await keyring.read(env, [key]);
  };
  strictEqual((await answer(44)).size, 0);
  await rejects(answer(36), { code: "KEYRING_LOCKED" });
  await rejects(answer(128), { code: "KEYRING_CANCELLED" });
  await rejects(answer(51), { code: "KEYRING_CANCELLED" });
  await rejects(answer(1), {
    code: "KEYRING_UNAVAILABLE",
    message: /exit code 1: no: find-generic-password -a gh-token/,
  });
  strictEqual((await answer(44)).size, 0);
  deepStrictEqual([...await keyring.keys(env, [key])], []);
  strictEqual(await keyring.remove(env, key), false);
});
