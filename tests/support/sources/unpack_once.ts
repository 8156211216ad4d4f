/** Unpacks one archive in a process of its own and prints the most memory that it had, in bytes: `unpack_once.ts ARCHIVE INTO`. */

import type { AbsPath } from "../../../src/base/paths.ts";
import { unpackArchive } from "../../../src/sources/archive/unpack.ts";
import { LIMITS } from "../../../src/sources/mod.ts";

const [archive = "", into = ""] = Deno.args;
await unpackArchive(archive as AbsPath, into as AbsPath, {
  what: archive,
  limits: LIMITS,
  signal: undefined,
});
const status = Deno.readTextFileSync("/proc/self/status");
// deno-lint-ignore no-console
console.log(1024 * Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]));
