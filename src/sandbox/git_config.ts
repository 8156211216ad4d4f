/**
 * Configurations of git, read as strictly as git writes them, to tell changes that can make nothing run: where branches and
 * new remotes lead. What is not understood is no such change.
 */
import { utf8Text } from "../base/text.ts";

/** One line of a configuration. */
interface Entry {
  /** Lower case. */
  readonly section: string;
  readonly subsection: string | undefined;
  /** Lower case. */
  readonly key: string;
  /** The line as it stands, for what has to stay the same. */
  readonly raw: string;
  /** Undefined when it has quotes, escapes or comments. */
  readonly value: string | undefined;
}

const SECTION = /^\[([A-Za-z0-9-]+)(?: "([^"\\]*)")?\][ \t]*$/;
const ENTRY = /^[ \t]*([A-Za-z][A-Za-z0-9-]*)[ \t]*=[ \t]*(.*?)[ \t]*$/;
const NOTHING = /^[ \t]*(?:[#;].*)?$/;
/** Characters of which none may stand anywhere: git would see another text than we do. */
// deno-lint-ignore no-control-regex
const ODD = /[\x00-\x08\x0b-\x1f\x7f\ufeff\ufffd]/;
const SPECIAL = /["\\#;]/;

const YES_OR_NO = /^(?:true|false)$/;
const BRANCH = /^refs\/[^\s]+$/;
const TRACKED = /^\+?refs\/[^\s:]+:refs\/remotes\/[^\s:]+$/;
/** With the host. No directories: pushing to one would run hooks that lie there. */
const URLS: readonly RegExp[] = [
  /^https:\/\/(?:[\w.~%+-]+(?::[\w.~%+-]*)?@)?([A-Za-z0-9][A-Za-z0-9.-]*)(?::\d+)?\/[\w.~%+@:\/-]*$/,
  /^ssh:\/\/(?:\w[\w.-]*@)?([A-Za-z0-9][A-Za-z0-9.-]*)(?::\d+)?\/[\w.~%+@\/-]*$/,
  /^\w[\w.-]*@([A-Za-z0-9][A-Za-z0-9.-]*):[\w.~\/][\w.~%+@\/-]*$/,
];

/** Keys that may get any value of this form. */
const PLAIN: ReadonlyMap<string, RegExp> = new Map([
  ["core.repositoryformatversion", /^[01]$/],
  ["core.filemode", YES_OR_NO],
  ["core.bare", YES_OR_NO],
  ["core.logallrefupdates", /^(?:true|false|always)$/],
  ["core.ignorecase", YES_OR_NO],
  ["core.precomposeunicode", YES_OR_NO],
  ["core.symlinks", YES_OR_NO],
  ["user.name", /^[^!-].*$/],
  ["user.email", /^[^!-].*$/],
]);

/** Whether the difference between two configurations of git is harmless. */
export function isHarmlessGitChange(
  before: Uint8Array,
  after: Uint8Array,
): boolean {
  const [old, now] = [before, after].map(parse);
  if (old === undefined || now === undefined) return false;
  const former = new Former(old);
  const settled = (entry: Entry) => former.isFixed(entry);
  if (shape(old.filter(settled)) !== shape(now.filter(settled))) return false;
  const remotes = new Set(remotesOf(now));
  return now.every((entry) =>
    settled(entry) || former.has(entry) ||
    isHarmless(entry, { former, remotes })
  );
}

/** A configuration as it was. */
class Former {
  readonly remotes: ReadonlySet<string>;
  readonly #submodules: ReadonlySet<string>;
  readonly #lines: ReadonlySet<string>;
  readonly #branches: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string | undefined>;

  constructor(entries: readonly Entry[]) {
    this.remotes = new Set(remotesOf(entries));
    this.#submodules = namesIn(entries, "submodule");
    this.#branches = namesIn(entries, "branch");
    this.#hosts = new Set(
      entries.filter((entry) => nameOf(entry) === "remote.url")
        .map(({ value }) => hostOf(value ?? "")),
    );
    this.#lines = new Set(entries.map((entry) => shape([entry])));
  }

  has(entry: Entry): boolean {
    return this.#lines.has(shape([entry]));
  }

  /** Whether something may be pushed there: to a host that the user pushes to, or any where there was none. */
  knowsHost(host: string | undefined): boolean {
    return host !== undefined &&
      (this.remotes.size === 0 || this.#hosts.has(host));
  }

  hasBranch(name: string): boolean {
    return this.#branches.has(name);
  }

  /** Whether an entry must be as it was, and where it was. */
  isFixed(entry: Entry): boolean {
    const { section, subsection, value } = entry;
    if (value === undefined) return true;
    if (subsection === undefined) return !PLAIN.has(nameOf(entry));
    if (section === "remote") return this.remotes.has(subsection);
    if (section === "submodule") return this.#submodules.has(subsection);
    return section !== "branch" || !isOfBranch(entry);
  }
}

function isHarmless(
  entry: Entry,
  { former, remotes }: {
    readonly former: Former;
    readonly remotes: ReadonlySet<string>;
  },
): boolean {
  const { section, subsection: name, key } = entry;
  const value = entry.value ?? "";
  if (name === undefined) return PLAIN.get(nameOf(entry))?.test(value) ?? false;
  if (/^-|\.\.|^$/.test(name)) return false;
  switch (`${section}.${key}`) {
    case "branch.merge":
      return BRANCH.test(value);
    case "branch.rebase":
      return /^(?:true|false|merges)$/.test(value);
    case "branch.remote":
      // A branch that the user pushes already is not led to a remote that came later.
      return value === "." || former.remotes.has(value) ||
        (remotes.has(value) && !former.hasBranch(name));
    case "remote.url":
      return former.knowsHost(hostOf(value));
    case "submodule.url":
      return hostOf(value) !== undefined;
    case "remote.fetch":
      return TRACKED.test(value);
    case "submodule.active":
      return YES_OR_NO.test(value);
    default:
      return false;
  }
}

/** The host of an ordinary URL; undefined for any other. */
function hostOf(value: string): string | undefined {
  for (const url of URLS) {
    const host = url.exec(value)?.[1];
    if (host !== undefined) return host.toLowerCase();
  }
  return undefined;
}

function isOfBranch({ key }: Entry): boolean {
  return key === "remote" || key === "merge" || key === "rebase";
}

function remotesOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ section, subsection }) =>
    section === "remote" && subsection !== undefined ? [subsection] : []
  );
}

function namesIn(
  entries: readonly Entry[],
  wanted: string,
): ReadonlySet<string> {
  return new Set(
    entries.flatMap(({ section, subsection }) =>
      section === wanted && subsection !== undefined ? [subsection] : []
    ),
  );
}

function nameOf({ section, key }: Entry): string {
  return `${section}.${key}`;
}

function shape(entries: readonly Entry[]): string {
  return JSON.stringify(
    entries.map(({ section, subsection, raw }) => [section, subsection, raw]),
  );
}

/** Undefined when there is anything that git may read otherwise. */
function parse(bytes: Uint8Array): Entry[] | undefined {
  const text = utf8Text(bytes);
  if (text === undefined || ODD.test(text)) return undefined;
  const entries: Entry[] = [];
  let place: Pick<Entry, "section" | "subsection"> | undefined;
  for (const line of text.split("\n")) {
    if (NOTHING.test(line)) continue;
    // It goes on with the next line.
    if (line.endsWith("\\")) return undefined;
    const header = SECTION.exec(line);
    if (header) {
      place = { section: header[1]!.toLowerCase(), subsection: header[2] };
      continue;
    }
    const entry = ENTRY.exec(line);
    if (!entry || place === undefined) return undefined;
    const [, key, raw] = entry as unknown as [string, string, string];
    const value = SPECIAL.test(raw) ? undefined : raw;
    entries.push({
      ...place,
      key: key.toLowerCase(),
      raw: `${key.toLowerCase()}=${raw}`,
      value,
    });
  }
  return entries;
}
