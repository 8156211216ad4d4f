/** The manifest of a copy: the source's text with another name, and with its local sources still found. */
import type { SlotDirs } from "../base/dirs.ts";
import type { EnvName } from "../base/ids.ts";
import { type AbsPath, resolveFrom } from "../base/paths.ts";
import { type Document, editManifest } from "../manifest/mod.ts";
import { localPath, parseSource } from "../sources/mod.ts";
import { type LeftOut, Rewriter } from "./clone/mod.ts";
import type { OpenEnv } from "./types.ts";

/** The copy's name and place. */
export interface ManifestTarget {
  readonly name: EnvName;
  /** Where it will stand. */
  readonly slot: SlotDirs;
  readonly home: AbsPath | undefined;
}

/**
 * The text for the copy's `aenv.toml`. Paths into a named env's directory are rewritten; relative paths of a project become
 * absolute. A project's hook is left out: in a global env it would run without having been trusted.
 */
export function copyManifest(
  source: OpenEnv,
  { name, slot, home }: ManifestTarget,
): { text: string; leftOut: readonly LeftOut[] } {
  // What was checked and trusted, whatever stands in the file by now.
  const before = source.manifestText;
  const isProject = source.scope === "project";
  const rewriter = new Rewriter({
    from: [source.slot.root],
    to: slot.root,
    home,
  });
  const hasHook = isProject && source.manifest.preActivate !== undefined;
  const text = editManifest(rewriter.all(before), (document) => {
    table(document, "env")["name"] = name;
    if (isProject) makeAbsolute(document, source.baseDir);
    if (hasHook) delete table(document, "hooks")["pre_activate"];
  }, { file: source.manifestPath });
  const why = "it comes from a repository; copy it by hand if it may run";
  return {
    text,
    leftOut: hasHook ? [{ path: "aenv.toml: hooks.pre_activate", why }] : [],
  };
}

/** Rewrites what is relative to the manifest: sources, and paths of the sandbox. */
function makeAbsolute(document: Document, baseDir: AbsPath): void {
  for (const kind of ["plugins", "skills"]) {
    const enabled = (table(document, kind)["enabled"] ?? []) as Document[];
    for (const entry of enabled) {
      const spec = parseSource(String(entry["source"]));
      if (spec.kind !== "path" || isFixed(spec.path)) continue;
      const place = { manifestDir: baseDir, host: { home: () => baseDir } };
      entry["source"] = localPath(spec.path, place);
    }
  }
  const sandbox = table(document, "sandbox");
  const paths = sandbox["paths"];
  if (!Array.isArray(paths)) return;
  sandbox["paths"] = paths.map((path) =>
    isFixed(String(path)) ? path : resolveFrom(baseDir, String(path))
  );
}

/** Whether a path means the same wherever the manifest stands. */
function isFixed(path: string): boolean {
  return /^(~|\/|[A-Za-z]:[/\\])/.test(path);
}

function table(document: Document, key: string): Document {
  return (document[key] ?? {}) as Document;
}
