/** A resolution as one line of text: for the lock, and for people. Pure. */
import { AppError } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { quote } from "../base/text.ts";
import type {
  ArchivePin,
  CatalogPin,
  GitPin,
  MarketplacePin,
  NpmPin,
  PathPin,
  PlainPin,
  Resolution,
} from "./source.ts";
import { checkUrl } from "./url.ts";

/** Between a plugin, its marketplace and its own source. Stands in no part: their spaces are encoded. */
const BAR = " | ";

/**
 * The text form, always the same for the same pin:
 * `npm:NAME@VERSION integrity=…`, `git+URL commit=… ref=…`, `URL sha256=…`, `path:PATH`,
 * `marketplace:PLUGIN subpath=… overlay=… | MARKETPLACE | SOURCE`.
 */
export function formatPin(pin: Resolution): string {
  if (pin.kind !== "marketplace") return formatPlain(pin);
  const head = line(`marketplace:${encode(pin.plugin)}`, {
    subpath: pin.subpath,
    overlay: pin.overlay,
  });
  return [head, formatPlain(pin.market), formatPlain(pin.inner)].join(BAR);
}

function formatPlain(pin: PlainPin | CatalogPin): string {
  switch (pin.kind) {
    case "npm": {
      const { integrity, registry } = pin;
      return line(`npm:${pin.name}@${pin.version}`, { integrity, registry });
    }
    case "git": {
      const ref = pin.ref === "HEAD" ? undefined : pin.ref;
      return line(`git+${pin.url}`, { commit: pin.commit, ref });
    }
    case "archive":
      return line(pin.url, { sha256: pin.sha256 });
    case "catalog":
      return line(`catalog:${pin.url}`, { sha256: pin.sha256 });
    case "path":
      return `path:${encode(pin.path)}`;
  }
}

function line(
  head: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  const words = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encode(value)}`]
  );
  return [head, ...words].join(" ");
}

/** Spaces, percent signs and everything but printable ASCII as `%XX`. */
function encode(text: string): string {
  return text.replace(
    /[^!-$&-~]+/g,
    (part) => encodeURIComponent(part.toWellFormed()),
  );
}

/** Reads what {@link formatPin} wrote. Throws `SOURCE_INVALID`, `SOURCE_REFUSED`. */
export function parsePin(text: string): Resolution {
  const [head = "", market, inner, ...rest] = text.split(BAR);
  const pin = market === undefined || inner === undefined || rest.length > 0
    ? parsePlain(text)
    : parseMarketplacePin(head, { market, inner });
  // One pin has one form, so that a lock has one too.
  if (pin.kind === "catalog" || formatPin(pin) !== text) throw notAPin(text);
  return pin;
}

function parseMarketplacePin(
  head: string,
  parts: { readonly market: string; readonly inner: string },
): MarketplacePin {
  const { first, values } = wordsOf(head, ["subpath", "overlay"]);
  const market = parsePlain(parts.market);
  const inner = parsePlain(parts.inner);
  const isMarket = market.kind === "git" || market.kind === "catalog" ||
    market.kind === "path";
  if (
    !first.startsWith("marketplace:") || !isMarket || inner.kind === "catalog"
  ) throw notAPin(head);
  const { subpath, overlay } = values;
  return {
    kind: "marketplace",
    plugin: decode(first.slice(12)),
    market,
    inner,
    ...(subpath === undefined ? {} : { subpath }),
    ...(overlay === undefined ? {} : { overlay }),
  };
}

function parsePlain(text: string): PlainPin | CatalogPin {
  const scheme = /^(npm|git\+|https|catalog|path)/.exec(text)?.[1];
  switch (scheme) {
    case "npm":
      return parseNpmPin(text);
    case "git+":
      return parseGitPin(text);
    case "https":
      return parseHashed(text, { prefix: "", kind: "archive" }) as ArchivePin;
    case "catalog":
      return parseHashed(text, {
        prefix: "catalog:",
        kind: "catalog",
      }) as CatalogPin;
    case "path":
      return parsePathPin(text);
    default:
      throw notAPin(text);
  }
}

function parseNpmPin(text: string): NpmPin {
  const { first, values } = wordsOf(text, ["integrity", "registry"]);
  const match = /^npm:((?:@[^/@]+\/)?[^/@]+)@([0-9][^@/]*)$/.exec(first);
  const [, name, version] = match ?? [];
  const { integrity, registry } = values;
  const isHash = /^sha(1|256|384|512)-[A-Za-z0-9+/]+=*$/.test(integrity ?? "");
  if (!name || !version || !integrity || !isHash) throw notAPin(text);
  if (registry !== undefined) checkUrl(registry, ["https"]);
  const own = registry === undefined ? {} : { registry };
  return { kind: "npm", name, version, integrity, ...own };
}

function parseGitPin(text: string): GitPin {
  const { first, values } = wordsOf(text, ["commit", "ref"]);
  const { commit = "", ref = "HEAD" } = values;
  const isCommit = /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit);
  const isRef = ref === "HEAD" || /^refs\/[^\s:^~?*[\\]+$/.test(ref);
  if (!isCommit || !isRef) throw notAPin(text);
  const url = checkUrl(first.slice(4), ["https", "ssh", "file"]).href;
  return { kind: "git", url, commit, ref };
}

function parseHashed(
  text: string,
  form: { readonly prefix: string; readonly kind: "archive" | "catalog" },
): ArchivePin | CatalogPin {
  const { first, values } = wordsOf(text, ["sha256"]);
  const { sha256 = "" } = values;
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw notAPin(text);
  const url = checkUrl(first.slice(form.prefix.length), ["https"]).href;
  return { kind: form.kind, url, sha256 };
}

function parsePathPin(text: string): PathPin {
  const { first } = wordsOf(text, []);
  const path = decode(first.slice(5));
  if (path === "" || path.includes("\0")) throw notAPin(text);
  return { kind: "path", path };
}

/** The first word, and the `name=value` words after it, of which only `names` are known. */
function wordsOf<Name extends string>(
  text: string,
  names: readonly Name[],
): { first: string; values: Partial<Record<Name, string>> } {
  const [first = "", ...rest] = text.split(" ");
  const values: Partial<Record<Name, string>> = {};
  for (const word of rest) {
    const at = word.indexOf("=");
    const name = names.find((known) => known === word.slice(0, at));
    if (name === undefined) throw notAPin(text);
    values[name] = decode(word.slice(at + 1));
  }
  return { first, values };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw notAPin(text);
  }
}

function notAPin(text: string): AppError {
  return new AppError(
    "SOURCE_INVALID",
    `Cannot read ${
      quote(redact(text))
    } as a pinned source: it has no known form`,
    { hint: "Let it be written anew: aenv lock" },
  );
}

/** A few words for people: what is pinned, and to what. */
export function describePin(pin: Resolution): string {
  switch (pin.kind) {
    case "npm":
      return `${pin.name}@${pin.version} from npm`;
    case "git": {
      const ref = pin.ref.replace(/^refs\/(heads|tags)\//, "");
      return `${pin.url} at ${pin.commit.slice(0, 12)} (${ref})`;
    }
    case "archive":
      return `${pin.url} (sha256 ${pin.sha256.slice(0, 12)}…)`;
    case "path":
      return pin.path;
    case "marketplace":
      return `${pin.plugin} of the marketplace ${describeMarket(pin.market)}`;
  }
}

function describeMarket(market: MarketplacePin["market"]): string {
  return market.kind === "catalog" ? market.url : describePin(market);
}

/** A version, a tag, or the first digits of a commit or hash: enough to tell two pins of one source apart. */
export function shortPin(pin: Resolution): string {
  switch (pin.kind) {
    case "npm":
      return pin.version;
    case "git": {
      const commit = pin.commit.slice(0, 12);
      const tag = /^refs\/tags\/(.+)$/.exec(pin.ref)?.[1];
      return tag === undefined ? commit : `${tag} (${commit})`;
    }
    case "archive":
      return pin.sha256.slice(0, 12);
    case "path":
      return pin.path;
    case "marketplace":
      return shortPin(pin.inner);
  }
}

/** Whether a pin names a place on this machine, whose files may change under it. */
export function isPathPin(pin: Resolution): boolean {
  return (pin.kind === "marketplace" ? pin.inner : pin).kind === "path";
}
