/** Absolute, normalised POSIX paths compared as text: a policy compares thousands of pairs at each launch. */

/** Whether `path` is `base` or lies below it. */
export function isIn(path: string, base: string): boolean {
  return path === base || isUnder(path, base);
}

/** Whether `path` lies below `base`. */
export function isUnder(path: string, base: string): boolean {
  return path.length > base.length && path.startsWith(base) &&
    (base.endsWith("/") || path[base.length] === "/");
}

/** The path and everything above it, nearest first, the root last. */
export function upwards(path: string): string[] {
  const found = [path];
  let at = path;
  while (at !== "/") {
    at = at.slice(0, at.lastIndexOf("/")) || "/";
    found.push(at);
  }
  return found;
}
