/** Puts what the guard let pass onto the disk. */
import { type AbsPath, join } from "../../base/paths.ts";
import { NewFile } from "../../os/bytes.ts";
import { copyFile, isExecutable, makeDir, symlink } from "../../os/fs.ts";
import type { Candidate, TreeGuard } from "./guard.ts";

/** Modes of what we unpack, whatever the archive and the umask say: no set-id bits, nobody else may write. */
const PLAIN_MODE = 0o644;
const PROGRAM_MODE = 0o755;

/** Writes a tree, entry by entry. Symlinks come last, so that nothing is ever written through one. */
export class TreeWriter {
  readonly #root: AbsPath;
  readonly #guard: TreeGuard;
  readonly #made = new Set<string>([""]);
  readonly #links: { path: string; target: string }[] = [];

  constructor(root: AbsPath, guard: TreeGuard) {
    this.#root = root;
    this.#guard = guard;
  }

  /** Takes a directory or a link. Throws `SOURCE_REFUSED`, `IO`. */
  add(candidate: Candidate): void {
    const path = this.#guard.accept(candidate);
    if (path === undefined) return;
    const target = candidate.target ?? "";
    if (candidate.kind === "directory") this.#makeDir(path);
    else if (candidate.kind === "symlink") this.#links.push({ path, target });
    else this.#copy(path, target.replace(/^\.\//, ""));
  }

  /** Begins a file; undefined when it is left out. Throws `SOURCE_REFUSED`, `IO`. */
  open(
    candidate: Candidate,
    options: { readonly isProgram: boolean },
  ): TreeFile | undefined {
    const path = this.#guard.accept(candidate);
    if (path === undefined) return undefined;
    this.#makeParent(path);
    const mode = options.isProgram ? PROGRAM_MODE : PLAIN_MODE;
    return new TreeFile(new NewFile(join(this.#root, path)), mode);
  }

  /** Makes the links. */
  finish(): void {
    for (const { path, target } of this.#links) {
      this.#makeParent(path);
      symlink(join(this.#root, path), target);
    }
  }

  #copy(path: string, from: string): void {
    this.#makeParent(path);
    const source = join(this.#root, from);
    const mode = isExecutable(source) ? PROGRAM_MODE : PLAIN_MODE;
    copyFile(source, join(this.#root, path), mode);
  }

  #makeParent(path: string): void {
    const slash = path.lastIndexOf("/");
    if (slash > 0) this.#makeDir(path.slice(0, slash));
  }

  #makeDir(path: string): void {
    if (this.#made.has(path)) return;
    this.#makeParent(path);
    makeDir(join(this.#root, path));
    this.#made.add(path);
  }
}

/** A file being written. */
export class TreeFile {
  readonly #file: NewFile;
  readonly #mode: number;

  constructor(file: NewFile, mode: number) {
    this.#file = file;
    this.#mode = mode;
  }

  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
  }

  /** Closes it; its mode is set whatever the umask. */
  finish(): void {
    this.#file.finish(this.#mode);
  }

  /** Closes it after a failure. */
  abandon(): void {
    this.#file.discard();
  }
}
