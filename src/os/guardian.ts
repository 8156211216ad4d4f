/** A shell that waits until this process is gone, however it went, and then ends the processes that it was told of. */
import { makePipe, processCalls, SYSTEM } from "./c_process.ts";
import type { Children } from "./children.ts";
import { cString } from "./libc.ts";

/**
 * It asks groups, waits up to a second, and kills. Processes with a mark, which are confined, are stopped first, so that none
 * makes another one meanwhile; those that can be seen are all of this user. The files are removed last.
 */
const SCRIPT = `trap '' HUP INT QUIT TERM
cd /
groups=
marks=
while read -r verb group; do
  case $verb in
    add) groups="$groups $group" ;;
    mark) marks="$marks $group" ;;
    drop) rest=; for each in $groups; do [ "$each" = "$group" ] || rest="$rest $each"; done; groups=$rest ;;
  esac
done
left() { for each in $groups; do kill -s 0 -- "-$each" 2>/dev/null && return 0; done; return 1; }
for each in $groups; do kill -s TERM -- "-$each" 2>/dev/null; done
tries=0
while left && [ $tries -lt 20 ]; do sleep 0.05; tries=$((tries + 1)); done
for each in $groups; do kill -s KILL -- "-$each" 2>/dev/null; done
marked() {
  for file in $(grep -lE "^Max file locks +$1 +$1 " /proc/[0-9]*/limits 2>/dev/null); do
    pid=\${file#/proc/}
    pid=\${pid%/limits}
    case $(cat "/proc/$pid/stat" 2>/dev/null) in
      *") Z "* | *") X "* | "") ;;
      *) kill -s STOP "$pid" 2>/dev/null && echo "$pid" ;;
    esac
  done
  :
}
for each in $marks; do
  tries=0
  while found=$(marked "$each") && [ -n "$found" ] && [ $tries -lt 400 ]; do
    kill -s KILL $found 2>/dev/null
    tries=$((tries + 1))
  done
done
rm -f -- "$@"
`;

const OPEN_BOTH = 2 | SYSTEM.closeOnExecFlag;
/** One that ends again and again is not started for ever. */
const MAX_STARTS = 10;

/** Ends processes when this one is gone. Use with `using`: then it ends too, and those groups that it still knows. */
export class Guardian implements Disposable {
  readonly #children: Children;
  readonly #files: readonly string[];
  readonly #groups = new Set<number>();
  readonly #marks = new Set<number>();
  #pipe: number | undefined;
  #starts = 0;

  /** `files` are removed at the end. Nothing is started before there is a group or a mark. */
  constructor(children: Children, files: readonly string[]) {
    this.#children = children;
    this.#files = files;
  }

  /** Adds a group. Throws `AGENT_NOT_STARTED`. */
  add(group: number): void {
    this.#groups.add(group);
    if (this.#starts === 0) this.#start();
    else this.#say("add", group);
  }

  /** Adds all processes with a mark, also those that it will have later; it cannot be taken away. Throws `AGENT_NOT_STARTED`. */
  addMark(mark: number): void {
    this.#marks.add(mark);
    if (this.#starts === 0) this.#start();
    else this.#say("mark", mark);
  }

  /** Takes a group away, because nobody is left in it. */
  drop(group: number): void {
    this.#groups.delete(group);
    this.#say("drop", group);
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#starts = MAX_STARTS;
  }

  #start(): void {
    this.#starts += 1;
    const { from, into } = makePipe();
    const nowhere = processCalls().open(cString("/dev/null"), OPEN_BOTH);
    this.#pipe = into;
    try {
      const child = this.#children.start({
        path: "/bin/sh",
        args: ["-c", SCRIPT, "aenv-guardian", ...this.#files],
        env: { PATH: "/usr/bin:/bin" },
        stdio: [from, nowhere, nowhere],
        ownSession: true,
      });
      void child.ended.then(() => this.#startAgain());
    } finally {
      processCalls().close(from);
      processCalls().close(nowhere);
    }
    for (const group of this.#groups) this.#say("add", group);
    for (const mark of this.#marks) this.#say("mark", mark);
  }

  /** Somebody ended it, unless we did. */
  #startAgain(): void {
    if (this.#starts >= MAX_STARTS) return;
    this.#close();
    this.#start();
  }

  #close(): void {
    if (this.#pipe !== undefined) processCalls().close(this.#pipe);
    this.#pipe = undefined;
  }

  #say(verb: string, group: number): void {
    if (this.#pipe === undefined) return;
    const line = new TextEncoder().encode(`${verb} ${group}\n`);
    processCalls().write(this.#pipe, line, BigInt(line.length));
  }
}
