/** Where paths lead on this machine: globs, links, kinds. Reads, never writes. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  ancestors,
  basename,
  join,
  parent,
  resolveFrom,
} from "../base/paths.ts";
import { looksLikeCredential, redact } from "../base/redact.ts";
import type { EntryKind } from "../os/marks.ts";
import {
  kindAt,
  readDir,
  readLink,
  readText,
  specialKind,
  stat,
} from "./looks.ts";
import type { Found, Match, Wish } from "./policy_input.ts";

/** Most entries that one glob may stand for. */
const MAX_MATCHES = 200;
/** Links that are followed one after another before a path counts as leading nowhere. */
const MAX_LINKS = 40;
/** Settings files that are read to see whether they hold a credential, bytes. */
const MAX_SETTINGS = 256 * 1024;

/** Looks where each wish leads. */
export function findAll(wishes: readonly Wish[], looker: Looker): Found[] {
  return wishes.map((wish) => ({
    wish,
    matches: (wish.glob ? expand(wish.path) : [wish.path])
      .flatMap((path) => matchesOf(path, wish, { looker })),
  }));
}

function matchesOf(
  path: AbsPath,
  wish: Wish,
  { looker }: { readonly looker: Looker },
): Match[] {
  const match = looker.look(path);
  if (match === undefined) return wish.make ? missing(path, looker) : [];
  if (!wish.unlessSecret || match.kind !== "file") return [match];
  const problem = secretIn(match.path);
  return [problem === undefined ? match : { ...match, problem }];
}

/** Where a path leads. */
interface Resolved {
  readonly path: AbsPath;
  readonly kind: EntryKind;
  readonly links: readonly AbsPath[];
}

/** Looks at paths, and at no directory twice. Make one for each launch: what it has seen it believes. */
export class Looker {
  readonly #seen = new Map<string, Resolved | null>();

  /** What `path` leads to; undefined when there is nothing, or nothing that may be looked at. */
  look(path: AbsPath): Match | undefined {
    const found = this.#resolve(path, 0);
    if (found === null) return undefined;
    const kind = grantable(found);
    return kind === undefined ? undefined : { ...found, kind };
  }

  /** `path` with every link resolved; undefined when it leads nowhere. */
  real(path: AbsPath): AbsPath | undefined {
    return this.#resolve(path, 0)?.path;
  }

  #resolve(path: AbsPath, followed: number): Resolved | null {
    const known = this.#seen.get(path);
    if (known !== undefined) return known;
    const found = unlessDenied(() => this.#find(path, followed)) ?? null;
    this.#seen.set(path, found);
    return found;
  }

  #find(path: AbsPath, followed: number): Resolved | undefined {
    if (path === "/") return { path, kind: "directory", links: [] };
    const dir = this.#resolve(parent(path), followed);
    if (dir?.kind !== "directory") return undefined;
    const here = join(dir.path, basename(path));
    const kind = kindAt(here);
    if (kind !== "symlink") {
      return kind && { path: here, kind, links: dir.links };
    }
    const target = readLink(here);
    if (target === undefined || followed >= MAX_LINKS) return undefined;
    const end = this.#resolve(resolveFrom(dir.path, target), followed + 1);
    if (end === null) return undefined;
    const links = [...new Set([...dir.links, dir.path, ...end.links])];
    return { ...end, links };
  }
}

function grantable({ path, kind }: Resolved): Match["kind"] | undefined {
  if (kind === "file" || kind === "directory") return kind;
  const special = unlessDenied(() => specialKind(path));
  if (special === "device") return "file";
  return special === "socket" ? "socket" : undefined;
}

/** A directory that has yet to be made, below one that is there. */
function missing(path: AbsPath, looker: Looker): Match[] {
  const above = ancestors(path).find((dir) => kindAt(dir) !== undefined);
  // A link that leads nowhere is no place to make a directory at.
  if (above === undefined || above === path) return [];
  const match = looker.look(above);
  if (match?.kind !== "directory") return [];
  const rest = path.slice(above.length);
  return [{ ...match, path: join(match.path, rest), kind: "missing" }];
}

function parentMost(path: AbsPath): AbsPath {
  return ancestors(path).at(-1)!;
}

function namesOf(path: AbsPath): string[] {
  return ancestors(path).slice(0, -1).map(basename).reverse();
}

/** The paths that a pattern stands for: `*` and `?` within one name, hidden names only for a pattern with a dot first. */
export function expand(pattern: AbsPath): AbsPath[] {
  let found = [parentMost(pattern)];
  for (const name of namesOf(pattern)) {
    found = found.flatMap((dir) => step(dir, name)).slice(0, MAX_MATCHES + 1);
  }
  return found.slice(0, MAX_MATCHES);
}

function step(dir: AbsPath, name: string): AbsPath[] {
  if (!/[*?]/.test(name)) {
    const path = join(dir, name);
    return kindAt(path) === undefined ? [] : [path];
  }
  const matches = globMatcher(name);
  const entries =
    unlessDenied(() =>
      stat(dir)?.kind === "directory" ? readDir(dir) : undefined
    ) ?? [];
  return entries.filter((entry) => matches(entry.name))
    .map((entry) => join(dir, entry.name));
}

/** Whether a name fits a pattern. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, "[^/]*").replaceAll("?", "[^/]");
  const expression = new RegExp(`^${source}$`, "u");
  return (name) =>
    expression.test(name) && (pattern.startsWith(".") || !name.startsWith("."));
}

/** Why a settings file is not handed to the agent: it holds a credential, or cannot be read to find out. */
function secretIn(path: AbsPath): string | undefined {
  const text = unlessDenied(() => readSettings(path));
  if (text === undefined) return "it cannot be read";
  return holdsCredential(text) ? "it holds a credential" : undefined;
}

function readSettings(path: AbsPath): string | undefined {
  const info = stat(path);
  if (info === undefined || info.size > MAX_SETTINGS) return undefined;
  return readText(path, MAX_SETTINGS);
}

/** Whether a settings text has a line that sets a credential, or a well-known token anywhere. References such as `${TOKEN}` are none. */
export function holdsCredential(text: string): boolean {
  if (redact(text) !== text) return true;
  return text.split("\n").some((line) => {
    const match = /^\s*([^#;\s][^=]*?)\s*=\s*(.+?)\s*$/.exec(line) ??
      /^\s*([^#;\s][^:]*?)\s*:\s*(.+?)\s*$/.exec(line);
    if (match === null) return false;
    const [name, value] = [match[1]!, match[2]!.replace(/^["']|["']$/g, "")];
    const last = name.split(/[:/.\s]/).at(-1)!;
    return looksLikeCredential(spaced(last), value);
  });
}

/** `npmAuthToken` and `_authToken` as `npm_Auth_Token`: names are compared by word. */
function spaced(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1_$2");
}

/** Nothing where the system refuses: what cannot be looked at is not granted. */
export function unlessDenied<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    // A loop of links, a name too long, a directory of somebody else's.
    if (error instanceof AppError && error.code === "IO") return undefined;
    throw error;
  }
}
