/** What is made and taken away in directories while somebody holds a descriptor: inotify of Linux. Names, not contents. */
import { CallList, placeOf } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";

const CLOSE_ON_EXEC = 0o2000000;
const NON_BLOCKING = 0o4000;
/** IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE; only directories; links are not followed. */
const MASK = 0x40 | 0x80 | 0x100 | 0x200 | 0x1000000 | 0x2000000;
const OVERFLOW = 0x4000;
const HEADER = 16;
const BUFFER = 64 * 1024;

/** One entry that was made, taken away or moved. */
export interface Seen {
  /** Which of the directories. */
  readonly dir: number;
  readonly name: string;
}

/** What was seen. */
export interface SeenAll {
  readonly seen: readonly Seen[];
  /** Whether there was more than the system remembers. */
  readonly isPartial: boolean;
}

/** Watches these directories. Returns the descriptor, not inherited unless that is changed; undefined when they cannot be watched. */
export function watchDirs(dirs: readonly string[]): number | undefined {
  const fd = dirs.length === 0 ? -1 : openWatch();
  if (fd < 0) return undefined;
  const names = new TextEncoder().encode(dirs.join("\0") + "\0");
  const base = placeOf(names);
  const list = new CallList(dirs.length);
  let at = 0;
  for (let i = 0; i < dirs.length; i++) {
    list.add(CALL.inotify_add_watch, [fd, base + at, MASK]);
    at = names.indexOf(0, at) + 1;
  }
  const failed = list.run();
  // Watches are numbered from one on: what has another number is a directory that has two names.
  const isWatched = failed === -1 && at === names.length &&
    dirs.every((_, i) => list.result(i) === i + 1);
  if (isWatched) return fd;
  const end = new CallList(1);
  end.add(CALL.close, [fd]);
  end.run();
  return undefined;
}

function openWatch(): number {
  if (Deno.build.os !== "linux") return -1;
  const list = new CallList(1);
  list.add(CALL.inotify_init1, [CLOSE_ON_EXEC | NON_BLOCKING]);
  return list.run() === -1 ? list.result(0) : -1;
}

/** What was seen since the last time, in the directories that {@link watchDirs} was given. */
export function readSeen(fd: number): SeenAll {
  const seen = new Map<string, Seen>();
  let isPartial = false;
  const buffer = new Uint8Array(BUFFER);
  const view = new DataView(buffer.buffer);
  while (true) {
    const list = new CallList(1);
    list.add(CALL.read, [fd, placeOf(buffer), buffer.length]);
    const count = list.run() === -1 ? list.result(0) : 0;
    if (count <= 0) return { seen: [...seen.values()], isPartial };
    // `struct inotify_event`: watch, mask, cookie, length, name.
    for (let at = 0; at + HEADER <= count;) {
      const dir = view.getInt32(at, true) - 1;
      if (view.getUint32(at + 4, true) & OVERFLOW) isPartial = true;
      const length = view.getUint32(at + 12, true);
      const bytes = buffer.subarray(at + HEADER, at + HEADER + length);
      const end = bytes.indexOf(0);
      const name = new TextDecoder().decode(
        end < 0 ? bytes : bytes.subarray(0, end),
      );
      if (dir >= 0 && name !== "") seen.set(`${dir}/${name}`, { dir, name });
      at += HEADER + length;
    }
  }
}
