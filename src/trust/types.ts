/** Words of this module. */
import type { AbsPath } from "../base/paths.ts";

/** One thing that a manifest runs, loads or allows, in words: what a user is shown before saying yes. */
export interface Item {
  /** `mcp server docs`, `plugin review`. */
  readonly title: string;
  /** Safe to print: see {@link makeItem}. */
  readonly lines: readonly string[];
}

/** Which manifest, and what stood in it when it was read. */
export interface ManifestIdentity {
  /** Its path with the links of its directory resolved: one clone, one answer. */
  readonly manifest: AbsPath;
  /** Where it leads when it is a link itself. */
  readonly real: AbsPath;
  /** The text that was read. */
  readonly text: string;
}

/** Title of a plugin or skill, as in {@link Item.title} → hash of its whole tree. */
export type TreeHashes = Readonly<Record<string, string>>;

/** What the user said yes to. */
export interface TrustRecord {
  readonly manifest: AbsPath;
  readonly real: AbsPath;
  /** SHA-256 of the manifest's text. */
  readonly manifestHash: string;
  readonly trees: TreeHashes;
}

/** What the user saw, kept to show the difference when it has changed. */
export interface Shown {
  readonly text: string;
  readonly items: readonly Item[];
  /** Title of a tree → path in it → what stands there. */
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Whether something is trusted as it is now. */
export type Verdict =
  | { readonly state: "trusted" }
  | { readonly state: "needed" }
  | {
    readonly state: "changed";
    /** What is not as it was, in words. */
    readonly what: readonly string[];
  };
