/**
 * Opens the C library before the first test: it stays open for the whole process, and Deno 2.7 takes that for a leak of the
 * test that happens to be the first to need it.
 */
import { libc } from "../../src/os/libc.ts";
import { openCalls } from "../../src/os/c_files.ts";
import { processCalls } from "../../src/os/c_process.ts";
import { openMemory } from "../../src/os/clone_code.ts";
import { openSyscall } from "../../src/os/syscall.ts";

libc();
openCalls();
if (Deno.build.os !== "windows") processCalls();
if (Deno.build.os === "linux") {
  openSyscall();
  openMemory();
}
