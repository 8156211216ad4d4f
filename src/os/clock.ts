/** Time. */

/** Milliseconds since some fixed moment: only differences mean something, and the system's clock may be set meanwhile. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since 1970 by the system's clock, which may be set at any time. */
export function epochMs(): number {
  return Date.now();
}
