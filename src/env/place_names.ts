/** Where plugins and skills stand in a slot. Pure. */
import type { SlotDirs } from "../base/dirs.ts";
import { type AbsPath, basename, join } from "../base/paths.ts";
import type { Lock } from "../manifest/mod.ts";
import { sha256Hex } from "../os/hash.ts";
import { parseTreeHash, type TreeHash } from "../store/mod.ts";
import type { OpenEnv } from "./types.ts";

/** Name of the plugin that carries the bare skills: they are offered as `skills:<name>`. */
export const SKILLS_PLUGIN = "skills";

/** A tree of the store and where it stands. */
export interface PlacedItem {
  readonly kind: "plugin" | "skill";
  readonly name: string;
  readonly tree: TreeHash;
  readonly target: AbsPath;
  /** The directory in `installed/` that holds it: appears and goes as a whole. */
  readonly root: AbsPath;
}

/** Ends the name of a place whose files may be the store's pool's, and so those of other envs. */
const SHARED = "-shared";

/**
 * Whether the files of an env may be shared with others: where the kernel keeps whatever runs in it from writing to them. A
 * write through a hard link would be in every other env at once.
 */
export function maySharePlaces({ sandbox }: OpenEnv["manifest"]): boolean {
  return sandbox?.enabled === true;
}

/**
 * Name of the directory for the copy of a tree with this hash. It tells whether files may be shared there: an env that turns
 * its sandbox off or on has other places, so that what was placed for one is never used for the other.
 */
export function placeName(
  name: string,
  hash: string,
  { shared }: { readonly shared: boolean },
): string {
  const start = sha256Hex(JSON.stringify([name, hash])).slice(0, 16);
  return shared ? start + SHARED : start;
}

/** Whether files may be shared at a place in `installed/`. */
export function isSharedPlace(root: AbsPath): boolean {
  return basename(root).endsWith(SHARED);
}

/** The wrapper plugin for skills whose copies have these names, in any order; undefined when there are none. */
export function skillsPluginAt(
  slot: SlotDirs,
  marks: readonly string[],
): AbsPath | undefined {
  if (marks.length === 0) return undefined;
  const start = sha256Hex(marks.toSorted().join(" ")).slice(0, 16);
  const isShared = marks.some((mark) => mark.endsWith(SHARED));
  const name = isShared ? start + SHARED : start;
  return join(slot.installed, name, SKILLS_PLUGIN);
}

/** Where everything that a lock pins stands in an env; in the order of the lock. */
export function placedItems(
  lock: Pick<Lock, "plugins" | "skills">,
  { slot, manifest }: Pick<OpenEnv, "slot" | "manifest">,
): PlacedItem[] {
  const kind = { shared: maySharePlaces(manifest) };
  const named = ({ name, tree }: Lock["plugins"][number]) => ({
    name,
    tree: parseTreeHash(tree),
    mark: placeName(name, tree, kind),
  });
  const plugins = lock.plugins.map(named).map(({ name, tree, mark }) => {
    const root = join(slot.installed, mark);
    return {
      kind: "plugin",
      name,
      tree,
      target: join(root, name),
      root,
    } as const;
  });
  const skills = lock.skills.map(named);
  const wrapper = skillsPluginAt(slot, skills.map(({ mark }) => mark));
  if (wrapper === undefined) return plugins;
  return [
    ...plugins,
    ...skills.map(({ name, tree }) => {
      const target = join(wrapper, "skills", name);
      return {
        kind: "skill",
        name,
        tree,
        target,
        root: join(wrapper, ".."),
      } as const;
    }),
  ];
}
