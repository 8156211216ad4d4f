/** Plugins and skills of a manifest: found, checked, and given a place in the slot. Reads only. */
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { Dirs } from "../base/dirs.ts";
import {
  localSourcePath,
  lockedItem,
  type OpenEnv,
  readAgreedLock,
} from "../env/mod.ts";
import type { Entry, LockedItem } from "../manifest/mod.ts";
import { objectTreeIn, parseTreeHash, type TreeHash } from "../store/mod.ts";
import { isDirectory, isFile, lstat, readText, realPath } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { scanTree, type TreeEntry, treeFingerprint } from "./tree.ts";
import type { InstallStep, TrustedContent } from "./types.ts";

/** Name of the plugin that carries the bare skills: they are offered as `skills:<name>`. */
export const SKILLS_PLUGIN = "skills";

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

/** Anything a plugin may consist of. Claude Code 2.1.329. */
const PLUGIN_PARTS = [
  ".claude-plugin",
  "skills",
  "commands",
  "agents",
  "hooks",
  "output-styles",
  "monitors",
  "themes",
  "workflows",
  "bin",
  ".mcp.json",
  ".lsp.json",
  "settings.json",
  "SKILL.md",
];

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
}

/** Finds and checks every plugin and skill. Throws `CONTENT_INVALID`, `NOT_SUPPORTED`, `IO`. */
export function planContents(
  env: OpenEnv,
  { home, dirs }: { readonly home: AbsPath; readonly dirs: Dirs },
  options: ContentsOptions = {},
): Contents {
  const { manifest, slot } = env;
  const lock = readAgreedLock(env);
  if (
    manifest.skills.length > 0 &&
    manifest.plugins.some((p) => p.name === SKILLS_PLUGIN)
  ) {
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot use a plugin called "${SKILLS_PLUGIN}" together with skills: they are given to the agent under that name`,
      {
        hint: `Put the skills into a plugin of another name`,
      },
    );
  }
  const plugins = manifest.plugins.map((entry) => {
    const locked = lock && lockedItem(lock, "plugins", entry.name);
    const source = locked === undefined
      ? locateSource(entry, { env, home })
      : storedTree(locked, env, dirs);
    checkPlugin(entry, source);
    const tree = placeTree(entry, source, { kind: "plugin", options, locked });
    return { ...tree, installed: join(slot.installed, tree.mark, entry.name) };
  });
  const skills = manifest.skills.map((entry) => {
    const locked = lock && lockedItem(lock, "skills", entry.name);
    const source = locked === undefined
      ? locateSource(entry, { env, home })
      : storedTree(locked, env, dirs);
    if (!isFile(join(source, "SKILL.md"))) {
      throw missing("skill", entry, join(source, "SKILL.md"));
    }
    return placeTree(entry, source, { kind: "skill", options, locked });
  });
  const skillsPlugin = skills.length === 0 ? undefined : join(
    slot.installed,
    sha256Hex(skills.map((skill) => skill.mark).join(" ")).slice(0, 16),
    SKILLS_PLUGIN,
  );
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

/** A tree with the name of its copy's directory. */
interface PlacedTree {
  readonly name: string;
  readonly source: AbsPath;
  readonly mark: string;
  readonly content: TrustedContent | undefined;
  readonly tree: TreeHash | undefined;
}

/** Where content is checked, the copy is named after it: what runs then is what was hashed, however the source looks. */
function placeTree(
  { name }: Entry,
  source: AbsPath,
  { kind, options, locked }: {
    readonly kind: "plugin" | "skill";
    readonly options: ContentsOptions;
    readonly locked: LockedItem | undefined;
  },
): PlacedTree {
  const tree = locked && parseTreeHash(locked.tree);
  if (tree !== undefined && options.hashOf === undefined) {
    return {
      name,
      source,
      mark: placeName(name, tree),
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
  return { name, source, mark: placeName(name, tree ?? hash), content, tree };
}

/** Name of the directory for the copy of a tree with this hash. */
function placeName(name: string, hash: string): string {
  return sha256Hex(JSON.stringify([name, hash])).slice(0, 16);
}

/** The tree that the lock pins, in the store; it is proved when it is placed. Throws `STORE_MISSING`. */
function storedTree(locked: LockedItem, env: OpenEnv, dirs: Dirs): AbsPath {
  const path = objectTreeIn(dirs.store, parseTreeHash(locked.tree));
  if (lstat(path)?.kind === "directory") return path;
  throw new AppError(
    "STORE_MISSING",
    `Cannot use ${quote(locked.name)} of ${
      quote(env.label)
    }: it is not installed`,
    { hint: "Install what the lock pins: aenv install" },
  );
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

interface SourceContext {
  readonly env: OpenEnv;
  readonly home: AbsPath;
}

/** The directory an entry's source and subpath lead to. */
function locateSource(
  entry: Entry,
  { env, home }: SourceContext,
): AbsPath {
  const path = localSourcePath(entry.source, {
    baseDir: env.baseDir,
    home: () => home,
  });
  if (path === undefined) {
    throw new AppError(
      "STORE_MISSING",
      `Cannot use ${quote(entry.name)} from ${
        quote(entry.source)
      }: it has not been installed`,
      { hint: "Install it: aenv install" },
    );
  }
  const base = realPath(path);
  if (base === undefined || !isDirectory(base)) {
    const state = lstat(path) === undefined
      ? "it does not exist"
      : "it is not a directory";
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot use ${quote(path)} for ${quote(entry.name)}: ${state}`,
      {
        hint: `Mend source in ${env.manifestPath}`,
      },
    );
  }
  if (entry.subpath === undefined) return base;
  const inside = realPath(join(base, entry.subpath));
  if (inside === undefined || !isDirectory(inside) || !isWithin(inside, base)) {
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot use subpath ${quote(entry.subpath)} of ${
        quote(entry.name)
      }: there is no such directory in ${quote(base)}`,
      {
        hint: `Mend subpath in ${env.manifestPath}`,
      },
    );
  }
  return inside;
}

function checkPlugin(entry: Entry, source: AbsPath): void {
  if (!PLUGIN_PARTS.some((part) => lstat(join(source, part)) !== undefined)) {
    throw missing(
      "plugin",
      entry,
      join(source, ".claude-plugin", "plugin.json"),
    );
  }
  const file = join(source, ".claude-plugin", "plugin.json");
  const text = readText(file);
  if (text === undefined) return;
  const name = pluginName(text, file);
  if (name === entry.name) return;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use plugin ${quote(entry.name)}: its own manifest calls it ${
      quote(name)
    }`,
    {
      hint: `Write name = ${quote(name)} in aenv.toml`,
    },
  );
}

function pluginName(text: string, file: AbsPath): string {
  try {
    const value: unknown = JSON.parse(text);
    const name = typeof value === "object" && value !== null
      ? (value as { name?: unknown }).name
      : undefined;
    if (typeof name === "string") return name;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot read plugin manifest ${quote(file)}: ${error.message}`,
      { cause: error },
    );
  }
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot read plugin manifest ${quote(file)}: it has no name`,
  );
}

function missing(kind: string, entry: Entry, file: AbsPath): AppError {
  return new AppError(
    "CONTENT_INVALID",
    `Cannot use ${quote(entry.name)} as a ${quote(kind)}: ${
      quote(file)
    } is missing`,
    {
      hint: "Check source and subpath in aenv.toml",
    },
  );
}
