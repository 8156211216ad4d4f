/** The machine that this program was built for. */
import type { Architecture } from "./syscall_numbers.ts";

/** Its name in the tables of system calls. */
export const ARCHITECTURE: Architecture = Deno.build.arch === "aarch64"
  ? "aarch64"
  : "x86_64";
