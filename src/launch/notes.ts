/** What a launch has to say besides where the agent is confined: each of it is told once in an env. */
import type { SlotDirs } from "../base/dirs.ts";
import { readText, writeAtomic } from "../os/fs.ts";

/** Characters of the record; a longer one starts anew, and all is told again. */
const MAX_RECORD = 64 * 1024;

/** Those of the notes that no earlier launch of the env has told, which from now on this one has. Throws `IO`. */
export function untold(
  notes: readonly string[],
  slot: SlotDirs,
): readonly string[] {
  if (notes.length === 0) return [];
  const record = readText(slot.told) ?? "";
  const told = record.split("\n");
  const fresh = notes.filter((note) => !told.includes(lineOf(note)));
  if (fresh.length === 0) return [];
  const kept = record.length > MAX_RECORD ? [] : told.filter(Boolean);
  const lines = [...kept, ...fresh.map(lineOf)];
  writeAtomic(slot.told, lines.map((line) => `${line}\n`).join(""));
  return fresh;
}

/** What comes from a repository may have line ends in it. */
function lineOf(note: string): string {
  return note.replaceAll("\n", " ");
}
