import { deepStrictEqual } from "node:assert/strict";
import { type KernelRefusal, KernelRefusals } from "./audit_kernel.ts";

/** As Linux 6.18 says it. */
const ACCESS =
  'domain=1bf7046f8 blockers=fs.read_file path="/home/u/.bashrc" dev="vda" ino=821';
const SIGNAL =
  'domain=1bf7046f8 blockers=scope.signal opid=1 ocomm="process_api"';
const DOMAIN =
  'domain=1bf7046f8 status=allocated mode=enforcing pid=21017 uid=0 exe="/usr/bin/python3.11" comm="python3"';
const GONE = "domain=1bf7046f8 status=deallocated denials=2";

function heard(
  pid: number,
  messages: readonly (readonly [number, string])[],
): [string, KernelRefusal][] {
  const told: [string, KernelRefusal][] = [];
  const refusals = new KernelRefusals((name, refusal) =>
    told.push([name, refusal])
  );
  refusals.add(pid, "agent");
  refusals.take(messages.map(([type, text]) => ({ type, text })));
  return told;
}

Deno.test("KernelRefusals tells what was refused to a domain of ours, also before the domain was named", () => {
  const messages = [
    [1423, ACCESS],
    [1424, DOMAIN],
    [1300, "arch=c000003e syscall=257 success=no"],
    [1423, SIGNAL],
    [1424, GONE],
  ] as const;
  deepStrictEqual(heard(21017, messages), [
    ["agent", { rights: "fs.read_file", to: "/home/u/.bashrc" }],
    ["agent", { rights: "scope.signal", to: "process 1" }],
  ]);
});

Deno.test("KernelRefusals tells nothing of domains of others", () => {
  const messages = [[1423, ACCESS], [1424, DOMAIN], [1423, SIGNAL]] as const;
  deepStrictEqual(heard(4711, messages), []);
});

Deno.test("KernelRefusals reads names that the kernel writes in hexadecimal digits, and is not misled by them", () => {
  const hex = (text: string) =>
    [...new TextEncoder().encode(text)].map((byte) =>
      byte.toString(16).padStart(2, "0").toUpperCase()
    ).join("");
  const path = "/x domain=9 path=y\n";
  const messages = [
    [1424, DOMAIN],
    [1423, `domain=1bf7046f8 blockers=fs.make_reg path=${hex(path)}`],
    [1423, 'domain=1bf7046f8 blockers=scope.signal opid=7 ocomm="opid=1"'],
  ] as const;
  deepStrictEqual(heard(21017, messages).map(([, { to }]) => to), [
    path,
    "process 7",
  ]);
});
