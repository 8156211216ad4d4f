/** `.secrets.list` in the slot: the keys that an env has values for, one a line. Values are never in it. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { type SecretKey, secretKeyProblem } from "../base/secret_key.ts";
import { readText } from "../os/fs.ts";
import { placeFile } from "./own_files.ts";

/** What the index says of a key. `changing`: a value is being kept or removed, or was when the process was killed. */
export type IndexState = "kept" | "changing";

const INDEX_FILE = ".secrets.list";
const CHANGING = " ?";

/** The index of a slot; empty when there is none. Lines that name no key are left out. */
export function readIndex(slot: AbsPath): Map<SecretKey, IndexState> {
  const index = new Map<SecretKey, IndexState>();
  for (const line of (readText(join(slot, INDEX_FILE)) ?? "").split("\n")) {
    const isChanging = line.endsWith(CHANGING);
    const key = isChanging ? line.slice(0, -CHANGING.length) : line;
    if (secretKeyProblem(key) !== undefined) continue;
    index.set(key as SecretKey, isChanging ? "changing" : "kept");
  }
  return index;
}

/** Says something else of one key, or nothing any more. Call it with the home's lock held. */
export function setIndex(
  slot: AbsPath,
  key: SecretKey,
  { state, dirs }: {
    readonly state: IndexState | undefined;
    readonly dirs: Pick<Dirs, "secrets">;
  },
): void {
  const index = readIndex(slot);
  if (index.get(key) === state) return;
  if (state === undefined) index.delete(key);
  else index.set(key, state);
  const lines = [...index].map(([name, is]) =>
    is === "changing" ? name + CHANGING : name
  );
  const text = lines.sort().map((line) => line + "\n").join("");
  placeFile(join(slot, INDEX_FILE), text, dirs);
}
