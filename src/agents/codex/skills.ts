/** Skills that Codex finds outside of its own directory, and that belong to the user or the project and not to the env. */
import { type AbsPath, join } from "../../base/paths.ts";
import { isDirectory, lstat, readDir } from "../../os/fs.ts";

/** How deep Codex looks. */
const MAX_DEPTH = 6;
/** Directories that are looked at. */
const MAX_LOOKS = 2000;

/** Directories in a project that Codex takes skills from. */
export const PROJECT_SKILLS: readonly string[] = [
  ".agents/skills",
  ".codex/skills",
];
/** The same below HOME, wherever `CODEX_HOME` leads. */
export const USER_SKILLS = ".agents/skills";

/** The `SKILL.md` files below `dirs`, as Codex names them. */
export function skillFiles(dirs: readonly AbsPath[]): AbsPath[] {
  const found: AbsPath[] = [];
  // Links can lead in a circle.
  let left = MAX_LOOKS;
  function look(dir: AbsPath, depth: number): void {
    left -= 1;
    const file = join(dir, "SKILL.md");
    if (lstat(file) !== undefined) found.push(file);
    if (depth === 0) return;
    for (const { name, kind } of readDir(dir) ?? []) {
      const mayLead = kind === "directory" || kind === "symlink";
      if (mayLead && left > 0 && isDirectory(join(dir, name))) {
        look(join(dir, name), depth - 1);
      }
    }
  }
  for (const dir of dirs.filter(isDirectory)) look(dir, MAX_DEPTH);
  return found;
}
