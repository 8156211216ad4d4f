/** Writes the files of a commit, after all of them have been judged by name and size. */
import { AppError } from "../../base/errors.ts";
import { type AbsPath, join } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import { chmod, lstat, tempName } from "../../os/fs.ts";
import type { SourceContext } from "../source.ts";
import { checkTree } from "../tree/check_tree.ts";
import { TreeGuard } from "../tree/guard.ts";
import { git, gitOutput } from "./program.ts";
import { type LocalCommit, treeName } from "./repository.ts";

/** What is checked out. */
export interface CheckOutOptions {
  /** Directory of the commit; undefined for all of it. */
  readonly path: string | undefined;
  /** What errors call it. */
  readonly what: string;
  readonly context: SourceContext;
}

interface TreeRow {
  readonly mode: string;
  readonly type: string;
  readonly size: number;
  readonly path: string;
}

/**
 * Writes the directory `path` of the commit (all of it when undefined) into the empty directory `into`.
 * Throws `SOURCE_REFUSED`, and `CONTENT_INVALID` when there is no such directory.
 */
export async function checkOut(
  local: LocalCommit,
  into: AbsPath,
  options: CheckOutOptions,
): Promise<void> {
  const { context, what } = options;
  const tree = treeName(local.commit, options.path);
  const rows = await listTree(local.dir, tree, options);
  const accepted = judge(rows, options);
  const env = {
    GIT_DIR: local.dir,
    GIT_WORK_TREE: into,
    GIT_INDEX_FILE: join(context.temp, tempName()),
  };
  await gitOutput(["read-tree", "--end-of-options", tree], context, { env });
  await refuseLfs(accepted, env, options);
  await gitOutput(["checkout-index", "--force", "-z", "--stdin"], context, {
    env,
    input: accepted.map((row) => row.path + "\0").join(""),
  });
  checkTree(into, { what, limits: context.limits });
  for (const { path, mode } of accepted) {
    const file = join(into, path);
    // A link has no mode of its own.
    if (mode === "120000") continue;
    const wanted = mode === "100755" ? 0o755 : 0o644;
    if (lstat(file)?.mode !== wanted) chmod(file, wanted);
  }
}

async function listTree(
  dir: AbsPath,
  tree: string,
  options: CheckOutOptions,
): Promise<TreeRow[]> {
  const type = await git(
    ["-C", dir, "cat-file", "-t", tree],
    options.context,
  );
  if (type.stdout.trim() !== "tree") {
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot use ${quote(options.what)}: it has no directory ${
        quote(options.path ?? "")
      }`,
      { hint: "Check source and subpath" },
    );
  }
  const args = ["-C", dir, "ls-tree", "-r", "-l", "-z", "--full-tree", tree];
  const listing = await gitOutput(args, options.context);
  return listing.split("\0").filter((row) => row !== "").map(parseRow);
}

/** `MODE TYPE ID SIZE\tPATH`. */
function parseRow(row: string): TreeRow {
  const tab = row.indexOf("\t");
  const [mode = "", type = "", , size = ""] = row.slice(0, tab).split(/ +/);
  return { mode, type, size: Number(size) || 0, path: row.slice(tab + 1) };
}

function judge(
  rows: readonly TreeRow[],
  options: { readonly what: string; readonly context: SourceContext },
): TreeRow[] {
  const guard = new TreeGuard(options.what, options.context.limits);
  return rows.filter(({ type, path, size }) => {
    if (type === "commit") {
      guard.refuse(`${quote(path)} is a submodule, and those are not fetched`);
    }
    // Where links lead is judged once they are there: git never writes through one.
    return guard.accept({ path, kind: "file", size }) !== undefined;
  });
}

/** With LFS a commit has only notes of about 130 bytes that say where the contents are. */
async function refuseLfs(
  rows: readonly TreeRow[],
  env: Readonly<Record<string, string>>,
  options: { readonly what: string; readonly context: SourceContext },
): Promise<void> {
  const listing = await git(
    [
      "grep",
      "--cached",
      "-l",
      "-z",
      "-E",
      "^version https://git-lfs\\.github\\.com/spec/v1$",
    ],
    options.context,
    { env },
  );
  const found = new Set(listing.stdout.split("\0"));
  const note = rows.find(({ path, size }) => size < 200 && found.has(path));
  if (note === undefined) return;
  throw new AppError(
    "SOURCE_REFUSED",
    `Cannot take ${quote(options.what)}: the contents of ${
      quote(note.path)
    } are kept in Git LFS, which is not fetched`,
    { hint: "Name a release archive of it instead" },
  );
}
