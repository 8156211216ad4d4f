/** What programs on PATH need besides their directory: what links in it lead to, and the parts of a version manager. */
import {
  type AbsPath,
  basename,
  isWithin,
  join,
  parent,
} from "../base/paths.ts";
import { type Looker, unlessDenied } from "./host_facts_paths.ts";
import { readDir, readText, stat } from "./looks.ts";
import type { Wish } from "./policy_input.ts";

/** Version managers: the end of a directory that stands on PATH → what its programs load, from where that end begins. */
const TOOL_HOMES: Readonly<Record<string, readonly string[]>> = {
  ".cargo/bin": [".rustup/toolchains", ".rustup/settings.toml"],
  ".pyenv/shims": [
    ".pyenv/bin",
    ".pyenv/libexec",
    ".pyenv/versions",
    ".pyenv/version",
  ],
  ".pyenv/bin": [".pyenv/libexec", ".pyenv/versions", ".pyenv/version"],
  ".rbenv/shims": [
    ".rbenv/bin",
    ".rbenv/libexec",
    ".rbenv/versions",
    ".rbenv/version",
  ],
  ".volta/bin": [".volta/tools", ".volta/hooks.json"],
  ".asdf/shims": [".asdf", ".tool-versions"],
  ".local/share/mise/shims": [".local/share/mise/installs", ".config/mise"],
  ".bun/bin": [".bun/install/global"],
};

/** Parts of an installation beside its `bin`. Not `share` of ~/.local, which holds other people's state. */
const BESIDE_BIN: readonly string[] = ["lib", "lib64", "libexec", "include"];

/** Where to look, and with what. */
interface ToolFacts {
  readonly home: AbsPath | undefined;
  readonly looker: Looker;
}

/** Entries of one directory that are looked at. */
const MAX_ENTRIES = 2000;

/** Wishes for the directories of PATH; those that the system set covers anyway are merged later. */
export function pathWishes(
  searchPath: readonly AbsPath[],
  { home, looker }: ToolFacts,
): Wish[] {
  return searchPath.flatMap((dir) => [
    pathWish(dir, `${dir} is on PATH`),
    ...companions(dir, home).map((path) =>
      pathWish(path, `programs in ${dir} load it`)
    ),
    ...linkTargets(dir, { home, looker }).map((path) =>
      pathWish(path, `links in ${dir} lead to it`)
    ),
  ]);
}

/** Wishes for one program: the file, its package, its interpreter. */
export function programWishes(
  { path: named, why, need }: Pick<Wish, "path" | "why" | "need">,
  searchPath: readonly AbsPath[],
  { home, looker }: ToolFacts,
): Wish[] {
  const rest = { access: "exec", need: "may", why } as const;
  const program = looker.real(named) ?? named;
  const interpreter = interpreterOf(program, { searchPath, looker });
  return [
    { ...rest, path: program, need },
    ...packageOf(program, home).map((path) => ({ ...rest, path })),
    ...(interpreter === undefined ? [] : [
      { ...rest, path: interpreter },
      ...packageOf(interpreter, home).map((path) => ({ ...rest, path })),
    ]),
  ];
}

function pathWish(path: AbsPath, text: string): Wish {
  return { path, access: "exec", need: "may", why: { source: "path", text } };
}

function companions(dir: AbsPath, home: AbsPath | undefined): AbsPath[] {
  const [name, parts] =
    Object.entries(TOOL_HOMES).find(([name]) => dir.endsWith("/" + name)) ??
      ["", []];
  const base = dir.slice(0, -name.length - 1) as AbsPath;
  return [...parts.map((part) => join(base, part)), ...besideBin(dir, home)];
}

/** `lib` and its kin beside a `bin`. */
function besideBin(dir: AbsPath, home: AbsPath | undefined): AbsPath[] {
  const prefix = parent(dir);
  if (basename(dir) !== "bin" || prefix === home || prefix === "/") return [];
  const names = basename(prefix) === ".local"
    ? BESIDE_BIN
    : [...BESIDE_BIN, "share", "pyvenv.cfg"];
  return names.map((name) => join(prefix, name));
}

/** Where links in a directory of PATH lead, each with the installation around it. */
function linkTargets(dir: AbsPath, { home, looker }: ToolFacts): AbsPath[] {
  const entries = unlessDenied(() => readDir(dir)) ?? [];
  const targets = entries.slice(0, MAX_ENTRIES)
    .filter(({ kind }) => kind === "symlink")
    .flatMap(({ name }) => looker.real(join(dir, name)) ?? [])
    .filter((path) => !isWithin(path, dir) && !path.startsWith("/usr/"));
  return [
    ...new Set(targets.flatMap((path) => [path, ...packageOf(path, home)])),
  ];
}

/** The installation that a program belongs to: its npm package with what is installed beside it, or what stands beside its `bin`. */
function packageOf(program: AbsPath, home: AbsPath | undefined): AbsPath[] {
  const names = program.split("/");
  const at = names.indexOf("node_modules");
  if (at >= 0) {
    // All of a project's or a global node_modules: packages load each other.
    return [names.slice(0, at + 1).join("/") as AbsPath];
  }
  return besideBin(parent(program), home);
}

/** The interpreter that a script names in its first line; undefined for a binary. */
function interpreterOf(
  program: AbsPath,
  { searchPath, looker }: Pick<ToolFacts, "looker"> & {
    readonly searchPath: readonly AbsPath[];
  },
): AbsPath | undefined {
  const info = unlessDenied(() => stat(program));
  // Agents are scripts of some kilobytes or binaries of many megabytes.
  if (info === undefined || info.size > 1024 * 1024) return undefined;
  const text = unlessDenied(() => readText(program, 1024 * 1024));
  const line = /^#!\s*(\S+)(?:\s+(?:-S\s+)?(\S+))?/.exec(text ?? "");
  if (line === null) return undefined;
  if (basename(line[1]!) !== "env") return looker.real(line[1] as AbsPath);
  return searchPath.map((dir) => looker.real(join(dir, line[2] ?? "")))
    .find((path) => path !== undefined && stat(path)?.kind === "file");
}
