/** Repositories: which commit is meant, and its files. */
import semver from "semver";
import { AppError } from "../../base/errors.ts";
import type { AbsPath } from "../../base/paths.ts";
import { didYouMean, quote } from "../../base/text.ts";
import {
  type GitPin,
  type GitSpec,
  remember,
  type SourceContext,
} from "../source.ts";
import { quoteUrl } from "../url.ts";
import { offline } from "../web.ts";
import { checkOut, type CheckOutOptions } from "./checkout.ts";
import { git, gitOutput } from "./program.ts";
import { findRef, findVersionTag, parseRefs, refNames } from "./refs.ts";
import { fetchCommit, fetchHistory, treeName } from "./repository.ts";

/** The commit that is meant now. Throws `SOURCE_NOT_FOUND`, `SOURCE_*`. */
export async function resolveGit(
  spec: GitSpec,
  context: SourceContext,
): Promise<GitPin> {
  const { url, ref } = spec;
  if (ref.type === "commit") {
    return { kind: "git", url, commit: ref.commit, ref: "HEAD" };
  }
  const refs = await listRefs(url, context);
  switch (ref.type) {
    case "default": {
      const commit = refs.get("HEAD");
      if (commit === undefined) throw empty(url);
      return { kind: "git", url, commit, ref: "HEAD" };
    }
    case "semver": {
      if (semver.validRange(ref.range) === null) throw badRange(ref.range);
      const found = findVersionTag(refs, ref.range);
      if (found === undefined) throw noRef(url, `semver:${ref.range}`, refs);
      return { kind: "git", url, ...found };
    }
    case "name": {
      const found = findRef(refs, ref.name) ??
        await findAbbreviated(url, ref.name, context);
      if (found === undefined) throw noRef(url, ref.name, refs);
      return { kind: "git", url, ...found };
    }
  }
}

/** What the repository offers, asked once per command. */
async function listRefs(
  url: string,
  context: SourceContext,
): Promise<Map<string, string>> {
  if (context.offline && !url.startsWith("file:")) throw offline(quoteUrl(url));
  return await remember(context, `git refs ${url}`, async () => {
    context.progress({ type: "step", text: `looking up ${url}` });
    const args = ["ls-remote", "--quiet", "--", url];
    return parseRefs(await gitOutput(args, context, { url }));
  });
}

/** The first digits of a commit: only the repository itself knows the rest. */
async function findAbbreviated(
  url: string,
  digits: string,
  context: SourceContext,
): Promise<Pick<GitPin, "commit" | "ref"> | undefined> {
  if (!/^[0-9a-f]{7,39}$/.test(digits)) return undefined;
  const dir = await fetchHistory(url, { filter: "tree:0" }, context);
  const args = ["rev-parse", "--quiet", "--verify", "--end-of-options"];
  const found = await git(
    ["-C", dir, ...args, `${digits}^{commit}`],
    context,
  );
  const commit = found.stdout.trim().split("\n").at(-1) ?? "";
  return found.code === 0 ? { commit, ref: "HEAD" } : undefined;
}

/** Writes the files of a pinned commit, or of one directory of it, into the empty directory `into`. Throws `SOURCE_*`, `CONTENT_INVALID`. */
export async function fetchGit(
  pin: GitPin,
  into: AbsPath,
  options: CheckOutOptions,
): Promise<void> {
  const local = await fetchCommit(pin, options.path, options.context);
  await checkOut(local, into, options);
}

/** The text of one file, in a directory, of a pinned commit, of at most 4 MiB; undefined when there is none. */
export async function readGitFile(
  pin: GitPin,
  path: string,
  context: SourceContext,
): Promise<string | undefined> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const local = await fetchCommit(pin, folder, context);
  const name = treeName(local.commit, path);
  const size = await git(["-C", local.dir, "cat-file", "-s", name], context);
  if (size.code !== 0) return undefined;
  if (Number(size.stdout) > 4 * 1024 * 1024) {
    throw new AppError(
      "SOURCE_REFUSED",
      `Cannot read ${quote(path)} of ${
        quoteUrl(pin.url)
      }: it has ${size.stdout.trim()} bytes`,
    );
  }
  const args = ["-C", local.dir, "cat-file", "blob", name];
  return await gitOutput(args, context);
}

function empty(url: string): AppError {
  return new AppError(
    "SOURCE_NOT_FOUND",
    `Cannot use the repository ${quoteUrl(url)}: it has no commit`,
  );
}

function badRange(range: string): AppError {
  return new AppError(
    "SOURCE_INVALID",
    `Cannot use ${quote(range)} as a range of versions: it is none`,
    { hint: "Write #semver:^1.2.0" },
  );
}

function noRef(
  url: string,
  wanted: string,
  refs: ReadonlyMap<string, string>,
): AppError {
  const meant = didYouMean(wanted, refNames(refs));
  return new AppError(
    "SOURCE_NOT_FOUND",
    `Cannot find ${quote(wanted)} in ${
      quoteUrl(url)
    }: no branch, tag or commit is so called`,
    { hint: meant === undefined ? undefined : `Did you mean ${quote(meant)}` },
  );
}
