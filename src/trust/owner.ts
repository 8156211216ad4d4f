/** Whether only this user (and root) can have written a manifest. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  ancestors,
  isWithin,
  join,
  parent,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat, stat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * Refuses a manifest that somebody else wrote or could put there: what it names would run as this user. Looks at the file, its
 * directory, and those above it up to the root of the repository; `real` is where the manifest leads when it is a link.
 * Throws `MANIFEST_UNTRUSTED`.
 */
export function checkOwner(manifest: AbsPath, real: AbsPath, host: Host): void {
  if (host.uid === undefined) return;
  checkPlace(manifest, manifest, host);
  const dirs = new Set(
    [manifest, real].flatMap((path) => repositoryDirs(parent(path))),
  );
  for (const dir of dirs) checkPlace(dir, manifest, host);
}

/** `dir` and those above it up to the one that has a `.git`; only itself where there is none. */
function repositoryDirs(dir: AbsPath): readonly AbsPath[] {
  const chain = ancestors(dir);
  const root = chain.find((at) => lstat(join(at, ".git")) !== undefined);
  return root === undefined ? [dir] : chain.filter((at) => isWithin(at, root));
}

function checkPlace(path: AbsPath, manifest: AbsPath, host: Host): void {
  const info = stat(path);
  if (info === undefined) return;
  const what = path === manifest ? "it" : `its directory ${quote(path)}`;
  if (info.uid !== host.uid && info.uid !== 0) {
    throw refusal(manifest, `${what} belongs to another user`, {
      hint: `If it is yours, take it over: chown $(id -u) ${path}`,
    });
  }
  // In a sticky directory others can add files, but neither replace nor remove this one.
  const isSticky = info.kind === "directory" && (info.mode & STICKY) !== 0;
  if ((info.mode & OTHERS_WRITE) !== 0 && !isSticky) {
    const state = path === manifest
      ? "everybody can write it"
      : `everybody can write ${what}`;
    throw refusal(manifest, state, { hint: `Close it: chmod o-w ${path}` });
  }
}

function refusal(
  manifest: AbsPath,
  state: string,
  { hint }: { readonly hint: string },
): AppError {
  return new AppError(
    "MANIFEST_UNTRUSTED",
    `Cannot use manifest ${quote(manifest)}: ${state}`,
    { hint },
  );
}
