/** Trees on the disk as plain values. */

/** Writes files by path; a value `-> x` is a symlink to x, `+x …` a program. */
export function writeTree(
  root: string,
  files: Readonly<Record<string, string>>,
): void {
  for (const [path, content] of Object.entries(files)) {
    const full = `${root}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    if (content.startsWith("-> ")) Deno.symlinkSync(content.slice(3), full);
    else {
      Deno.writeTextFileSync(full, content);
      if (content.startsWith("+x ")) Deno.chmodSync(full, 0o755);
    }
  }
}

/** What {@link writeTree} takes; directories without entries end in a slash. */
export function readTree(root: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(`${root}/${prefix}`)) {
    const path = prefix + entry.name;
    const full = `${root}/${path}`;
    if (entry.isSymlink) found[path] = "-> " + Deno.readLinkSync(full);
    else if (entry.isDirectory) {
      const below = readTree(root, path + "/");
      if (Object.keys(below).length === 0) found[path + "/"] = "";
      Object.assign(found, below);
    } else found[path] = Deno.readTextFileSync(full);
  }
  return Object.fromEntries(Object.entries(found).sort());
}
