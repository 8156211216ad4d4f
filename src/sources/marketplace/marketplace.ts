/** Plugins by way of a marketplace. */
import { AppError } from "../../base/errors.ts";
import { join } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import { readText } from "../../os/fs.ts";
import { downloadHashed, resolveArchive } from "../archive/archive.ts";
import { readGitFile, resolveGit } from "../git/git.ts";
import { locate, resolvePath } from "../local_path.ts";
import { resolveNpm } from "../npm/npm.ts";
import { describePin } from "../pin.ts";
import type {
  MarketplacePin,
  MarketplaceSpec,
  PlainPin,
  SourceContext,
} from "../source.ts";
import {
  type Catalog,
  CATALOG_FILE,
  findEntry,
  parseCatalog,
} from "./catalog.ts";
import { overlayOf } from "./overlay.ts";
import { placeOf, type PluginPlace } from "./place.ts";

/** The plugin and its marketplace as they are now. Throws `SOURCE_*`, `CONTENT_INVALID`. */
export async function resolveMarketplace(
  spec: MarketplaceSpec,
  context: SourceContext,
): Promise<MarketplacePin> {
  const { plugin } = spec;
  const { pin: market, catalog } = await openMarket(spec.market, context);
  const entry = findEntry(catalog, plugin);
  const place = placeOf(entry, catalog);
  const isInside = place.spec.kind === "inside";
  const inner = await resolveInner(place, { market, catalog, plugin }, context);
  const isWholeMarketplace = isInside && place.subpath === undefined;
  const overlay = overlayOf(entry, { isWholeMarketplace });
  return {
    kind: "marketplace",
    plugin,
    market,
    inner,
    ...(place.subpath === undefined ? {} : { subpath: place.subpath }),
    ...(overlay === undefined ? {} : { overlay }),
  };
}

interface Market {
  readonly pin: MarketplacePin["market"];
  readonly catalog: Catalog;
}

async function openMarket(
  spec: MarketplaceSpec["market"],
  context: SourceContext,
): Promise<Market> {
  switch (spec.kind) {
    case "git": {
      const pin = await resolveGit(spec, context);
      const text = await readGitFile(pin, CATALOG_FILE, context);
      return { pin, catalog: catalogFrom(text, describePin(pin)) };
    }
    case "catalog": {
      const { url } = spec;
      const { file, sha256 } = await downloadHashed(url, context);
      const pin = { kind: "catalog", url, sha256 } as const;
      return { pin, catalog: catalogFrom(readText(file), url) };
    }
    case "path": {
      const pin = resolvePath(spec, context);
      const { path } = locate(spec.path, context);
      const text = readText(join(path, CATALOG_FILE));
      return { pin, catalog: catalogFrom(text, pin.path) };
    }
  }
}

function catalogFrom(text: string | undefined, what: string): Catalog {
  if (text !== undefined) return parseCatalog(text, what);
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use ${quote(what)} as a marketplace: there is no ${
      quote(CATALOG_FILE)
    } in it`,
    { hint: "For a plugin without a marketplace write git+https://…" },
  );
}

async function resolveInner(
  place: PluginPlace,
  market: {
    readonly market: MarketplacePin["market"];
    readonly catalog: Catalog;
    readonly plugin: string;
  },
  context: SourceContext,
): Promise<PlainPin> {
  const { spec } = place;
  switch (spec.kind) {
    case "inside":
      return insideOf(market);
    case "npm": {
      const { tarball: _, ...pin } = await resolveNpm(spec, context);
      return pin;
    }
    case "archive":
      return await resolveArchive(spec, context);
    case "git":
      refuseLocal(spec.url, market);
      return await resolveGit(spec, context);
  }
}

function insideOf(
  { market, catalog, plugin }: {
    readonly market: MarketplacePin["market"];
    readonly catalog: Catalog;
    readonly plugin: string;
  },
): PlainPin {
  if (market.kind !== "catalog") return market;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use the plugin ${quote(plugin)} of ${
      quote(catalog.what)
    }: its source is a path, and this marketplace is one file`,
    { hint: "Name the marketplace's repository: NAME@https://HOST/REPOSITORY" },
  );
}

/** A marketplace from elsewhere must not make us read this machine. */
function refuseLocal(
  url: string,
  { market, plugin }: {
    readonly market: MarketplacePin["market"];
    readonly plugin: string;
  },
): void {
  const isLocal = market.kind === "path" ||
    (market.kind === "git" && market.url.startsWith("file:"));
  if (isLocal || !url.startsWith("file:")) return;
  throw new AppError(
    "SOURCE_REFUSED",
    `Cannot use the plugin ${
      quote(plugin)
    }: its marketplace is elsewhere, and names a repository on this machine`,
  );
}
