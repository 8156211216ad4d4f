/** The git repository that a project lies in, found without running git: what a repository says of itself is not believed. */
import { type AbsPath, ancestors, join, resolveFrom } from "../base/paths.ts";
import { lstat, readText, realPath } from "../os/fs.ts";

/** A repository on disk. */
export interface Repository {
  /** The directory that all work trees of a clone share. */
  readonly commonDir: AbsPath;
  /** The project's directory relative to the work tree: `a/b`, or empty. */
  readonly subdir: string;
}

const MAX_BYTES = 64 * 1024;

/**
 * The repository of a real directory. Undefined where there is none, and where a `.git` leads to one that does not know of it:
 * anybody can pack such a file, and point it at the clone of another project.
 */
export function findRepository(dir: AbsPath): Repository | undefined {
  const root = ancestors(dir).find((at) =>
    lstat(join(at, ".git")) !== undefined
  );
  if (root === undefined) return undefined;
  const commonDir = commonDirOf(join(root, ".git"));
  return commonDir && { commonDir, subdir: dir.slice(root.length + 1) };
}

function commonDirOf(dotGit: AbsPath): AbsPath | undefined {
  const kind = lstat(dotGit)?.kind;
  if (kind === "directory") {
    return isGitDir(dotGit) ? dotGit : undefined;
  }
  if (kind !== "file") return undefined;
  const target = /^gitdir: (.+)$/m.exec(readText(dotGit, MAX_BYTES) ?? "")?.[1];
  if (target === undefined) return undefined;
  const gitDir = realPath(resolveFrom(join(dotGit, ".."), target.trim()));
  if (gitDir === undefined || !isGitDir(gitDir)) return undefined;
  return worktreeCommonDir(gitDir, dotGit) ?? submoduleDir(gitDir, dotGit);
}

/** A linked work tree: its directory in the clone names it, and says where the clone is. */
function worktreeCommonDir(
  gitDir: AbsPath,
  dotGit: AbsPath,
): AbsPath | undefined {
  const back = readText(join(gitDir, "gitdir"), MAX_BYTES)?.trim();
  const common = readText(join(gitDir, "commondir"), MAX_BYTES)?.trim();
  if (!back || !common) return undefined;
  if (realPath(resolveFrom(gitDir, back)) !== dotGit) return undefined;
  const dir = realPath(resolveFrom(gitDir, common));
  // `<clone>/.git/worktrees/<name>`: what else it names is not its clone.
  const isClone = dir !== undefined && join(gitDir, "..", "..") === dir &&
    lstat(dir)?.kind === "directory";
  return isClone ? dir : undefined;
}

/** A submodule: the configuration in the clone around it names its work tree. */
function submoduleDir(gitDir: AbsPath, dotGit: AbsPath): AbsPath | undefined {
  const config = readText(join(gitDir, "config"), MAX_BYTES) ?? "";
  const match = /^\s*worktree\s*=\s*"?([^"\n]+?)"?\s*$/m.exec(config);
  if (!match) return undefined;
  const worktree = realPath(resolveFrom(gitDir, match[1]!));
  return worktree === join(dotGit, "..") ? gitDir : undefined;
}

function isGitDir(dir: AbsPath): boolean {
  return lstat(join(dir, "HEAD")) !== undefined;
}
