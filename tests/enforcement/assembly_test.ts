import assert from "node:assert/strict";
import { CLONE_CODE } from "../../src/os/clone_code.ts";
import { TempDir } from "../support/temp.ts";

/** The machine code that an assembler makes of a text, in hexadecimal digits. */
function assembled(text: string, prefix: string): string {
  using dir = new TempDir();
  const source = new URL(`./assembly/${text}`, import.meta.url).pathname;
  const [object, code] = [`${dir.path}/code.o`, `${dir.path}/code`];
  const steps = [
    [`${prefix}as`, "-o", object, source],
    [`${prefix}objcopy`, "-O", "binary", "-j", ".text", object, code],
  ];
  for (const [program, ...args] of steps) {
    const { success, stderr } = new Deno.Command(program!, { args })
      .outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
  }
  return Deno.readFileSync(code).toHex();
}

Deno.test("the machine code that starts a confined child is what its text says", () => {
  // Guards: code that nobody can read would be code that nobody has reviewed.
  for (const machine of ["x86_64", "aarch64"] as const) {
    const own = Deno.build.arch === machine;
    const prefix = own ? "" : `${machine.replace("_", "-")}-linux-gnu-`;
    assert.equal(assembled(`${machine}.s`, prefix), CLONE_CODE[machine]);
  }
});
