/** Numbers of system calls: a filter that names another call than it means protects nothing. */
import assert from "node:assert/strict";
import {
  type Architecture,
  SYSCALL_NAMES,
  syscallNumber,
} from "../../src/os/syscall_numbers.ts";

/** The kernel's own headers; what the numbers of a machine are called in them. */
const HEADERS: Readonly<Record<Architecture, readonly [string, RegExp]>> = {
  ["x86_64"]: [
    "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    /^#define __NR_(\w+)\s+(\d+)/gm,
  ],
  aarch64: [
    "/usr/include/asm-generic/unistd.h",
    /^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm,
  ],
};

for (const machine of ["x86_64", "aarch64"] as const) {
  const [path, pattern] = HEADERS[machine];
  // The header of the other machine is not installed; that of all newer ones is.
  if (machine === "x86_64" && Deno.build.arch !== machine) continue;
  Deno.test(`the numbers of system calls are those of the kernel (${machine})`, () => {
    // Guards: a slip of the pen in a table of two hundred numbers.
    const known = new Map(
      [...Deno.readTextFileSync(path).matchAll(pattern)].map((match) =>
        [match[1]!, Number(match[2])] as const
      ),
    );
    const compared = SYSCALL_NAMES.filter((name) => known.has(name));
    for (const name of compared) {
      assert.equal(syscallNumber(name, machine), known.get(name), name);
    }
    // The others are newer than the header, or are no calls of this machine.
    assert.ok(compared.length > 130, `${compared.length}`);
    const missing = SYSCALL_NAMES.filter((name) =>
      !known.has(name) && (syscallNumber(name, machine) ?? -1) >= 0
    );
    assert.ok(missing.every((name) => syscallNumber(name, machine)! > 440));
  });
}
