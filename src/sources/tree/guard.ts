/**
 * The one judge of what may be in a plugin or a skill. Archives of both kinds, commits and directories all pass here
 * before anything of theirs is written. Pure.
 */
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import {
  byteLength,
  entryNameProblem,
  EXCLUDED_NAMES,
  foldCase,
  MAX_PATH_BYTES,
} from "../../base/tree_names.ts";
import type { Limits } from "../source.ts";

/** Something that wants to be in a tree. */
export interface Candidate {
  /** With `/`; a trailing one and leading `./` do not count. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hardlink";
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Where a link leads: from the link's directory for a symlink, from the root for a hardlink. */
  readonly target?: string;
}

/** What starts with a drive letter, also when only a `./` keeps it from doing so. */
const DRIVE = /^(\.\/)*[A-Za-z]:/;

type Kind = "file" | "directory" | "symlink";

interface Known {
  readonly path: string;
  readonly kind: Kind;
  readonly size: number;
}

/** One tree while it is being filled. */
export class TreeGuard {
  readonly #what: string;
  readonly #limits: Pick<Limits, "entries" | "unpackedBytes">;
  /** By name as a file system without case would see it. */
  readonly #known = new Map<string, Known>();
  #count = 0;
  #bytes = 0;

  /** `what` is named in errors: an address, a path. */
  constructor(
    what: string,
    limits: Pick<Limits, "entries" | "unpackedBytes">,
  ) {
    this.#what = what;
    this.#limits = limits;
  }

  /** Bytes of all files so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The path to write, relative and normalised; undefined for the root itself and for what is left out.
   * Throws `SOURCE_REFUSED`.
   */
  accept(candidate: Candidate): string | undefined {
    this.#count++;
    if (this.#count > this.#limits.entries) {
      this.refuse(`it has more than ${this.#limits.entries} entries`);
    }
    this.#addBytes(candidate.size);
    const parts = this.#partsOf(candidate.path, candidate.path);
    if (parts.length === 0) {
      if (candidate.kind === "directory") return undefined;
      this.refuse(`${quote(candidate.path)} stands for its root`);
    }
    if (candidate.kind === "symlink") this.#checkSymlink(candidate, parts);
    if (parts.some((part) => EXCLUDED_NAMES.has(part))) return undefined;
    const copied = candidate.kind === "hardlink"
      ? this.#checkHardlink(candidate)
      : 0;
    this.#register(parts, candidate, candidate.size + copied);
    return parts.join("/");
  }

  /** Throws `SOURCE_REFUSED` with this reason. */
  refuse(state: string): never {
    throw new AppError(
      "SOURCE_REFUSED",
      `Cannot take ${quote(this.#what)}: ${state}`,
    );
  }

  #partsOf(path: string, shown: string): string[] {
    const problem = pathProblem(path);
    if (problem !== undefined) this.refuse(`${quote(shown)} ${problem}`);
    const parts = path.replace(/\/$/, "").split("/")
      .filter((part, i) => part !== "." || i > 0);
    const bad = parts.map(partProblem).find((p) => p !== undefined);
    if (bad !== undefined) this.refuse(`${quote(shown)} ${bad}`);
    return parts;
  }

  /**
   * A target may climb first and then only descend. As no entry lies below a link, the climbing is over real directories; what it descends
   * through are links that stay inside themselves.
   */
  #checkSymlink(candidate: Candidate, parts: readonly string[]): void {
    const target = candidate.target ?? "";
    const shown = `the link ${quote(candidate.path)}`;
    if (target === "") this.refuse(`${shown} leads nowhere`);
    const problem = pathProblem(target);
    if (problem !== undefined) {
      this.refuse(`${shown} has a target that ${problem}`);
    }
    const steps = target.split("/").filter((s) => s !== "" && s !== ".");
    const bad = steps.filter((step) => step !== "..").map(entryNameProblem)
      .find((state) => state !== undefined);
    if (bad !== undefined) this.refuse(`${shown} has a target that ${bad}`);
    const climbs = steps.findIndex((step) => step !== "..");
    const ups = climbs < 0 ? steps.length : climbs;
    if (ups > parts.length - 1) this.refuse(`${shown} leads out of it`);
    if (steps.slice(ups).includes("..")) {
      this.refuse(`${shown} leads through a directory and out of it again`);
    }
  }

  /** The size of the copy that it becomes. */
  #checkHardlink(candidate: Candidate): number {
    const target = candidate.target ?? "";
    const shown = `the hard link ${quote(candidate.path)}`;
    const problem = pathProblem(target);
    if (problem !== undefined || target.split("/").includes("..")) {
      this.refuse(`${shown} leads out of it`);
    }
    const parts = this.#partsOf(target, candidate.path);
    const known = this.#known.get(foldCase(parts.join("/")));
    if (known?.path !== parts.join("/") || known.kind !== "file") {
      this.refuse(`${shown} leads to no file before it`);
    }
    this.#addBytes(known.size);
    return known.size;
  }

  #addBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.unpackedBytes) {
      this.refuse(
        `it unpacks to more than ${this.#limits.unpackedBytes} bytes`,
      );
    }
  }

  #register(
    parts: readonly string[],
    candidate: Candidate,
    size: number,
  ): void {
    const kind = candidate.kind === "hardlink" ? "file" : candidate.kind;
    let path = "";
    for (const [i, part] of parts.entries()) {
      path += (i === 0 ? "" : "/") + part;
      if (i === parts.length - 1) {
        this.#registerOne({ path, kind, size }, true);
      } else {
        this.#registerOne({ path, kind: "directory", size: 0 }, false);
      }
    }
  }

  #registerOne(entry: Known, isEntry: boolean): void {
    const { path, kind } = entry;
    const key = foldCase(path);
    const known = this.#known.get(key);
    if (known === undefined) {
      // Directories that are only implied count as well.
      if (!isEntry) this.#count++;
      this.#known.set(key, entry);
      return;
    }
    if (known.path !== path) {
      const how = known.path.normalize("NFC") === path.normalize("NFC")
        ? "only in the Unicode form"
        : "only in upper and lower case";
      this.refuse(`${quote(known.path)} and ${quote(path)} differ ${how}`);
    }
    if (kind === "directory" && known.kind === "directory") return;
    if (isEntry) this.refuse(`${quote(path)} is in it twice`);
    this.refuse(`${quote(path)} is a ${known.kind} and has entries below it`);
  }
}

/** What is wrong with a path as a whole. */
function pathProblem(path: string): string | undefined {
  if (path.startsWith("/")) return "is an absolute path";
  if (DRIVE.test(path)) return "starts with a drive letter";
  if (byteLength(path) > MAX_PATH_BYTES) return "has too long a path";
  // A name of the path would say so as well, but not in a link's target.
  return path.includes("\0") ? "has a NUL in its name" : undefined;
}

function partProblem(part: string): string | undefined {
  if (part === "..") return "leads out of it";
  if (part === "" || part === ".") return "has an empty part in its name";
  return entryNameProblem(part);
}
