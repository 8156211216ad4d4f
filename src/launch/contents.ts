/** Plugins and skills of a manifest: found, checked, and given a place in the slot. Reads only. */
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { localSourcePath, type OpenEnv } from "../env/mod.ts";
import type { Entry } from "../manifest/mod.ts";
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
  home: AbsPath,
  options: ContentsOptions = {},
): Contents {
  const { manifest, slot } = env;
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
    const source = locateSource(entry, { env, home, kind: "plugin" });
    checkPlugin(entry, source);
    const tree = placeTree(entry, source, { kind: "plugin", options });
    return { ...tree, installed: join(slot.installed, tree.mark, entry.name) };
  });
  const skills = manifest.skills.map((entry) => {
    const source = locateSource(entry, { env, home, kind: "skill" });
    if (!isFile(join(source, "SKILL.md"))) {
      throw missing("skill", entry, join(source, "SKILL.md"));
    }
    return placeTree(entry, source, { kind: "skill", options });
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
}

/** Where content is checked, the copy is named after it: what runs then is what was hashed, however the source looks. */
function placeTree(
  { name }: Entry,
  source: AbsPath,
  { kind, options }: {
    readonly kind: "plugin" | "skill";
    readonly options: ContentsOptions;
  },
): PlacedTree {
  const entries = scanTree(source);
  const mark = treeFingerprint(name, entries);
  const hash = options.hashOf?.({ kind, name, source, entries, mark });
  if (hash === undefined) return { name, source, mark, content: undefined };
  return {
    name,
    source,
    mark: sha256Hex(JSON.stringify([name, hash])).slice(0, 16),
    content: { hash, mark },
  };
}

function stepOf(
  kind: "plugin" | "skill",
  { name, source, content }: PlacedTree,
  target: AbsPath,
): InstallStep {
  const step = { kind, name, source, target };
  return content === undefined ? step : { ...step, content };
}

interface SourceContext {
  readonly env: OpenEnv;
  readonly home: AbsPath;
  readonly kind: "plugin" | "skill";
}

/** The directory an entry's source and subpath lead to. */
function locateSource(
  entry: Entry,
  { env, home, kind }: SourceContext,
): AbsPath {
  const path = localSourcePath(entry.source, {
    baseDir: env.baseDir,
    home: () => home,
  });
  if (path === undefined) {
    throw new AppError(
      "NOT_SUPPORTED",
      `Cannot install ${quote(entry.name)} from ${
        quote(entry.source)
      }: this version takes local paths only`,
      {
        hint:
          `Fetch it yourself and name the directory: source = "./${kind}s/${entry.name}"`,
      },
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
