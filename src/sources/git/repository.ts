/** A repository of ours that commits are fetched into. One for each address and command. */
import { AppError } from "../../base/errors.ts";
import { type AbsPath, join } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import { lstat, makeDir, readDir, writeNew } from "../../os/fs.ts";
import { sha256Hex } from "../../os/hash.ts";
import {
  type GitPin,
  inTurn,
  remember,
  type SourceContext,
} from "../source.ts";
import { quoteUrl } from "../url.ts";
import { offline } from "../web.ts";
import { git, gitFailure, gitOutput } from "./program.ts";

/** Keeps the bytes of files as they are in the commit: no line ends, no keywords, no filters such as LFS. */
const RAW_ATTRIBUTES = "* -text -ident -filter -eol -working-tree-encoding\n";

/** A commit that is here, and the repository that has it. */
export interface LocalCommit {
  readonly dir: AbsPath;
  readonly commit: string;
}

/**
 * Fetches a commit, once per command; with `path` only the files below it, where the server can do that.
 * Throws `SOURCE_NOT_FOUND` when the commit is gone, `SOURCE_*`.
 */
export async function fetchCommit(
  pin: GitPin,
  path: string | undefined,
  context: SourceContext,
): Promise<LocalCommit> {
  const { url, commit } = pin;
  const isPartial = path !== undefined;
  const mode = isPartial ? "partial" : "whole";
  const known = context.memo.get(`git whole ${url} ${commit}`);
  if (known !== undefined) return await known as LocalCommit;
  const local = await remember(
    context,
    `git ${mode} ${url} ${commit}`,
    () => fetchOnce(pin, { isPartial }, context),
  );
  if (isPartial) {
    // Two at once would fetch the same, and stop at each other's locks.
    await inTurn(
      context,
      local.dir,
      () => fetchMissing(local, { url, path }, context),
    );
  }
  return local;
}

async function fetchOnce(
  pin: GitPin,
  options: { readonly isPartial: boolean },
  context: SourceContext,
): Promise<LocalCommit> {
  const { url, commit } = pin;
  if (context.offline && !url.startsWith("file:")) throw offline(quoteUrl(url));
  context.progress({ type: "step", text: `fetching ${url}` });
  const key = `${options.isPartial} ${commit} ${url}`;
  const dir = await makeRepository(key, url, context);
  const filter = options.isPartial ? ["--filter=blob:none"] : [];
  const attempts = [
    ["--depth=1", ...filter, "origin", commit],
    // Some servers give a commit only by a name that leads to it.
    ...(pin.ref === "" ? [] : [["--depth=1", ...filter, "origin", pin.ref]]),
  ];
  for (const args of attempts) {
    const failure = await fetchInto(dir, { url, args }, context);
    // What git says so clearly, another attempt will not change.
    if (failure?.hint !== undefined) throw failure;
    if (await hasCommit(dir, commit, context)) return { dir, commit };
  }
  return await fetchAll(pin, context);
}

/** Everything that branches and tags lead to: for servers that can do no better, and for commits no name leads to directly. */
async function fetchAll(
  pin: GitPin,
  context: SourceContext,
): Promise<LocalCommit> {
  const { url, commit } = pin;
  const dir = await fetchHistory(url, { filter: undefined }, context);
  if (await hasCommit(dir, commit, context)) return { dir, commit };
  throw new AppError(
    "SOURCE_NOT_FOUND",
    `Cannot find commit ${quote(commit)} in ${
      quoteUrl(url)
    }: no branch or tag leads to it any more`,
    { hint: "Move the pin to a commit that is there: aenv update" },
  );
}

/** All commits of an address, once per command; `filter` says what of them is left out. */
export async function fetchHistory(
  url: string,
  options: { readonly filter: string | undefined },
  context: SourceContext,
): Promise<AbsPath> {
  const { filter } = options;
  const key = `git history ${filter ?? "all"} ${url}`;
  return await remember(context, key, async () => {
    const dir = await makeRepository(key, url, context);
    const args = [
      ...(filter === undefined ? [] : [`--filter=${filter}`]),
      "origin",
      "+refs/heads/*:refs/heads/*",
      "+refs/tags/*:refs/tags/*",
    ];
    const failure = await fetchInto(dir, { url, args }, context);
    if (failure !== undefined) throw failure;
    return dir;
  });
}

async function makeRepository(
  key: string,
  url: string,
  context: SourceContext,
): Promise<AbsPath> {
  const dir = join(context.temp, `git-${sha256Hex(key).slice(0, 16)}`);
  // A failed attempt is asked again; its directory is still good.
  if (lstat(dir) !== undefined) return dir;
  makeDir(dir);
  const init = ["init", "--quiet", "--bare", "--template=", "--", dir];
  await gitOutput(init, context);
  makeDir(join(dir, "info"), { mayExist: true });
  writeNew(join(dir, "info", "attributes"), RAW_ATTRIBUTES);
  await gitOutput(["-C", dir, "config", "remote.origin.url", url], context);
  return dir;
}

async function fetchInto(
  dir: AbsPath,
  what: {
    readonly url: string;
    readonly args: readonly string[];
    readonly input?: string;
  },
  context: SourceContext,
): Promise<AppError | undefined> {
  const result = await git(
    [
      "-C",
      dir,
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-auto-maintenance",
      "--no-write-fetch-head",
      "--no-recurse-submodules",
      ...what.args,
    ],
    context,
    {
      url: what.url,
      watch: () => refuseLarge(dir, what.url, context),
      ...(what.input === undefined ? {} : { input: what.input }),
    },
  );
  return result.code === 0 ? undefined : gitFailure(result, what.url);
}

/** Git itself has no limit for what it fetches. */
function refuseLarge(dir: AbsPath, url: string, context: SourceContext): void {
  const packs = join(dir, "objects", "pack");
  let bytes = 0;
  for (const { name } of readDir(packs) ?? []) {
    bytes += lstat(join(packs, name))?.size ?? 0;
  }
  context.progress({ type: "bytes", done: bytes, total: undefined });
  const { downloadBytes } = context.limits;
  if (bytes <= downloadBytes) return;
  throw new AppError(
    "SOURCE_REFUSED",
    `Cannot fetch ${quoteUrl(url)}: it has more than ${downloadBytes} bytes`,
  );
}

async function hasCommit(
  dir: AbsPath,
  commit: string,
  context: SourceContext,
): Promise<boolean> {
  const args = ["-C", dir, "cat-file", "-e", `${commit}^{commit}`];
  return (await git(args, context)).code === 0;
}

/** After a partial fetch: the contents of the files below `path`, all at once. */
async function fetchMissing(
  local: LocalCommit,
  what: { readonly url: string; readonly path: string },
  context: SourceContext,
): Promise<void> {
  const { dir, commit } = local;
  const listing = await git([
    "-C",
    dir,
    "rev-list",
    "--objects",
    "--missing=print",
    "--no-object-names",
    "--end-of-options",
    treeName(commit, what.path),
  ], context);
  // There is no such path; who asked will say so.
  if (listing.code !== 0) return;
  const missing = listing.stdout.split("\n")
    .filter((line) => line.startsWith("?")).map((line) => line.slice(1));
  if (missing.length === 0) return;
  const failure = await fetchInto(dir, {
    url: what.url,
    args: ["--filter=blob:none", "--stdin", "origin"],
    input: missing.join("\n") + "\n",
  }, context);
  if (failure !== undefined) throw failure;
}

/** A directory or file of a commit in git's words. */
export function treeName(commit: string, path: string | undefined): string {
  return `${commit}:${path ?? ""}`;
}
