/** Memory files: which ones a launch may load. */
import type { claude } from "../agents/mod.ts";
import { dirname } from "node:path";
import { type AbsPath, join, resolveFrom } from "../base/paths.ts";
import { AppError } from "../base/errors.ts";
import { isFile, readText } from "../os/fs.ts";
import { filesBelow, frontMatter } from "./scan.ts";
import { type Expected, From } from "./types.ts";

/** How deep imports of imports are followed; the agent stops at 5. */
const MAX_IMPORTS = 5;

/** Memory files of the project's own directories. */
export function projectMemory(
  { project, loadsProject, home }: {
    readonly project: claude.ProjectFacts;
    readonly loadsProject: boolean;
    readonly home: AbsPath;
  },
): Expected[] {
  if (!loadsProject) return [];
  return project.inside.flatMap((dir) => [
    ...fileMemory(join(dir, "CLAUDE.md"), From.project, home),
    ...fileMemory(join(dir, "CLAUDE.local.md"), From.project, home),
    ...treeMemory(join(dir, ".claude"), From.project, home),
  ]);
}

/** CLAUDE.md and rules of a config directory. */
export function treeMemory(
  dir: AbsPath,
  from: string,
  home: AbsPath,
): Expected[] {
  const rules = filesBelow(join(dir, "rules"), /\.md$/);
  return [
    ...fileMemory(join(dir, "CLAUDE.md"), from, home),
    ...rules.flatMap(({ path }) =>
      fileMemory(path, from, home).map((item) => ({
        ...item,
        // A rule for certain paths comes in when one of them is read.
        required: item.required &&
          !Object.hasOwn(frontMatter(path) ?? {}, "paths"),
      }))
    ),
  ];
}

/** A file and what it imports; nothing when it is not there or blank. */
function fileMemory(path: AbsPath, from: string, home: AbsPath): Expected[] {
  const text = isFile(path) ? readText(path) : undefined;
  if (text === undefined || text.trim() === "") return [];
  return [
    { kind: "memory", item: path, names: [path], from, required: true },
    ...imports(path, text, {
      from,
      home,
      seen: new Set([path]),
      levels: MAX_IMPORTS,
    }),
  ];
}

interface Importing {
  readonly from: string;
  readonly home: AbsPath;
  readonly seen: Set<string>;
  /** How many levels may follow. */
  readonly levels: number;
}

/** Files named as `@path`. Whether one is loaded is the agent's choice: those outside the project need the user's consent. */
function imports(
  file: AbsPath,
  text: string,
  context: Importing,
): Expected[] {
  const { from, home, seen, levels } = context;
  if (levels === 0) return [];
  return [...text.matchAll(/(?:^|\s)@((?:[^\s\\]|\\ )+)/g)].flatMap((match) => {
    const name = match[1]!.replaceAll("\\ ", " ").replace(/[.,;:)]+$/, "");
    const path = name.startsWith("~/")
      ? join(home, name.slice(2))
      : resolveFrom(dirname(file) as AbsPath, name);
    if (seen.has(path) || !isFile(path)) return [];
    seen.add(path);
    const inner = readImport(path);
    if (inner === undefined) return [];
    return [
      {
        kind: "memory" as const,
        item: path,
        names: [path],
        from: `${from} (imported)`,
        required: false,
      },
      ...imports(path, inner, { ...context, levels: levels - 1 }),
    ];
  });
}

/** The text of an imported file; undefined when it is none: an import may name anything. */
function readImport(path: AbsPath): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
