/** Time that passes: again and again, or at most so much of it. */

/** Calls `action` every so many milliseconds until the returned function is called. Does not keep the program alive. */
export function every(milliseconds: number, action: () => void): () => void {
  const timer = setInterval(action, milliseconds);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}

/** What `promise` gives, or undefined when that takes longer than so many milliseconds. */
export async function within<T>(
  promise: Promise<T>,
  milliseconds: number,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Deno 2.7 has it and no type for it. */
const { setImmediate } = globalThis as unknown as {
  setImmediate(action: () => void): void;
};

/** Lets everything else that waits have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()));
}
