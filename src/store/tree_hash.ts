/** The name of a tree: one hash over all its entries. */
import type { AbsPath } from "../base/paths.ts";
import { sha256OfParts } from "../os/file_hash.ts";
import {
  compareBytes,
  kindLetter,
  type TreeEntry,
  type TreeHash,
} from "./entries.ts";
import { type ScanOptions, scanTree } from "./scan.ts";

/** Hash of the tree at `root`, with the rules and limits of an insertion. Throws `CONTENT_INVALID`, `IO`. */
export function hashTree(root: AbsPath, options: ScanOptions = {}): TreeHash {
  return hashEntries(scanTree(root, options));
}

/** Says which encoding the hash is over. */
const HEADER = "aenv tree 1\n";

/**
 * Hash of a tree with these entries, in any order. Encoded is, after a header, for each entry in order of its path's
 * bytes: its kind (one byte), the length of its path (4 bytes, big-endian) and the path; for a file the 64 digits of its
 * SHA-256; for a link the length of its target and the target. Nothing else may follow a kind, so no two trees have one
 * encoding.
 */
export function hashEntries(entries: readonly TreeEntry[]): TreeHash {
  return sha256OfParts(encode(entries)) as TreeHash;
}

/** Blocks that are overwritten once the next one is asked for. */
function* encode(entries: readonly TreeEntry[]): Generator<Uint8Array> {
  const block = new Block();
  block.text(HEADER);
  const sorted = entries.toSorted((a, b) => compareBytes(a.path, b.path));
  for (const entry of sorted) {
    if (block.isNearlyFull) yield block.take();
    block.text(kindLetter(entry));
    block.sizedText(entry.path);
    if (entry.kind === "file") block.text(entry.sha256);
    if (entry.kind === "symlink") block.sizedText(entry.target);
  }
  yield block.take();
}

const BLOCK_BYTES = 64 * 1024;
/** More than one entry can need: path and target have 4 KiB at most. */
const RESERVE_BYTES = 16 * 1024;

class Block {
  readonly #bytes = new Uint8Array(BLOCK_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #encoder = new TextEncoder();
  #length = 0;

  get isNearlyFull(): boolean {
    return this.#length > BLOCK_BYTES - RESERVE_BYTES;
  }

  text(text: string): void {
    const rest = this.#bytes.subarray(this.#length);
    this.#length += this.#encoder.encodeInto(text, rest).written;
  }

  sizedText(text: string): void {
    const at = this.#length;
    this.#length += 4;
    this.text(text);
    this.#view.setUint32(at, this.#length - at - 4);
  }

  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
