/** From a pin to files. Each kind's code is loaded when it is needed. */
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { makeDir, removeTree } from "../os/fs.ts";
import { type ContentKind, findContentRoot } from "./content_root.ts";
import { locate } from "./local_path.ts";
import { describePin } from "./pin.ts";
import {
  inTurn,
  type PathPin,
  type PlainPin,
  type Resolution,
  type SourceContext,
} from "./source.ts";
import { checkTree } from "./tree/check_tree.ts";
import { copyTree } from "./tree/copy_tree.ts";

/** What is wanted of a source. */
export interface FetchOptions {
  readonly kind: ContentKind;
  /** Directory inside; relative, without `..`. */
  readonly subpath?: string | undefined;
  /** What errors call it; the pin in words unless given. */
  readonly what?: string | undefined;
}

/**
 * Puts the files of a pin into the empty directory `into` and returns the directory of the plugin or skill: checked against
 * the pin, judged by the guard, of the right kind. A directory on this machine is not copied: then it is that directory, and
 * `EXCLUDED_NAMES` in it do not count. After an error `into` is empty again.
 * Throws `SOURCE_*`, `CONTENT_INVALID`, `IO`, and the signal's reason.
 */
export async function fetchSource(
  pin: Resolution,
  into: AbsPath,
  options: FetchOptions & { readonly context: SourceContext },
): Promise<AbsPath> {
  const job: Job = {
    tree: join(into, "tree"),
    context: options.context,
    kind: options.kind,
    what: options.what ?? describePin(pin),
  };
  makeDir(job.tree);
  try {
    if (pin.kind !== "marketplace") {
      return await fetchPlain(pin, options.subpath, job);
    }
    const subpath = [pin.subpath, options.subpath]
      .filter((part) => part !== undefined).join("/") || undefined;
    if (pin.overlay === undefined) {
      return await fetchPlain(pin.inner, subpath, job);
    }
    return await fetchOverlaid(
      pin.inner,
      { subpath, overlay: pin.overlay },
      job,
    );
  } catch (error) {
    removeTree(job.tree);
    throw error;
  }
}

interface Job {
  /** Where to put files. */
  readonly tree: AbsPath;
  readonly context: SourceContext;
  readonly kind: ContentKind | "anything";
  readonly what: string;
}

async function fetchPlain(
  pin: PlainPin,
  subpath: string | undefined,
  job: Job,
): Promise<AbsPath> {
  const { tree, context, what, kind } = job;
  switch (pin.kind) {
    case "path":
      return await fetchPath(pin, subpath, job);
    case "git": {
      const { fetchGit } = await import("./git/git.ts");
      await fetchGit(pin, tree, { path: subpath, what, context });
      return findContentRoot(tree, { kind, what });
    }
    case "npm": {
      const { downloadNpm } = await import("./npm/npm.ts");
      const { file } = await downloadNpm(pin, context);
      return await unpack(file, subpath, job);
    }
    case "archive": {
      const { downloadPinned } = await import("./archive/archive.ts");
      return await unpack(await downloadPinned(pin, context), subpath, job);
    }
  }
}

/** The manifest of the marketplace goes into a copy that is ours; it may be all that makes a plugin of it. */
async function fetchOverlaid(
  pin: PlainPin,
  options: { readonly subpath: string | undefined; readonly overlay: string },
  job: Job,
): Promise<AbsPath> {
  const { tree, context, what, kind } = job;
  const { applyOverlay } = await import("./marketplace/overlay.ts");
  const bare: Job = { ...job, kind: "anything" };
  let root = await fetchPlain(pin, options.subpath, bare);
  if (!isWithin(root, tree)) {
    copyTree(root, tree, { what, limits: context.limits });
    root = tree;
  }
  applyOverlay(root, options.overlay, what);
  return findContentRoot(root, { kind, what });
}

async function fetchPath(
  pin: PathPin,
  subpath: string | undefined,
  job: Job,
): Promise<AbsPath> {
  const { context, what, kind } = job;
  const found = locate(pin.path, context);
  if (found.kind === "file") return await unpack(found.path, subpath, job);
  const root = findContentRoot(found.path, { kind, what, subpath });
  checkTree(root, { what, limits: context.limits });
  return root;
}

async function unpack(
  file: AbsPath,
  subpath: string | undefined,
  job: Job,
): Promise<AbsPath> {
  const { unpackArchive } = await import("./archive/unpack.ts");
  const { tree, context, what, kind } = job;
  const { limits, signal } = context;
  // One at a time: it is this program that works then, and each has buffers of its own.
  await inTurn(context, "unpack", async () => {
    await unpackArchive(file, tree, { what, limits, signal });
  });
  const root = findContentRoot(tree, {
    kind,
    what,
    subpath,
    mayBeWrapped: true,
  });
  // A link may stay in the archive and yet leave the part of it that is used.
  if (root !== tree) checkTree(root, { what, limits });
  return root;
}
