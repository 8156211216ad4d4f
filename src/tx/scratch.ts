/** Directories in which something is prepared before the lock is taken: `state/.new-<pid>-<start>-<random>`. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { discard } from "../os/discard.ts";
import { ensureDir, makeDir, randomHex, readDir } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { processStart } from "../os/process.ts";
import type { Owner } from "./types.ts";

const SCRATCH = /^\.new-(\d{1,10})-([A-Za-z0-9_]+)-[0-9a-f]+$/;

/** This process, as it is written down. */
export function ownerOf(host: Host): Owner {
  return { pid: host.pid, start: processStart(host.pid) ?? "unknown" };
}

/** Whether the process still lives; not another one that got its id. */
export function isAlive({ pid, start }: Owner): boolean {
  return processStart(pid) === start;
}

/** Makes a directory that is this process's own. */
export function makeScratch(dirs: Dirs, host: Host): AbsPath {
  const dir = scratchPath(dirs, host);
  makeDir(dir);
  return dir;
}

/** Path for a file or directory of this process; nothing is there. Swept when the process is gone. */
export function scratchPath(dirs: Dirs, host: Host): AbsPath {
  const { pid, start } = ownerOf(host);
  ensureDir(dirs.state);
  return join(dirs.state, `.new-${pid}-${start}-${randomHex(12)}`);
}

/** Removes those of processes that are gone. */
export function sweepScratch(dirs: Dirs): void {
  for (const { name } of readDir(dirs.state) ?? []) {
    const match = SCRATCH.exec(name);
    if (match === null) continue;
    if (isAlive({ pid: Number(match[1]), start: match[2]! })) continue;
    discard(join(dirs.state, name));
  }
}
