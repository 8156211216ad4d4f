/** Where plugins and skills stand in a slot. Pure. */
import type { SlotDirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import type { Lock } from "../manifest/mod.ts";
import { sha256Hex } from "../os/hash.ts";
import { parseTreeHash, type TreeHash } from "../store/mod.ts";

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

/** Name of the directory for the copy of a tree with this hash. */
export function placeName(name: string, hash: string): string {
  return sha256Hex(JSON.stringify([name, hash])).slice(0, 16);
}

/** The wrapper plugin for skills whose copies have these names, in any order; undefined when there are none. */
export function skillsPluginAt(
  slot: SlotDirs,
  marks: readonly string[],
): AbsPath | undefined {
  if (marks.length === 0) return undefined;
  const name = sha256Hex(marks.toSorted().join(" ")).slice(0, 16);
  return join(slot.installed, name, SKILLS_PLUGIN);
}

/** Where everything that a lock pins stands; in the order of the lock. */
export function placedItems(
  lock: Pick<Lock, "plugins" | "skills">,
  slot: SlotDirs,
): PlacedItem[] {
  const named = ({ name, tree }: Lock["plugins"][number]) => ({
    name,
    tree: parseTreeHash(tree),
    mark: placeName(name, tree),
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
