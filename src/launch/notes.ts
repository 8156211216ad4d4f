/** What a launch has to say besides where the agent is confined: each of it is told once in an env. */
import { claude } from "../agents/mod.ts";
import type { SlotDirs } from "../base/dirs.ts";
import { epochMs } from "../os/clock.ts";
import { readText, writeAtomic } from "../os/fs.ts";
import { undoOuterLaunch } from "./environment.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** Characters of the record; a longer one starts anew, and all is told again. */
const MAX_RECORD = 64 * 1024;

/** What this launch tells: all that is new, and a login that is of no use any more as long as that is so. */
export function newsOf(
  { notes }: LaunchPlan,
  { env, host, dirs, verbose }: PerformContext,
): readonly string[] {
  if (notes.length === 0) return notes;
  const hasExpired = (): boolean => {
    const outer = undoOuterLaunch(host.env);
    const { loginDir } = claude.userConfig(outer, host.home(), dirs.root);
    return claude.hasExpired(loginDir, epochMs());
  };
  if (!notes.includes(claude.READ_ONLY_LOGIN) || !hasExpired()) {
    return verbose ? notes : untold(notes, env.slot);
  }
  const others = notes.filter((note) => note !== claude.READ_ONLY_LOGIN);
  const news = verbose ? others : untold(others, env.slot);
  return [...news, claude.EXPIRED_LOGIN];
}

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
