/**
 * Opens the C library before the first test: it stays open for the whole process, and Deno 2.7 takes that for a leak of the
 * test that happens to be the first to need it.
 */
import { libc } from "../../src/os/libc.ts";
import { openCalls } from "../../src/os/c_files.ts";
import { openProcessCalls } from "../../src/os/c_process.ts";

libc();
openCalls();
if (Deno.build.os !== "windows") openProcessCalls();
