/** Sources as they are written in a manifest or on the command line. Pure. */
import { AppError } from "../base/errors.ts";
import { nameProblem } from "../base/ids.ts";
import { redact } from "../base/redact.ts";
import { quote } from "../base/text.ts";
import type {
  ArchiveSpec,
  GitRef,
  GitSpec,
  MarketplaceSpec,
  NpmSpec,
  PathSpec,
  SourceSpec,
} from "./source.ts";
import { checkUrl } from "./url.ts";

/** Endings of archives that are taken from web servers. */
export const ARCHIVE_ENDING = /\.(tar\.gz|tgz|tar|zip)$/i;

const FORMS =
  "npm:PACKAGE[@VERSION], git+https://HOST/REPOSITORY[#REF], git+ssh://…, git+file:///…, https://….tar.gz (.tgz, .tar, .zip), ./PATH, file:PATH, PLUGIN@OWNER/REPOSITORY (marketplace)";

const NPM_NAME =
  /^(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const GITHUB_REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9_.-]*\/[A-Za-z0-9_.-]+$/;
/** `git@host:path`, as ssh has it. */
const SCP =
  /^([A-Za-z0-9_][A-Za-z0-9_.-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/;
/** A drive letter is no scheme. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]+:/;
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Parses a source. Throws `SOURCE_INVALID`, whose hint shows the accepted forms, or `SOURCE_REFUSED`. */
export function parseSource(text: string): SourceSpec {
  const spec = CONTROL.test(text) || text !== text.trim()
    ? null
    : parseNpm(text) ?? parseGit(text) ?? parseArchive(text) ??
      parseMarketplace(text) ?? parsePath(text);
  if (spec === null) throw notASource(text);
  return spec;
}

function notASource(text: string): AppError {
  return new AppError(
    "SOURCE_INVALID",
    `Cannot use ${quote(redact(text))} as a source: it has no known form`,
    { hint: `The forms are: ${FORMS}` },
  );
}

function badPart(text: string, state: string, hint: string): AppError {
  return new AppError(
    "SOURCE_INVALID",
    `Cannot use ${quote(redact(text))} as a source: ${state}`,
    { hint },
  );
}

/** `npm:…`. */
function parseNpm(text: string): NpmSpec | null {
  if (!text.startsWith("npm:")) return null;
  return parseNpmWords(text.slice(4), text);
}

/** `NAME[@WANTED]`; `whole` is what the user wrote. Throws `SOURCE_INVALID`. */
export function parseNpmWords(words: string, whole: string): NpmSpec {
  const at = words.indexOf("@", 1);
  const name = at < 0 ? words : words.slice(0, at);
  const wanted = at < 0 ? "" : words.slice(at + 1);
  const hint = "Write npm:PACKAGE, npm:PACKAGE@VERSION or npm:@SCOPE/PACKAGE";
  if (!NPM_NAME.test(name) || name.length > 214) {
    throw badPart(whole, `${quote(name)} is no package name`, hint);
  }
  if ((at >= 0 && wanted === "") || /[:/\\@#?]/.test(wanted)) {
    throw badPart(whole, `${quote(wanted)} is no version, range or tag`, hint);
  }
  return { kind: "npm", name, wanted };
}

/** `git+…`, and the plain address of a repository, which is refused with a hint. */
function parseGit(text: string): GitSpec | null {
  if (text.startsWith("git+")) return parseGitUrl(text.slice(4));
  if (/^git:/.test(text)) checkUrl(text, ["https"]);
  const isRepository = /^(?:ssh|https):\/\/.*\.git(?:#.*)?$/.test(text) ||
    text.startsWith("ssh:") || SCP.test(text);
  if (!isRepository) return null;
  const address = text.replace(SCP, "ssh://$1@$2/$3");
  throw badPart(
    text,
    "it is the address of a repository",
    `Write git+${redact(address)}`,
  );
}

/** An https, ssh or file address with an optional `#REF`. Throws `SOURCE_INVALID`, `SOURCE_REFUSED`. */
export function parseGitUrl(text: string): GitSpec {
  const hash = text.indexOf("#");
  const address = hash < 0 ? text : text.slice(0, hash);
  if (/^ssh:\/\/[^/]*:(?!\d+\/)/.test(address) && URL.parse(address) === null) {
    throw badPart(
      text,
      "what follows the colon is no port",
      `Write ${
        address.replace(/^(ssh:\/\/[^/]*):/, "git+$1/")
      } with a slash after the host`,
    );
  }
  const url = checkUrl(address, ["https", "ssh", "file"]);
  if (url.search !== "") {
    throw badPart(
      text,
      "the address of a repository has no parameters",
      "Take away what follows the question mark",
    );
  }
  const ref = hash < 0 ? "" : decodeRef(text, text.slice(hash + 1));
  return { kind: "git", url: url.href, ref: parseGitRef(ref) };
}

function decodeRef(text: string, ref: string): string {
  try {
    return decodeURIComponent(ref);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw badPart(
      text,
      "what follows # is not percent-encoded properly",
      "Write %25 for a percent sign",
    );
  }
}

/** Empty, `semver:RANGE`, a commit, or the name of a branch or tag. Throws `SOURCE_INVALID`. */
export function parseGitRef(text: string): GitRef {
  if (text === "" || text === "HEAD") return { type: "default" };
  if (text.startsWith("semver:")) {
    return { type: "semver", range: text.slice(7) };
  }
  if (COMMIT.test(text)) return { type: "commit", commit: text };
  if (!isRefName(text)) {
    throw new AppError(
      "SOURCE_INVALID",
      `Cannot use ${
        quote(text)
      } as a git ref: no branch or tag can be so called`,
      { hint: "Write #BRANCH, #TAG, #COMMIT or #semver:RANGE" },
    );
  }
  return { type: "name", name: text };
}

/** What git-check-ref-format(1) allows, as far as it matters on a command line. */
function isRefName(name: string): boolean {
  return !name.startsWith("-") &&
    !/[\s~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$/.test(name) &&
    !CONTROL.test(name) &&
    name.split("/").every((part) =>
      part !== "" && !part.startsWith(".") && !part.endsWith(".lock")
    );
}

/** `https://….tar.gz` and the like. */
function parseArchive(text: string): ArchiveSpec | null {
  if (/^http:/i.test(text)) checkUrl(text, ["https"]);
  if (!/^https:/i.test(text)) return null;
  const url = checkUrl(text, ["https"]);
  if (!ARCHIVE_ENDING.test(url.pathname)) {
    throw badPart(
      text,
      "it is neither an archive nor a repository",
      "Name a .tar.gz, .tgz, .tar or .zip file, or write git+https://… for a repository",
    );
  }
  if (text.includes("#")) {
    throw badPart(
      text,
      "the address of an archive has no fragment",
      "Take away what follows #",
    );
  }
  return { kind: "archive", url: url.href };
}

/** `PLUGIN@WHERE`: the `@` stands before any slash. */
function parseMarketplace(text: string): MarketplaceSpec | null {
  const match = /^([^@/:\\]+)@(.+)$/.exec(text);
  if (match === null) return null;
  const [, plugin = "", where = ""] = match;
  const problem = nameProblem(plugin);
  const market = problem === undefined ? parseMarket(where) : null;
  if (market === null) {
    throw badPart(
      text,
      problem === undefined
        ? `${quote(redact(where))} is no marketplace`
        : `${quote(plugin)} is no plugin name: ${problem}`,
      "Write PLUGIN@OWNER/REPOSITORY, PLUGIN@https://… or PLUGIN@./DIRECTORY for a marketplace, ./NAME for a path",
    );
  }
  return { kind: "marketplace", plugin, market };
}

function parseMarket(where: string): MarketplaceSpec["market"] | null {
  const repository = parseRepository(where);
  if (repository !== null) return repository;
  if (/^https?:/i.test(where)) {
    const url = checkUrl(where, ["https"]);
    return url.pathname.endsWith(".json")
      ? { kind: "catalog", url: url.href }
      : parseGitUrl(where);
  }
  return /^(\.\.?([/\\]|$)|\/|~\/|file:|[A-Za-z]:[\\/])/.test(where)
    ? parsePath(where)
    : null;
}

/** `OWNER/REPOSITORY`, `git@HOST:PATH`, `ssh://…` or `git+…`, each with `#REF`; null for anything else. */
export function parseRepository(text: string): GitSpec | null {
  if (text.startsWith("git+")) return parseGitUrl(text.slice(4));
  if (text.startsWith("ssh:")) return parseGitUrl(text);
  const [bare = "", ref] = text.split(/#(.*)/s);
  const rest = ref === undefined ? "" : "#" + ref;
  if (GITHUB_REPOSITORY.test(bare)) {
    const name = bare.replace(/\.git$/, "");
    return parseGitUrl(`https://github.com/${name}.git${rest}`);
  }
  return SCP.test(bare)
    ? parseGitUrl(bare.replace(SCP, "ssh://$1@$2/$3") + rest)
    : null;
}

/** Anything without a scheme, and `file:`. */
function parsePath(text: string): PathSpec | null {
  if (text.startsWith("file://")) return pathOfUrl(text);
  const path = text.replace(/^file:/, "");
  if (path === "" || (path === text && SCHEME.test(text))) return null;
  return { kind: "path", path };
}

function pathOfUrl(text: string): PathSpec {
  const rest = text.slice(7).replace(/^localhost(?=\/)/, "");
  // file://./x and file://~/x are no addresses, but everybody knows what they mean.
  if (!/^(\/|\.\.?\/|~\/)/.test(rest)) {
    throw badPart(
      text,
      "it names a host",
      "Write file:///PATH for an absolute path, file:PATH for a relative one",
    );
  }
  return { kind: "path", path: decoded(rest) };
}

/** Percent-encoding undone; a text that is none stays as it is. */
function decoded(text: string): string {
  try {
    const path = decodeURIComponent(text);
    return CONTROL.test(path) ? text : path;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}
