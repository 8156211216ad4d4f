/** What a registry says of a package, and which of its versions is meant. */
import getAuth from "npm-registry-fetch/lib/auth.js";
import npmDefaults from "npm-registry-fetch/lib/default-opts.js";
import npa from "npm-package-arg";
import semver from "semver";
import ssri from "ssri";
import { AppError } from "../../base/errors.ts";
import { didYouMean, quote } from "../../base/text.ts";
import { isExempt, withScheme } from "../network_env.ts";
import { remember, type SourceContext } from "../source.ts";
import { checkUrl, quoteUrl } from "../url.ts";
import { Web, type WebSettings } from "../web.ts";
import { type NpmConfig, readNpmConfig } from "./config.ts";

/** One version, as far as we read it. */
export interface PackageVersion {
  readonly version: string;
  readonly deprecated: string | undefined;
  readonly integrity: string;
  readonly tarball: string;
}

/** The registry for one package, with everything needed to talk to it. */
export interface Registry {
  readonly url: string;
  readonly config: NpmConfig;
  readonly settings: WebSettings;
}

interface Packument {
  readonly "dist-tags"?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, unknown>>;
}

/** What npm's own code makes of the settings for an address. */
interface Login {
  readonly token: string | null;
  readonly auth: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** The short form of a packument, where the registry has one. */
const ACCEPT =
  "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
const MAX_PACKUMENT_BYTES = 64 * 1024 * 1024;

/** The registry that npm's configuration, or the marketplace, names for this package. Throws `SOURCE_REFUSED`. */
export function registryFor(
  name: string,
  own: string | undefined,
  context: SourceContext,
): Registry {
  const config = readNpmConfig(context);
  const { values } = config;
  const { scope } = npa(name) as { scope: string | null };
  const named = own ??
    (scope === null ? undefined : values[`${scope}:registry`]) ??
    values["registry"] ?? npmDefaults.registry as string;
  const url = named.endsWith("/") ? named : named + "/";
  checkRegistryUrl(new URL(url));
  const login = loginFor(new URL(url), { values, url });
  const identity = login.cert && login.key
    ? { cert: login.cert, key: login.key }
    : undefined;
  return {
    url,
    config,
    settings: {
      caCerts: config.caCerts,
      identity,
      proxyFor: (target) => npmProxy(target, values),
      headersFor: (target) => headersOf(loginFor(target, { values, url })),
      check: checkRegistryUrl,
    },
  };
}

/** Plain http only on this machine, where nobody is in between. */
function checkRegistryUrl(url: URL): void {
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (isLocal && url.protocol === "http:") return;
  checkUrl(url.href, ["https"]);
}

function loginFor(
  target: URL,
  registry: { readonly values: NpmConfig["values"]; readonly url: string },
): Login {
  const options = { ...registry.values, registry: registry.url };
  return getAuth(target.href, options) as Login;
}

function headersOf(login: Login): Record<string, string> {
  if (login.token) return { authorization: `Bearer ${login.token}` };
  return login.auth ? { authorization: `Basic ${login.auth}` } : {};
}

function npmProxy(
  url: URL,
  values: NpmConfig["values"],
): string | undefined {
  if (isExempt(url, values["noproxy"] ?? "")) return undefined;
  const own = url.protocol === "https:" ? values["https-proxy"] : undefined;
  const proxy = own ?? values["proxy"];
  return proxy === "null" || proxy === "false" ? undefined : withScheme(proxy);
}

/** Asks the registry for all versions of a package, once per command. Throws `SOURCE_*`. */
async function packumentOf(
  name: string,
  registry: Registry,
  context: SourceContext,
): Promise<Packument> {
  return await remember(context, `npm ${registry.url} ${name}`, async () => {
    context.progress({ type: "step", text: `looking up ${name}` });
    using web = new Web(context, registry.settings);
    const { escapedName } = npa(name) as { escapedName: string };
    const url = new URL(escapedName, registry.url);
    const text = await web.text(url, {
      maxBytes: MAX_PACKUMENT_BYTES,
      accept: ACCEPT,
    });
    return parsePackument(text, name, url);
  });
}

function parsePackument(text: string, name: string, url: URL): Packument {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new AppError(
    "SOURCE_UNREACHABLE",
    `Cannot look up the package ${quote(name)}: ${
      quoteUrl(url.href)
    } does not answer as an npm registry`,
    { hint: "Check the registry: npm config get registry" },
  );
}

/** The version that a version, range or tag means, as npm chooses it. Throws `SOURCE_NOT_FOUND`, `SOURCE_*`. */
export async function findVersion(
  spec: { readonly name: string; readonly wanted: string },
  registry: Registry,
  context: SourceContext,
): Promise<PackageVersion> {
  const { name } = spec;
  const packument = await explaining(
    registry,
    name,
    () => packumentOf(name, registry, context),
  );
  const versions = packument.versions ?? {};
  const tags = packument["dist-tags"] ?? {};
  const defaultTag = registry.config.values["tag"] ?? "latest";
  const wanted = spec.wanted === "" ? defaultTag : spec.wanted;
  const version = pickVersion(wanted, { versions, tags, defaultTag });
  if (version === undefined) throw noVersion(name, wanted, { versions, tags });
  return readVersion(name, version, versions[version]);
}

/** What npm-pick-manifest does: the default tag where the range allows it, else the highest; deprecated ones last. */
function pickVersion(
  wanted: string,
  known: {
    readonly versions: Readonly<Record<string, unknown>>;
    readonly tags: Readonly<Record<string, string>>;
    readonly defaultTag: string;
  },
): string | undefined {
  const { versions, tags } = known;
  const has = (version: string | undefined) =>
    version !== undefined && Object.hasOwn(versions, version)
      ? version
      : undefined;
  const exact = semver.valid(wanted, { loose: true });
  if (exact !== null) return has(exact);
  if (semver.validRange(wanted, { loose: true }) === null) {
    return Object.hasOwn(tags, wanted) ? has(tags[wanted]) : undefined;
  }
  const fits = Object.keys(versions)
    .filter((v) => semver.satisfies(v, wanted, { loose: true }));
  const isDeprecated = (v: string) =>
    Boolean((versions[v] as { deprecated?: unknown }).deprecated);
  const tagged = tags[known.defaultTag];
  if (tagged !== undefined && fits.includes(tagged) && !isDeprecated(tagged)) {
    return tagged;
  }
  const current = fits.filter((v) => !isDeprecated(v));
  const candidates = current.length > 0 ? current : fits;
  return candidates.sort((a, b) => semver.rcompare(a, b, true))[0];
}

function noVersion(
  name: string,
  wanted: string,
  known: {
    readonly versions: Readonly<Record<string, unknown>>;
    readonly tags: Readonly<Record<string, string>>;
  },
): AppError {
  const versions = Object.keys(known.versions);
  const state = versions.length === 0
    ? "it has no versions, they were all taken back"
    : `it has no version ${quote(wanted)}`;
  const newest = versions.sort((a, b) => semver.rcompare(a, b, true))[0];
  const meant = didYouMean(wanted, Object.keys(known.tags));
  const hint = meant !== undefined
    ? `Did you mean ${quote(meant)}`
    : newest === undefined
    ? undefined
    : `The highest is ${newest}`;
  return new AppError(
    "SOURCE_NOT_FOUND",
    `Cannot find the package ${quote(`${name}@${wanted}`)}: ${state}`,
    { hint },
  );
}

function readVersion(
  name: string,
  version: string,
  value: unknown,
): PackageVersion {
  const { dist, deprecated } = value as {
    dist?: { tarball?: unknown; integrity?: unknown; shasum?: unknown };
    deprecated?: unknown;
  };
  const tarball = dist?.tarball;
  const integrity = typeof dist?.integrity === "string"
    ? dist.integrity
    : typeof dist?.shasum === "string"
    ? String(ssri.fromHex(dist.shasum, "sha1"))
    : "";
  if (typeof tarball !== "string" || integrity === "") {
    throw new AppError(
      "SOURCE_UNREACHABLE",
      `Cannot use the package ${
        quote(`${name}@${version}`)
      }: its registry gives no tarball or no integrity`,
    );
  }
  return {
    version,
    tarball,
    integrity: strongest(integrity),
    deprecated: typeof deprecated === "string" && deprecated !== ""
      ? deprecated
      : undefined,
  };
}

/** Only the hash of the strongest algorithm; a registry may give several. */
function strongest(integrity: string): string {
  const parsed = ssri.parse(integrity);
  const hashes = parsed[parsed.pickAlgorithm()] as { toString(): string }[];
  return String(hashes[0]);
}

/** Where the tarball is for us: a mirror often passes on addresses of the registry that it mirrors. */
export function tarballUrl(tarball: string, registry: Registry): URL {
  const url = new URL(tarball);
  const replaced = registry.config.values["replace-registry-host"] ?? "npmjs";
  const isDefault = url.host === new URL(npmDefaults.registry as string).host;
  const mustMove = replaced === "always" || replaced === url.hostname ||
    (replaced === "npmjs" && isDefault);
  if (!mustMove) return url;
  return new URL(url.pathname.replace(/^\//, "") + url.search, registry.url);
}

/** Adds to a refusal by the registry which setting could be missing. */
export async function explaining<T>(
  registry: Registry,
  name: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const isLogin = error instanceof AppError &&
      (error.code === "SOURCE_DENIED" || error.code === "SOURCE_NOT_FOUND");
    const isTls = error instanceof AppError &&
      error.code === "SOURCE_UNREACHABLE" &&
      error.message.includes("certificate");
    if (!isLogin && !isTls) throw error;
    throw new AppError(error.code, error.message, {
      cause: error.cause,
      hint: isTls ? tlsHint(registry) : loginHint(registry, name),
    });
  }
}

function loginHint(registry: Registry, name: string): string {
  const { host } = new URL(registry.url);
  if (registry.config.withheld.length > 0) {
    return `The project's .npmrc sets ${
      quote(registry.config.withheld[0]!)
    }, which counts once aenv.toml declares the package and you trust the project (aenv trust); or set it in your own ~/.npmrc`;
  }
  return `Is it ${
    quote(name)
  } at ${host}, and are you logged in there? npm login --registry ${
    quoteUrl(registry.url)
  }`;
}

function tlsHint(registry: Registry): string {
  return registry.config.values["strict-ssl"] === "false"
    ? "strict-ssl=false is not obeyed here; name the certificate authority's file: npm config set cafile /path/to/ca.pem"
    : "Name the certificate authority's file: npm config set cafile /path/to/ca.pem";
}
