/** Copying a configuration directory: regular files and directories, links made harmless, paths rewritten. */
import { utf8Text } from "../../base/text.ts";
import { basename, dirname, normalize, relative } from "node:path";
import { AppError } from "../../base/errors.ts";
import {
  type AbsPath,
  isBelow,
  isWithin,
  join,
  parent,
} from "../../base/paths.ts";
import { readForeign } from "../../os/foreign_file.ts";
import {
  ensureDir,
  linkAtomic,
  lstat,
  makeDir,
  readDir,
  realPath,
  type Stat,
  stat,
  writeNew,
} from "../../os/fs.ts";
import type { Rewriter } from "./rewrite.ts";
import { isLoginPlace, isState, nameRefusal } from "./rules.ts";
import type { LeftOut } from "./settings.ts";

/** Whose paths are rewritten: `all` for what a person wrote, `absolute` for what a program or a plugin's maker wrote. */
export type Texts = "all" | "absolute";

/** A copy under way. */
export interface TreeOptions {
  readonly from: AbsPath;
  /** An existing directory. */
  readonly to: AbsPath;
  readonly rewriter: Rewriter;
  /** The user, whose files a link may lead to; undefined on Windows. */
  readonly uid: number | undefined;
  /** Whether a confined agent has written there: links to what it could not read itself are left out. */
  readonly confined?: boolean;
}

/** Where a file that is being copied stands. */
interface Place {
  readonly root: AbsPath;
  /** Path of the root's copy below `to`. */
  readonly at: string;
  readonly texts: Texts;
  /** Directories that were entered through links, outermost first. */
  readonly entered: readonly AbsPath[];
}

/** Largest file that is copied; bytes. */
const MAX_FILE = 512 * 1024 * 1024;
/** Largest file that is taken for a text; bytes. */
export const MAX_TEXT = 8 * 1024 * 1024;
/** What links may bring in from elsewhere, all together. */
const MAX_LINKED_FILES = 10_000;
const MAX_LINKED_BYTES = 256 * 1024 * 1024;

/** Copies parts of one directory. What it leaves out is in `leftOut`; what the copied texts speak of in `references`. */
export class Tree {
  readonly leftOut: LeftOut[] = [];
  readonly references = new Set<string>();
  readonly #options: TreeOptions;
  readonly #root: AbsPath;
  readonly #done = new Set<string>();
  #linked = { files: 0, bytes: 0 };

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#root = realPath(options.from) ?? options.from;
  }

  /** Copies what stands at `path` below the source; nothing when there is nothing. `limited` counts it like linked content. */
  copy(path: string, texts: Texts, options: { limited?: boolean } = {}): void {
    if (this.#done.has(path)) return;
    const source = join(this.#options.from, path);
    const place: Place = { root: this.#root, at: "", texts, entered: [] };
    if (options.limited && !this.#fits(source, path)) return;
    this.#copyNode(source, path, place);
  }

  /** The text of a file below the source, links followed as for copies; undefined when there is none to be had. */
  readText(path: string): string | undefined {
    const found = this.#resolve(join(this.#options.from, path), path);
    if (found?.info.kind !== "file") return undefined;
    const bytes = this.#read(found.path, path);
    const text = bytes && decodeText(bytes);
    if (bytes && text === undefined) this.leave(path, "it is not UTF-8 text");
    return text;
  }

  /** Writes a text of ours into the copy. */
  write(path: string, text: string): void {
    ensureDir(join(this.#options.to, path, ".."));
    writeNew(join(this.#options.to, path), text);
    this.#done.add(path);
  }

  /** Notes that something was left out, once. */
  leave(path: string, why: string): void {
    if (!this.leftOut.some((item) => item.path === path)) {
      this.leftOut.push({ path, why });
    }
  }

  #copyNode(source: AbsPath, path: string, place: Place): void {
    if (this.#done.has(path)) return;
    const refusal = nameRefusal(basename(path));
    if (refusal !== undefined) {
      if (refusal !== "" && lstat(source)) this.leave(path, refusal);
      return;
    }
    const info = this.#attempt(path, () => lstat(source));
    if (info === undefined) return;
    if (info.kind === "directory") this.#copyDirectory(source, path, place);
    else if (info.kind === "symlink") this.#copyLink(source, path, place);
    else if (info.kind === "file") {
      this.#copyFile(source, path, { info, place });
    } else this.leave(path, "it is a device, pipe or socket");
  }

  #copyDirectory(source: AbsPath, path: string, place: Place): void {
    const entries = this.#attempt(path, () => readDir(source));
    if (entries === undefined) return;
    this.#done.add(path);
    const to = join(this.#options.to, path);
    ensureDir(join(to, ".."));
    makeDir(to, { mayExist: true });
    for (const { name } of entries) {
      this.#copyNode(join(source, name), `${path}/${name}`, place);
    }
  }

  #copyFile(
    source: AbsPath,
    path: string,
    { info, place }: { info: Stat; place: Place },
  ): void {
    if (info.size > MAX_FILE) {
      return this.leave(path, `it is larger than ${MAX_FILE >> 20} MiB`);
    }
    const bytes = this.#read(source, path);
    if (bytes === undefined) return;
    const text = info.size > MAX_TEXT ? undefined : decodeText(bytes);
    const { rewriter } = this.#options;
    if (text === undefined && rewriter.isIn(bytes)) {
      return this.leave(path, "it is no text and holds its old place");
    }
    const to = join(this.#options.to, path);
    ensureDir(join(to, ".."));
    const mode = (info.mode & 0o100) === 0 ? 0o600 : 0o700;
    this.#done.add(path);
    writeNew(
      to,
      text === undefined ? bytes : this.#rewrite(text, path, place),
      mode,
    );
  }

  #rewrite(text: string, path: string, place: Place): string {
    const { rewriter } = this.#options;
    if (place.texts === "absolute") return rewriter.absolute(text);
    for (const found of rewriter.references(text)) this.references.add(found);
    if (!/\.md$/i.test(path)) return rewriter.all(text);
    if (place.at === "") {
      for (const found of imports(text, path)) this.references.add(found);
    }
    return rewriter.all(text, "markdown");
  }

  /** A link to another copied place stays a link; one that leads out becomes what it leads to. */
  #copyLink(source: AbsPath, path: string, place: Place): void {
    const found = this.#resolve(source, path);
    if (found === undefined) return;
    this.#done.add(path);
    const inside = isWithin(found.path, place.root)
      ? join(`/${place.at}` as AbsPath, relative(place.root, found.path))
      : isWithin(found.path, this.#root)
      ? join("/" as AbsPath, relative(this.#root, found.path))
      : undefined;
    if (inside !== undefined) {
      const target = relative("/", inside).replaceAll("\\", "/");
      if (place.at === "" || !isWithin(found.path, place.root)) {
        this.references.add(target);
      }
      ensureDir(join(this.#options.to, path, ".."));
      const link = relative(dirname(`/${path}`), inside) || ".";
      return linkAtomic(join(this.#options.to, path), link);
    }
    if (place.entered.some((dir) => isWithin(dir, found.path))) {
      return this.leave(path, "it is a link that leads around in a circle");
    }
    if (!this.#fits(found.path, path)) return;
    this.#done.delete(path);
    const entered = [...place.entered, found.path];
    const inner: Place = { ...place, root: found.path, at: path, entered };
    if (found.info.kind === "directory") {
      return this.#copyDirectory(found.path, path, inner);
    }
    this.#copyFile(found.path, path, { info: found.info, place: inner });
  }

  /** Where `source` really is, when what stands there may be copied. */
  #resolve(
    source: AbsPath,
    path: string,
  ): { path: AbsPath; info: Stat } | undefined {
    const isThere = this.#attempt(path, () => lstat(source)) !== undefined;
    const real = this.#attempt(path, () => realPath(source));
    const info = real && this.#attempt(path, () => stat(real));
    if (real === undefined || info === undefined) {
      if (isThere) this.leave(path, "it is a link that leads nowhere");
      return undefined;
    }
    const why = this.#refusal(real, info);
    if (why === undefined) return { path: real, info };
    this.leave(path, why);
    return undefined;
  }

  #refusal(real: AbsPath, info: Stat): string | undefined {
    if (info.kind === "other") return "it is a device, pipe or socket";
    if (isWithin(real, this.#root)) {
      return isState(relative(this.#root, real))
        ? "it is a link to state or a login"
        : undefined;
    }
    if (this.#options.confined) {
      return "it is a link out of the environment, and its agent may have made it";
    }
    if (isLoginPlace(real)) return "it is a link to a place for logins";
    const { uid } = this.#options;
    const isOwn = uid === undefined || info.uid === uid;
    // What belongs to the system and is open to all is no secret: some systems keep configuration so.
    const isPublic = info.uid === 0 && (info.mode & 0o004) !== 0;
    return isOwn || isPublic
      ? undefined
      : "it is a link to something of another user";
  }

  /** Whether content from elsewhere stays within the limits; counts it when it does. */
  #fits(source: AbsPath, path: string): boolean {
    const rest = {
      files: MAX_LINKED_FILES - this.#linked.files,
      bytes: MAX_LINKED_BYTES - this.#linked.bytes,
    };
    const measured = this.#attempt(path, () => measure(source, rest));
    if (measured === undefined) return false;
    if (measured.files > rest.files || measured.bytes > rest.bytes) {
      this.leave(
        path,
        `it leads to more than ${MAX_LINKED_FILES} files or ${
          MAX_LINKED_BYTES >> 20
        } MiB`,
      );
      return false;
    }
    this.#linked.files += measured.files;
    this.#linked.bytes += measured.bytes;
    return true;
  }

  /** What was a regular file just now; an agent may be at work there. */
  #read(
    source: AbsPath,
    path: string,
  ): Uint8Array<ArrayBuffer> | undefined {
    const below = [this.#root, this.#options.from]
      .find((dir) => isBelow(source, dir)) ?? parent(source);
    const options = { below, maxBytes: MAX_FILE };
    return this.#attempt(path, () => readForeign(source, options));
  }

  /** Runs a reading operation; what cannot be read is left out, while a failure to write ends the copy. */
  #attempt<T>(path: string, operation: () => T): T | undefined {
    try {
      return operation();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "IO") throw error;
      this.leave(path, "it cannot be read");
      return undefined;
    }
  }
}

/** Size of a tree, links not followed; stops when it is over the limit. */
function measure(
  path: AbsPath,
  limit: { files: number; bytes: number },
): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 };
  const open = [path];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const info = lstat(at);
    if (info === undefined) continue;
    sum.files++;
    if (info.kind === "file") sum.bytes += info.size;
    if (sum.files > limit.files || sum.bytes > limit.bytes) break;
    if (info.kind !== "directory") continue;
    for (const { name } of readDir(at) ?? []) open.push(join(at, name));
  }
  return sum;
}

/** UTF-8 text without NUL; undefined for anything else. A byte order mark stays. */
export function decodeText(bytes: Uint8Array): string | undefined {
  return bytes.includes(0) ? undefined : utf8Text(bytes);
}

/** Relative `@imports` of a memory file, as paths below the root. */
function imports(text: string, path: string): string[] {
  return [...text.matchAll(/(?:^|\s)@([^\s`~/][^\s`]*)/gm)]
    .map(([, name]) => normalize(`${dirname(path)}/${name}`))
    .filter((name) => name !== "." && !name.startsWith(".."));
}
