/** What the user has trusted, on disk: below `$AENV_HOME/trust`, never in a repository. Written in transactions, but for the marks. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, isAbsolutePath, join } from "../base/paths.ts";
import {
  ensureDir,
  readDir,
  readText,
  removeFile,
  writeAtomic,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { Item, Shown, TreeHashes, TrustRecord } from "./types.ts";

/** A manifest has at most 1 MiB and a tree 20,000 entries. */
const MAX_BYTES = 64 * 1024 * 1024;
const RECORD_NAME = /^[0-9a-f]{64}\.json$/;

/** The files for the manifest at `manifest`. */
interface RecordFiles {
  readonly record: AbsPath;
  readonly shown: AbsPath;
  readonly marks: AbsPath;
}

function filesFor(dirs: Dirs, manifest: AbsPath): RecordFiles {
  const id = sha256Hex(manifest);
  return {
    record: join(dirs.trust, `${id}.json`),
    shown: join(dirs.trust, `${id}.shown.json`),
    marks: join(dirs.trust, `${id}.marks.json`),
  };
}

/** The record for a manifest; undefined when there is none, or none that can be understood. */
export function readRecord(
  dirs: Dirs,
  manifest: AbsPath,
): TrustRecord | undefined {
  return parseRecord(readJson(filesFor(dirs, manifest).record));
}

/** What was shown when the record was written; undefined when that is not known. */
export function readShown(dirs: Dirs, manifest: AbsPath): Shown | undefined {
  return parseShown(readJson(filesFor(dirs, manifest).shown));
}

/** The files that make a record, for whoever writes them in one step. */
export function recordPuts(
  dirs: Dirs,
  record: TrustRecord,
  shown: Shown,
): { readonly path: AbsPath; readonly data: string }[] {
  const files = filesFor(dirs, record.manifest);
  const data = JSON.stringify({ version: 1, ...record }, undefined, 2) + "\n";
  return [
    { path: files.shown, data: JSON.stringify(shown) + "\n" },
    { path: files.record, data },
  ];
}

/** The files that go when the trust of a manifest is taken back: the record, and what was shown. */
export function recordPaths(
  dirs: Dirs,
  manifest: AbsPath,
): readonly [record: AbsPath, shown: AbsPath] {
  const { record, shown } = filesFor(dirs, manifest);
  return [record, shown];
}

/** All records, by path. */
export function listRecords(dirs: Dirs): TrustRecord[] {
  return (readDir(dirs.trust) ?? [])
    .filter(({ name }) => RECORD_NAME.test(name))
    .map(({ name }) => parseRecord(readJson(join(dirs.trust, name))))
    .filter((record) => record !== undefined)
    .sort((a, b) => (a.manifest < b.manifest ? -1 : 1));
}

/**
 * Content hashes by stat mark, as a launch found them. Only a shortcut: what a launch copies is hashed again, so a wrong one
 * cannot bring in anything.
 */
export function readMarks(dirs: Dirs, manifest: AbsPath): TreeHashes {
  const value = readJson(filesFor(dirs, manifest).marks);
  return isTexts(value) ? value : {};
}

/** Replaces the marks; undefined takes them away. */
export function writeMarks(
  dirs: Dirs,
  manifest: AbsPath,
  marks: TreeHashes | undefined,
): void {
  if (marks === undefined) return removeFile(filesFor(dirs, manifest).marks);
  ensureDir(dirs.trust);
  writeAtomic(filesFor(dirs, manifest).marks, JSON.stringify(marks) + "\n");
}

function parseRecord(value: unknown): TrustRecord | undefined {
  if (!isRecord(value) || value["version"] !== 1) return undefined;
  const { manifest, real, manifestHash, trees } = value;
  const isWhole = isPath(manifest) && isPath(real) &&
    typeof manifestHash === "string" && isTexts(trees);
  return isWhole ? { manifest, real, manifestHash, trees } : undefined;
}

function parseShown(value: unknown): Shown | undefined {
  if (!isRecord(value)) return undefined;
  const { text, items, files } = value;
  const isWhole = typeof text === "string" && Array.isArray(items) &&
    items.every(isItem) && isRecord(files) &&
    Object.values(files).every(isTexts);
  return isWhole ? { text, items, files: files as Shown["files"] } : undefined;
}

function isItem(value: unknown): value is Item {
  return isRecord(value) && typeof value["title"] === "string" &&
    Array.isArray(value["lines"]) &&
    value["lines"].every((line) => typeof line === "string");
}

function isPath(value: unknown): value is AbsPath {
  return typeof value === "string" && isAbsolutePath(value);
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) &&
    Object.values(value).every((text) => typeof text === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readJson(file: AbsPath): unknown {
  const text = readText(file, MAX_BYTES);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    // A record that cannot be read is no yes.
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
