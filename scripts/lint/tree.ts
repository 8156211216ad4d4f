/** Checks that need more than one file at a time: import cycles and copied lines. Run by `deno task lint`. */

import { join } from "node:path";
import { repositoryRoot, runScript, say, warn } from "../support/script.ts";
import { isTestPath, resolveImport } from "./modules.ts";

/** Source texts by path below the repository. */
export type Sources = ReadonlyMap<string, string>;

const WINDOW_LINES = 6;

const IMPORT =
  /^\s*(?:import|export)\b[^"'();]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

/** Each import cycle once, as the paths on it, starting with the first in alphabetical order. */
export function findCycles(sources: Sources): string[][] {
  const edges = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const targets = importedPaths(path, text).filter((to) => sources.has(to));
    edges.set(path, targets);
  }
  const cycles = new Map<string, string[]>();
  const done = new Set<string>();
  for (const path of [...edges.keys()].sort()) {
    walk(path, [], { edges, cycles, done });
  }
  return [...cycles.values()];
}

interface Walk {
  readonly edges: ReadonlyMap<string, readonly string[]>;
  readonly cycles: Map<string, string[]>;
  readonly done: Set<string>;
}

function walk(path: string, trail: readonly string[], state: Walk): void {
  const start = trail.indexOf(path);
  if (start >= 0) {
    const cycle = rotate(trail.slice(start));
    state.cycles.set(cycle.join(), cycle);
    return;
  }
  if (state.done.has(path)) return;
  for (const next of state.edges.get(path) ?? []) {
    walk(next, [...trail, path], state);
  }
  state.done.add(path);
}

function rotate(cycle: readonly string[]): string[] {
  const first = cycle.indexOf([...cycle].sort()[0]!);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

function importedPaths(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].flatMap((match) => {
    const specifier = match[1] ?? match[2] ?? match[3];
    const to = specifier && resolveImport(path, specifier);
    return to ? [to] : [];
  });
}

/** A run of equal lines in two places. */
export interface Copy {
  /** `path:line` of the first occurrence. */
  readonly first: string;
  /** `path:line` of the other. */
  readonly second: string;
  /** How many significant lines are equal, at least six. */
  readonly lines: number;
}

interface Line {
  readonly text: string;
  readonly number: number;
}

interface Spot {
  readonly path: string;
  readonly index: number;
}

/** Runs of six or more significant lines that stand twice; layout, comments, imports and lone brackets do not count. */
export function findCopies(sources: Sources): Copy[] {
  const files = new Map<string, Line[]>();
  for (const [path, text] of sources) files.set(path, significantLines(text));
  const seen = new Map<string, Spot>();
  const copies: Copy[] = [];
  for (const [path, lines] of files) {
    let index = 0;
    while (index + WINDOW_LINES <= lines.length) {
      const key = windowKey(lines, index);
      const first = seen.get(key);
      const spot = { path, index };
      if (first === undefined || overlaps(first, spot)) {
        if (first === undefined) seen.set(key, spot);
        index++;
        continue;
      }
      const length = equalLength(files, first, spot);
      copies.push({
        first: place(files, first),
        second: place(files, spot),
        lines: length,
      });
      index += length;
    }
  }
  return copies;
}

function windowKey(lines: readonly Line[], index: number): string {
  return lines.slice(index, index + WINDOW_LINES).map((line) => line.text)
    .join("\n");
}

function overlaps(first: Spot, second: Spot): boolean {
  return first.path === second.path &&
    second.index - first.index < WINDOW_LINES;
}

function equalLength(
  files: ReadonlyMap<string, readonly Line[]>,
  first: Spot,
  second: Spot,
): number {
  const a = files.get(first.path)!.slice(first.index);
  const b = files.get(second.path)!.slice(second.index);
  let length = WINDOW_LINES;
  while (
    length < b.length && length < a.length &&
    a[length]!.text === b[length]!.text
  ) length++;
  return length;
}

function place(
  files: ReadonlyMap<string, readonly Line[]>,
  spot: Spot,
): string {
  return `${spot.path}:${files.get(spot.path)![spot.index]!.number}`;
}

function significantLines(text: string): Line[] {
  const plain = text
    .replace(/\/\*[\s\S]*?\*\//g, blank)
    .replace(/^\s*import\b[^;]*;/gm, blank)
    .replace(/^\s*export\b[^;=(]*\bfrom\b[^;]*;/gm, blank);
  return plain.split("\n")
    .map((line, index) => ({
      text: line.trim().replace(/^\/\/.*/, ""),
      number: index + 1,
    }))
    .filter((line) => /\w/.test(line.text));
}

/** Keeps the line numbers of what follows. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, "");
}

async function readSources(root: string): Promise<Sources> {
  const sources = new Map<string, string>();
  for (const folder of ["scripts", "shim", "src"]) {
    await readFolder(root, folder, sources);
  }
  return new Map([...sources].sort(([a], [b]) => a < b ? -1 : 1));
}

async function readFolder(
  root: string,
  folder: string,
  sources: Map<string, string>,
): Promise<void> {
  for (const entry of await listFolder(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await readFolder(root, path, sources);
    else if (path.endsWith(".ts") && !isTestPath(path)) {
      sources.set(path, await Deno.readTextFile(join(root, path)));
    }
  }
}

async function listFolder(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function main(): Promise<number> {
  const sources = await readSources(repositoryRoot());
  const problems = [
    ...findCycles(sources).map((cycle) =>
      `Import cycle: ${[...cycle, cycle[0]].join(" → ")}`
    ),
    ...findCopies(sources).map(({ first, second, lines }) =>
      `${second}: ${lines} lines are a copy of ${first}`
    ),
  ];
  for (const problem of problems) warn(`error: ${problem}`);
  if (problems.length === 0) {
    say(`Checked ${sources.size} files for import cycles and copies`);
  }
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) await runScript(main);
