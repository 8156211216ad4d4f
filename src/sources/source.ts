/** The words of this module: where something comes from, and what exactly it was pinned to. */
import type { AbsPath } from "../base/paths.ts";
import type { Host } from "../os/host.ts";

/** Which commit of a repository is wanted. */
export type GitRef =
  | { readonly type: "default" }
  /** A branch, a tag, or the first digits of a commit. */
  | { readonly type: "name"; readonly name: string }
  /** All 40 (or 64) digits. */
  | { readonly type: "commit"; readonly commit: string }
  /** The highest version among the tags. */
  | { readonly type: "semver"; readonly range: string };

/** `npm:NAME[@WANTED]`; `wanted` is a version, a range or a tag, empty for the default tag. */
export interface NpmSpec {
  readonly kind: "npm";
  readonly name: string;
  readonly wanted: string;
  /** A registry other than the configured one; only marketplaces can say so. */
  readonly registry?: string;
}

/** `git+URL[#REF]`; `url` is an https, ssh or file address without credentials. */
export interface GitSpec {
  readonly kind: "git";
  readonly url: string;
  readonly ref: GitRef;
}

/** `https://….tar.gz` and the like. */
export interface ArchiveSpec {
  readonly kind: "archive";
  readonly url: string;
  /** What it must hash to, where somebody has said so. */
  readonly sha256?: string;
}

/** A directory or an archive on this machine, as written: absolute, `~/…`, or relative to the manifest. */
export interface PathSpec {
  readonly kind: "path";
  readonly path: string;
}

/** A `marketplace.json` on a web server. */
export interface CatalogSpec {
  readonly kind: "catalog";
  readonly url: string;
}

/** `PLUGIN@MARKETPLACE`. */
export interface MarketplaceSpec {
  readonly kind: "marketplace";
  readonly plugin: string;
  readonly market: GitSpec | CatalogSpec | PathSpec;
}

/** What a source says, parsed. Nothing has been looked up. */
export type SourceSpec =
  | NpmSpec
  | GitSpec
  | ArchiveSpec
  | PathSpec
  | MarketplaceSpec;

/** One version of a package. */
export interface NpmPin {
  readonly kind: "npm";
  readonly name: string;
  readonly version: string;
  /** `sha512-…`, as the registry states it. */
  readonly integrity: string;
  readonly registry?: string;
  /** Where the registry says it is. Not part of the text form: mirrors differ. */
  readonly tarball?: string;
}

/** One commit. */
export interface GitPin {
  readonly kind: "git";
  readonly url: string;
  readonly commit: string;
  /** What led to the commit (`HEAD`, `refs/heads/…`, `refs/tags/…`): some servers hand out nothing else. */
  readonly ref: string;
}

/** One archive. */
export interface ArchivePin {
  readonly kind: "archive";
  readonly url: string;
  readonly sha256: string;
}

/** A directory or an archive on this machine. Nothing is pinned but the place. */
export interface PathPin {
  readonly kind: "path";
  /** Relative to the manifest's directory where it can be, with `/`. */
  readonly path: string;
}

/** One `marketplace.json`. */
export interface CatalogPin {
  readonly kind: "catalog";
  readonly url: string;
  readonly sha256: string;
}

/** A pin that stands for files by itself. */
export type PlainPin = NpmPin | GitPin | ArchivePin | PathPin;

/** A plugin of a marketplace: which state of the marketplace, and where that says the plugin is. */
export interface MarketplacePin {
  readonly kind: "marketplace";
  readonly plugin: string;
  readonly market: GitPin | CatalogPin | PathPin;
  readonly inner: PlainPin;
  /** Directory of the plugin in `inner`; undefined for all of it. */
  readonly subpath?: string;
  /** What the marketplace itself says about the plugin's contents, as JSON with sorted keys; undefined when it leaves that to the plugin. */
  readonly overlay?: string;
}

/** Exactly what is to be fetched. */
export type Resolution = PlainPin | MarketplacePin;

/** What may at most be fetched. Bytes, entries, milliseconds. */
export interface Limits {
  readonly downloadBytes: number;
  readonly unpackedBytes: number;
  readonly entries: number;
  /** How many bytes one compressed byte may become, once there are more than a few. */
  readonly ratio: number;
  /** For one download or one git command. */
  readonly timeMs: number;
  /** Without anything arriving. */
  readonly stallMs: number;
}

/** The limits unless a caller gives others. */
export const LIMITS: Limits = {
  downloadBytes: 512 * 1024 * 1024,
  unpackedBytes: 1024 * 1024 * 1024,
  entries: 50_000,
  ratio: 200,
  timeMs: 10 * 60_000,
  stallMs: 30_000,
};

/** What happens meanwhile, for a progress display. */
export type SourceEvent =
  | { readonly type: "step"; readonly text: string }
  | {
    readonly type: "bytes";
    /** The step that they are of; the last one unless given. */
    readonly step?: string;
    readonly done: number;
    /** Undefined when the server does not say. */
    readonly total: number | undefined;
  }
  /** The user should read it: a deprecated package. */
  | { readonly type: "warning"; readonly text: string };

/** What resolving and fetching need to know. Made by {@link sourceContext}, one for all sources of a command. */
export interface SourceContext {
  readonly host: Pick<Host, "env" | "home" | "os">;
  /** Directory of the manifest: what relative paths start from. */
  readonly manifestDir: AbsPath;
  /** A private, empty directory for downloads and repositories. The caller removes it afterwards. */
  readonly temp: AbsPath;
  /** The network must not be used. */
  readonly offline: boolean;
  /** The user trusts the project: its `.npmrc` may then use variables of the environment. */
  readonly trusted: boolean;
  readonly signal: AbortSignal | undefined;
  readonly progress: (event: SourceEvent) => void;
  readonly limits: Limits;
  /** What this command has found out already, by a key that names the question. */
  readonly memo: Map<string, Promise<unknown>>;
}

/** A context with everything filled in. */
export function sourceContext(
  parts:
    & Pick<SourceContext, "host" | "manifestDir" | "temp">
    & Partial<Omit<SourceContext, "memo" | "limits">>
    & { readonly limits?: Partial<Limits> },
): SourceContext {
  return {
    offline: false,
    trusted: false,
    signal: undefined,
    progress: () => undefined,
    ...parts,
    limits: { ...LIMITS, ...parts.limits },
    memo: new Map(),
  };
}

/** The answer to a question that is asked once per command; a failure is forgotten. */
export function remember<T>(
  context: SourceContext,
  key: string,
  ask: () => Promise<T>,
): Promise<T> {
  const known = context.memo.get(key);
  if (known !== undefined) return known as Promise<T>;
  const answer = ask();
  context.memo.set(key, answer);
  answer.catch(() => context.memo.delete(key));
  return answer;
}

/** Runs `work` when nothing else of this command that has this key runs. */
export async function inTurn<T>(
  { memo }: Pick<SourceContext, "memo">,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const name = `turn ${key}`;
  const result = (memo.get(name) ?? Promise.resolve()).then(work);
  memo.set(name, result.catch(() => undefined));
  return await result;
}
