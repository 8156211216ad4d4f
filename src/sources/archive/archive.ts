/** Archives on web servers. */
import { AppError } from "../../base/errors.ts";
import type { AbsPath } from "../../base/paths.ts";
import { quoteUrl } from "../url.ts";
import {
  type ArchivePin,
  type ArchiveSpec,
  remember,
  type SourceContext,
} from "../source.ts";
import { Web } from "../web.ts";

/** What is at the address now. Throws `SOURCE_MISMATCH` where the source says what it must hash to, `SOURCE_*`. */
export async function resolveArchive(
  spec: ArchiveSpec,
  context: SourceContext,
): Promise<ArchivePin> {
  const { url } = spec;
  const { sha256 } = await downloadHashed(url, context);
  if (spec.sha256 !== undefined && spec.sha256 !== sha256) {
    throw mismatch(url, { wanted: spec.sha256, found: sha256 });
  }
  return { kind: "archive", url, sha256 };
}

/** The pinned archive as a file. Throws `SOURCE_MISMATCH`, `SOURCE_*`. */
export async function downloadPinned(
  pin: { readonly url: string; readonly sha256: string },
  context: SourceContext,
): Promise<AbsPath> {
  const { file, sha256 } = await downloadHashed(pin.url, context);
  if (sha256 === pin.sha256) return file;
  throw mismatch(pin.url, { wanted: pin.sha256, found: sha256 });
}

/** Saves what is at an address, once per command. */
export async function downloadHashed(
  url: string,
  context: SourceContext,
): Promise<{ file: AbsPath; sha256: string }> {
  return await remember(context, `download ${url}`, async () => {
    context.progress({ type: "step", text: `fetching ${url}` });
    using web = new Web(context);
    const algorithms = ["sha256"];
    const { file, digest } = await web.download(new URL(url), { algorithms });
    return { file, sha256: digest("sha256", "hex") };
  });
}

function mismatch(
  url: string,
  hashes: { readonly wanted: string; readonly found: string },
): AppError {
  return new AppError(
    "SOURCE_MISMATCH",
    `Cannot take ${
      quoteUrl(url)
    }: it hashes to ${hashes.found}, and ${hashes.wanted} is pinned`,
    { hint: "Ask who publishes it, or move the pin: aenv update" },
  );
}
