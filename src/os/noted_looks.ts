/** Being told of every look at files, while something is made that rests on them. */

/**
 * What was looked at. `K`: the kind of an entry; `T`: of what it leads to; `S`: all that tells whether what it leads to was
 * changed; `F`: the same of the entry itself; `R`: where it leads with every link resolved.
 */
export type NotedLook = "K" | "T" | "S" | "F" | "R";

type Listener = (path: string, look: NotedLook) => void;

let listener: Listener | undefined;

/** Says that a path is looked at. What is asked besides the kind of an entry by `K` is not covered. */
export function noteLook(path: string, look: NotedLook): void {
  listener?.(path, look);
}

/** Runs `work` and tells `told` of everything that it looks at through fs.ts. */
export function notingLooks<T>(told: Listener, work: () => T): T {
  const before = listener;
  listener = told;
  try {
    return work();
  } finally {
    listener = before;
  }
}
