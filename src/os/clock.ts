/** Time. */

/** Milliseconds since some fixed moment: only differences mean something, and the system's clock may be set meanwhile. */
export function monotonicMs(): number {
  return performance.now();
}
