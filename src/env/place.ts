/** Trees of the store in a slot: placed, and looked at with what stands around them. */
import { type AbsPath, join } from "../base/paths.ts";
import {
  ensureDir,
  lstat,
  makeDir,
  readDir,
  readText,
  removeTree,
  writeNew,
} from "../os/fs.ts";
import type { Difference, Store } from "../store/mod.ts";
import {
  isSharedPlace,
  type PlacedItem,
  SKILLS_PLUGIN,
} from "./place_names.ts";

const SKILLS_MANIFEST = JSON.stringify(
  { name: SKILLS_PLUGIN, description: "Skills of this environment" },
  undefined,
  2,
) + "\n";

/** What stands around trees: a plugin's directory, or the wrapper of the skills with its manifest. */
const WRAPPER_FILE = [".claude-plugin", "plugin.json"] as const;

/** Writes the manifest of the wrapper plugin at `plugin`, unless there is one. */
export function writeSkillsManifest(plugin: AbsPath): void {
  const file = join(plugin, ...WRAPPER_FILE);
  if (lstat(file) !== undefined) return;
  ensureDir(join(file, ".."));
  writeNew(file, SKILLS_MANIFEST);
}

/** Builds in the directory `dir` what is to stand at the root of these items. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`. */
export async function buildRoot(
  store: Store,
  items: readonly PlacedItem[],
  dir: AbsPath,
): Promise<void> {
  const { linkTree } = await import("../store/mod.ts");
  makeDir(dir);
  for (const { kind, tree, target: standsAt, root } of items) {
    const target = (dir + standsAt.slice(root.length)) as AbsPath;
    if (kind === "skill") writeSkillsManifest(join(target, "..", ".."));
    const share = isSharedPlace(root);
    await linkTree(store, { hash: tree, target }, { share, standsAt });
  }
}

/** What around the trees at `root` is not as it should be, by path below it; nothing of the trees themselves. */
export function compareAround(
  root: AbsPath,
  items: readonly PlacedItem[],
): Difference[] {
  const names = new Map<string, Set<string>>([["", new Set()]]);
  const know = (path: string) => {
    const cut = path.lastIndexOf("/");
    const dir = path.slice(0, Math.max(cut, 0));
    if (!names.has(dir)) {
      names.set(dir, new Set());
      know(dir);
    }
    names.get(dir)!.add(path.slice(cut + 1));
  };
  for (const { target } of items) {
    know(target.slice(root.length + 1).replaceAll("\\", "/"));
  }
  const manifest = [SKILLS_PLUGIN, ...WRAPPER_FILE].join("/");
  const hasSkills = items.some(({ kind }) => kind === "skill");
  if (hasSkills) know(manifest);
  const found: Difference[] = [];
  // A directory comes before what is in it, so nothing is looked at through a link.
  for (const dir of [...names.keys()].sort()) {
    const isLost = found.some(({ path }) =>
      path === "." || dir === path || dir.startsWith(path + "/")
    );
    if (!isLost) found.push(...namesBut(root, dir, names.get(dir)!));
  }
  return hasSkills && found.every(({ change }) => change === "added")
    ? [...found, ...compareManifest(root, manifest)]
    : found;
}

function compareManifest(root: AbsPath, path: string): Difference[] {
  const full = join(root, path);
  const kind = lstat(full)?.kind;
  if (kind === undefined) return [{ path, change: "removed" }];
  if (kind !== "file") return [{ path, change: "replaced" }];
  const isSame = readText(full) === SKILLS_MANIFEST;
  return isSame ? [] : [{ path, change: "changed" }];
}

/** Entries of a directory that are not among `names`; the directory itself when it is none. */
function namesBut(
  root: AbsPath,
  dir: string,
  names: ReadonlySet<string>,
): Difference[] {
  const full = dir === "" ? root : join(root, dir);
  const kind = lstat(full)?.kind;
  if (kind !== "directory") {
    const change = kind === undefined ? "removed" : "replaced";
    return [{ path: dir || ".", change }];
  }
  return (readDir(full) ?? []).filter(({ name }) => !names.has(name))
    .map(({ name }) => ({
      path: dir === "" ? name : `${dir}/${name}`,
      change: "added",
    }));
}

/** Puts right what stands around the trees at `root`, and returns what was wrong. Throws `IO`. */
export function mendAround(
  root: AbsPath,
  items: readonly PlacedItem[],
): Difference[] {
  const all: Difference[] = [];
  // Once more after what was in the way is gone.
  for (let round = 0; round < 3; round++) {
    const found = compareAround(root, items);
    for (const { path } of found) {
      removeTree(path === "." ? root : join(root, path));
    }
    const skill = items.find(({ kind }) => kind === "skill");
    if (skill) writeSkillsManifest(join(skill.target, "..", ".."));
    all.push(...found);
    if (found.length === 0) break;
  }
  return all;
}
