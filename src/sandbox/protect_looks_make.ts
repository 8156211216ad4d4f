/** Writing down how protected paths look, for a quick comparison. */
import { type AbsPath, parent } from "../base/paths.ts";
import { removeFile } from "../os/fs.ts";
import { markOf } from "../os/marks.ts";
import { isIn } from "./path_text.ts";
import { type Held, marksOf, type Watched } from "./protect.ts";
import { type Body, NUMBERS, watchedText } from "./protect_looks.ts";
import { looksPath } from "./protect_place.ts";
import {
  type ProtectPlace,
  type ProtectRecord,
  recordPath,
  writeQuick,
} from "./protect_store.ts";

const MAX_PATHS = 1000;
const TYPES: Readonly<Record<Held["kind"], number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  other: 0,
};

/** Writes down how all looks, as the record has it, unless that cannot be told; returns what `recallLooks` would. */
export function rememberLooks(
  place: ProtectPlace,
  record: ProtectRecord,
): readonly AbsPath[] {
  const { watched } = record;
  const seen = seenDirs(watched, parent(place.dir));
  const body = bodyOf(place, record);
  if (body === undefined) removeFile(looksPath(place));
  else {
    const line = JSON.stringify({ ...body, seen });
    writeQuick(looksPath(place), `${watchedText(watched)}\n${line}\n`);
  }
  return seen;
}

function bodyOf(
  place: ProtectPlace,
  { watched, baseline }: ProtectRecord,
): Omit<Body, "seen"> | undefined {
  const path = recordPath(place);
  const own = markOf(path);
  const names = [
    ...new Set([...watched.map(({ path }) => path), ...Object.keys(baseline)]),
  ];
  if (own === undefined || names.length > MAX_PATHS) return undefined;
  const numbers = [TYPES.file | own.mode, ...marksOf(own)];
  for (const name of names) {
    const row = rowOf(
      Object.hasOwn(baseline, name) ? baseline[name] : undefined,
    );
    if (row === undefined) return undefined;
    numbers.push(...row);
  }
  return {
    paths: [path, ...names].map((name) => name + "\0").join(""),
    numbers,
  };
}

/** Undefined for what was changed just now, or cannot be compared so. */
function rowOf(held: Held | undefined): readonly number[] | undefined {
  if (held === undefined) return [0, -1, -1, -1, -1];
  if (held.kind === "other" || held.mark === "") return undefined;
  // Permissions of links are always the same.
  const mode = TYPES[held.kind] | (held.kind === "symlink" ? 0o777 : held.mode);
  if (held.mark === undefined) {
    return held.kind === "directory" ? [mode, -1, -1, -1, -1] : undefined;
  }
  const marks = held.mark.split(":").map(Number);
  return marks.length === NUMBERS - 1 ? [mode, ...marks] : undefined;
}

/**
 * Where something could be made and taken away again without a trace: the directories of protected names that are not there.
 * Not those of the env's own: only its sessions read what is in them.
 */
function seenDirs(
  watched: readonly Watched[],
  slot: AbsPath,
): AbsPath[] {
  const dirs = watched.filter(({ path }) => !isIn(path, slot))
    .map(({ path }) => parent(path))
    .filter((dir) => markOf(dir)?.kind === "directory");
  return [...new Set(dirs)];
}
