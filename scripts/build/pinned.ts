/** Files from npm packages, taken only when both the package and the file inside have the hash written here. */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { capture, ScriptError } from "../support/script.ts";

/** One file of one npm package. */
export interface PinnedFile {
  /** `name@version`, exact. */
  readonly npmPackage: string;
  /** Subresource integrity of the package's tarball (`sha512-…`). */
  readonly integrity: string;
  /** Path inside the tarball. */
  readonly member: string;
  /** SHA-256 of the result, in hex. */
  readonly sha256: string;
  /** How many of the member's leading bytes make the result; all of them when left out. */
  readonly keep?: (bytes: Uint8Array) => number;
}

/** Throws `ScriptError` unless `bytes` have this SHA-256 (hex). */
export function checkSha256(
  bytes: Uint8Array,
  expected: string,
  options: { readonly label: string },
): void {
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== expected) {
    throw new ScriptError(
      `Cannot use "${options.label}": its SHA-256 is ${actual}, expected ${expected}`,
    );
  }
}

/** Throws `ScriptError` unless `bytes` have this integrity (`sha512-<base64>`). */
export function checkIntegrity(
  bytes: Uint8Array,
  expected: string,
  options: { readonly label: string },
): void {
  const actual = "sha512-" +
    createHash("sha512").update(bytes).digest("base64");
  if (actual !== expected) {
    throw new ScriptError(
      `Cannot use "${options.label}": its integrity is ${actual}, expected ${expected}`,
    );
  }
}

/**
 * Path of the pinned file, fetched with npm when the cache has none. Hashed at every use: the cache is only a copy.
 * Throws `ScriptError` when it cannot be fetched or has another hash.
 */
export async function obtainPinned(
  pinned: PinnedFile,
  path: string,
): Promise<string> {
  const cached = readIfPresent(path);
  if (cached !== undefined) {
    checkSha256(cached, pinned.sha256, { label: path });
    return path;
  }
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const scratch = await Deno.makeTempDir({
    dir: dirname(path),
    prefix: "get-",
  });
  try {
    const bytes = await fetchMember(pinned, scratch);
    const result = bytes.subarray(0, pinned.keep?.(bytes) ?? bytes.length);
    checkSha256(result, pinned.sha256, {
      label: `${pinned.npmPackage}/${pinned.member}`,
    });
    const finished = join(scratch, "finished");
    await Deno.writeFile(finished, result, { mode: 0o755 });
    await Deno.rename(finished, path);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  return path;
}

async function fetchMember(
  pinned: PinnedFile,
  scratch: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const pack = await capture("npm", [
    "pack",
    "--json",
    "--ignore-scripts",
    "--pack-destination",
    scratch,
    pinned.npmPackage,
  ], { cwd: scratch });
  if (!pack.success) {
    throw new ScriptError(
      `Cannot fetch "${pinned.npmPackage}" with npm: ${pack.stderr.trim()}`,
    );
  }
  const tarball = onlyTarball(scratch, pinned.npmPackage);
  checkIntegrity(await Deno.readFile(tarball), pinned.integrity, {
    label: pinned.npmPackage,
  });
  const untar = await capture("tar", [
    "-xzf",
    tarball,
    "-C",
    scratch,
    pinned.member,
  ]);
  if (!untar.success) {
    throw new ScriptError(
      `Cannot unpack "${pinned.npmPackage}": ${untar.stderr.trim()}`,
    );
  }
  return await Deno.readFile(join(scratch, pinned.member));
}

function onlyTarball(directory: string, npmPackage: string): string {
  const names = [...Deno.readDirSync(directory)].map((entry) => entry.name);
  const tarball = names.find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) {
    throw new ScriptError(
      `Cannot fetch "${npmPackage}" with npm: no tarball was written`,
    );
  }
  return join(directory, tarball);
}

function readIfPresent(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
