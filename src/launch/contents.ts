/** Plugins and skills of a manifest: found, checked, and given a place in the slot. Reads only. */
import { type AbsPath, join } from "../base/paths.ts";
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { Dirs } from "../base/dirs.ts";
import {
  lockedItem,
  maySharePlaces,
  type OpenEnv,
  placeName,
  readAgreedLock,
  SKILLS_PLUGIN,
  skillsPluginAt,
} from "../env/mod.ts";
import type { Entry, EntryKind, Lock, LockedItem } from "../manifest/mod.ts";
import {
  findContentRoot,
  locate,
  parseSource,
  requirePluginName,
} from "../sources/mod.ts";
import { objectTreeIn, parseTreeHash, type TreeHash } from "../store/mod.ts";
import { lstat } from "../os/fs.ts";
import { scanTree, type TreeEntry, treeFingerprint } from "./tree.ts";
import type { InstallStep, TrustedContent } from "./types.ts";

/** A plugin as the agent will be given it. */
export interface PlannedPlugin {
  readonly name: string;
  readonly source: AbsPath;
  readonly installed: AbsPath;
}

/** What the manifest's plugins and skills come to. */
export interface Contents {
  readonly plugins: readonly PlannedPlugin[];
  /** Directory of the wrapper plugin for skills; undefined when there are none. */
  readonly skillsPlugin: AbsPath | undefined;
  readonly installs: readonly InstallStep[];
}

/** A tree as it was found. */
export interface FoundTree {
  readonly kind: "plugin" | "skill";
  readonly name: string;
  readonly source: AbsPath;
  readonly entries: readonly TreeEntry[];
  /** Changes with everything that is done to the tree. */
  readonly mark: string;
}

/** What planning may need to know. */
export interface ContentsOptions {
  /** The content hash of a tree; given where copies must hold just what was hashed. */
  readonly hashOf?: (tree: FoundTree) => string;
  /** The lock that counts; the one on the disk unless given. */
  readonly lock?: Lock;
  /** Leaves out what has yet to be installed, instead of refusing. */
  readonly mayLack?: boolean;
}

/** Where planning looks. */
interface Place {
  readonly home: AbsPath;
  readonly dirs: Dirs;
}

/** Finds and checks every plugin and skill. Throws `CONTENT_INVALID`, `STORE_MISSING`, `IO`. */
export function planContents(
  env: OpenEnv,
  place: Place,
  options: ContentsOptions = {},
): Contents {
  const { manifest, slot } = env;
  const lock = options.lock ?? readAgreedLock(env);
  requireFreeName(env);
  const job: Job = { env, place, options, lock };
  const plugins = manifest.plugins.flatMap((entry) => {
    const tree = findTree(entry, "plugins", job);
    if (tree === undefined) return [];
    requirePluginName(tree.source, entry.name);
    return { ...tree, installed: join(slot.installed, tree.mark, entry.name) };
  });
  const skills = manifest.skills.flatMap((entry) =>
    findTree(entry, "skills", job) ?? []
  );
  const skillsPlugin = skillsPluginAt(slot, skills.map(({ mark }) => mark));
  const installs = [
    ...plugins.map((tree) => stepOf("plugin", tree, tree.installed)),
    ...skills.map((tree) =>
      stepOf("skill", tree, join(skillsPlugin!, "skills", tree.name))
    ),
  ];
  return {
    plugins: plugins.map(({ name, source, installed }) => ({
      name,
      source,
      installed,
    })),
    skillsPlugin,
    installs,
  };
}

function requireFreeName({ manifest }: OpenEnv): void {
  const isTaken = manifest.skills.length > 0 &&
    manifest.plugins.some((plugin) => plugin.name === SKILLS_PLUGIN);
  if (!isTaken) return;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use a plugin called "${SKILLS_PLUGIN}" together with skills: they are given to the agent under that name`,
    { hint: "Put the skills into a plugin of another name" },
  );
}

interface Job {
  readonly env: OpenEnv;
  readonly place: Place;
  readonly options: ContentsOptions;
  readonly lock: Lock | undefined;
}

/** A tree with the name of its copy's directory. */
interface PlacedTree {
  readonly name: string;
  readonly source: AbsPath;
  readonly mark: string;
  readonly content: TrustedContent | undefined;
  readonly tree: TreeHash | undefined;
}

/** The tree of an entry; undefined when it has yet to be installed and may lack. */
function findTree(
  entry: Entry,
  kind: EntryKind,
  { env, place, options, lock }: Job,
): PlacedTree | undefined {
  const locked = lock && lockedItem(lock, kind, entry.name);
  const content = kind === "plugins" ? "plugin" : "skill";
  const found = locked === undefined
    ? localTree(entry, content, { env, home: place.home })
    : storedTree(locked, place.dirs);
  if (found !== undefined) {
    const shared = maySharePlaces(env.manifest);
    return placeTree(entry, found, { kind: content, options, locked, shared });
  }
  if (options.mayLack) return undefined;
  throw new AppError(
    "STORE_MISSING",
    `Cannot use ${quote(entry.name)} of ${
      quote(env.label)
    }: it is not installed`,
    { hint: "Install it: aenv install" },
  );
}

/** Where content is checked, the copy is named after it: what runs then is what was hashed, however the source looks. */
function placeTree(
  { name }: Entry,
  source: AbsPath,
  { kind, options, locked, shared }: {
    readonly kind: "plugin" | "skill";
    readonly options: ContentsOptions;
    readonly locked: LockedItem | undefined;
    readonly shared: boolean;
  },
): PlacedTree {
  const tree = locked && parseTreeHash(locked.tree);
  if (tree !== undefined && options.hashOf === undefined) {
    return {
      name,
      source,
      mark: placeName(name, tree, { shared }),
      content: undefined,
      tree,
    };
  }
  const entries = scanTree(source);
  const mark = treeFingerprint(name, entries);
  const hash = options.hashOf?.({ kind, name, source, entries, mark });
  if (hash === undefined) {
    return { name, source, mark, content: undefined, tree };
  }
  const content = { hash, mark };
  // What is not from the store is always a copy.
  const isShared = shared && tree !== undefined;
  const place = placeName(name, tree ?? hash, { shared: isShared });
  return { name, source, mark: place, content, tree };
}

/** The tree that the lock pins, in the store; it is proved when it is placed. */
function storedTree(locked: LockedItem, dirs: Dirs): AbsPath | undefined {
  const path = objectTreeIn(dirs.store, parseTreeHash(locked.tree));
  return lstat(path)?.kind === "directory" ? path : undefined;
}

/** A directory on this machine, used as it is. Undefined for any other source: that has to be installed. */
function localTree(
  { name, source, subpath }: Entry,
  kind: "plugin" | "skill",
  { env, home }: { readonly env: OpenEnv; readonly home: AbsPath },
): AbsPath | undefined {
  const spec = parseSource(source);
  if (spec.kind !== "path") return undefined;
  const place = { manifestDir: env.baseDir, host: { home: () => home } };
  const found = locate(spec.path, place);
  if (found.kind === "file") return undefined;
  return findContentRoot(found.path, { kind, what: name, subpath });
}

function stepOf(
  kind: "plugin" | "skill",
  { name, source, content, tree }: PlacedTree,
  target: AbsPath,
): InstallStep {
  return {
    kind,
    name,
    source,
    target,
    ...(content === undefined ? {} : { content }),
    ...(tree === undefined ? {} : { tree }),
  };
}
