/** Changing `sandbox.paths` of a manifest. */
import { editManifest } from "./edit.ts";
import type { Document } from "./edit_values.ts";
import { parseManifest } from "./parse.ts";
import type { SandboxSection } from "./schema.ts";

/** A line of `sandbox.paths`. */
export type PathLine = SandboxSection["paths"][number];

/** What became of a manifest. */
export interface PathEdit {
  /** The same text when nothing had to change. */
  readonly text: string;
  /** Lines that went. */
  readonly removed: readonly PathLine[];
}

/** `text` with this line, in the place of any other for the same path. Throws `MANIFEST_INVALID`. */
export function addPath(
  text: string,
  line: PathLine,
  { file }: { readonly file: string },
): PathEdit {
  const lines = pathLines(text, file);
  const others = lines.filter(({ path }) => path === line.path);
  if (others.some(({ access }) => access === line.access)) {
    return { text, removed: [] };
  }
  const at = lines.findIndex(({ path }) => path === line.path);
  const edited = editManifest(text, (document) => {
    const paths = pathsOf(document);
    const entry = `${line.path}:${line.access}`;
    if (at < 0) paths.push(entry);
    else paths[at] = entry;
  }, { file });
  return { text: edited, removed: others };
}

/** `text` without the lines that `isMeant`. Throws `MANIFEST_INVALID`. */
export function removePaths(
  text: string,
  isMeant: (line: PathLine) => boolean,
  { file }: { readonly file: string },
): PathEdit {
  const removed = pathLines(text, file).filter(isMeant);
  if (removed.length === 0) return { text, removed };
  const gone = new Set(removed.map(({ path, access }) => `${path}:${access}`));
  const edited = editManifest(text, (document) => {
    const paths = pathsOf(document);
    for (let i = paths.length - 1; i >= 0; i--) {
      if (gone.has(String(paths[i]))) paths.splice(i, 1);
    }
  }, { file });
  return { text: edited, removed };
}

function pathLines(text: string, file: string): readonly PathLine[] {
  return parseManifest(text, file).sandbox?.paths ?? [];
}

function pathsOf(document: Document): unknown[] {
  const section = (document["sandbox"] ??= {}) as Document;
  return (section["paths"] ??= []) as unknown[];
}
