/** Listing directories, every name: before 2.9 Deno leaves out those that are not UTF-8. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { errnoName, openCalls, openDirectory, refusal } from "./c_files.ts";
import { withIo } from "./io_error.ts";
import { type EntryKind, kindOf, markOf } from "./marks.ts";

/** One name in a directory. */
export interface Name {
  readonly name: string;
  readonly kind: EntryKind;
  /** False when the bytes are not UTF-8: then `name` only resembles them and opens nothing. */
  readonly isText: boolean;
}

const DECODER = new TextDecoder("utf-8", { fatal: true });
const LISTING = new Uint8Array(64 * 1024);
const LISTING_VIEW = new DataView(LISTING.buffer);

/**
 * The names in a directory in no order, at most `limit` + 1 of them. A link to a directory is refused. Throws `IO`.
 */
export function readNames(path: string, limit = Infinity): Name[] {
  const { glibc } = openCalls();
  const fd = glibc?.getdents64 ? openDirectory(path) : undefined;
  if (!glibc?.getdents64 || fd === undefined) return slowNames(path, limit);
  try {
    const names: Name[] = [];
    while (names.length <= limit) {
      const count = Number(
        glibc.getdents64(fd, LISTING, BigInt(LISTING.length)),
      );
      if (count < 0) throw refusal("list", path, errnoName());
      if (count === 0) break;
      decodeListing(count, path, names);
    }
    return names.slice(0, limit + 1);
  } finally {
    glibc.close(fd);
  }
}

/** Reads `struct linux_dirent64`: inode (8 bytes), offset (8), length (2), type (1), name. */
function decodeListing(count: number, path: string, names: Name[]): void {
  for (let at = 0; at < count; at += LISTING_VIEW.getUint16(at + 16, true)) {
    const end = LISTING.indexOf(0, at + 19);
    const { name, isText } = decodeName(LISTING.subarray(at + 19, end));
    if (name === "." || name === "..") continue;
    const type = LISTING[at + 18]!;
    // Some file systems do not tell.
    const kind = type === 0 && isText
      ? markOf(`${path}/${name}`)?.kind ?? "other"
      : kindOf(type);
    names.push({ name, kind, isText });
  }
}

function decodeName(bytes: Uint8Array): Pick<Name, "name" | "isText"> {
  try {
    return { name: DECODER.decode(bytes), isText: true };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { name: new TextDecoder().decode(bytes), isText: false };
  }
}

function slowNames(path: string, limit: number): Name[] {
  if (markOf(path)?.kind === "symlink") {
    throw new AppError("IO", `Cannot list ${quote(path)}: it is a link`);
  }
  return withIo("list", path, () => {
    const names: Name[] = [];
    for (const entry of Deno.readDirSync(path)) {
      names.push({ name: entry.name, kind: kindOf(0, entry), isText: true });
      if (names.length > limit) break;
    }
    return names;
  });
}
