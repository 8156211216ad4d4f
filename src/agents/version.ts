/** The version of an installed agent. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { ensureDir, readText, stat, writeAtomic } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { run } from "../os/process.ts";

/** Longest time `--version` may take, in milliseconds. */
const TIMEOUT = 20_000;

/** Version of the program at `path`, asked once per file: kept in the cache by device, inode, size and time. Throws `AGENT_INCOMPATIBLE` when it does not say. */
export async function agentVersion(
  path: AbsPath,
  host: Host,
  dirs: Dirs,
): Promise<string> {
  const info = stat(path);
  const identity =
    `${path}:${info?.dev}:${info?.ino}:${info?.size}:${info?.mtime}`;
  const cache = readCache(dirs);
  const known = cache[identity];
  if (known !== undefined) return known;
  const result = await run(path, ["--version"], {
    env: host.env,
    timeout: TIMEOUT,
  });
  const version = /\b(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\b/.exec(result.stdout)
    ?.[1];
  if (version === undefined) {
    throw new AppError(
      "AGENT_INCOMPATIBLE",
      `Cannot tell the version of ${quote(path)}: --version did not print one`,
    );
  }
  ensureDir(dirs.cache);
  // Only the newest entries: one per program that was ever installed would pile up.
  const entries = [...Object.entries(cache).slice(-20), [identity, version]];
  writeAtomic(
    dirs.agentVersions,
    JSON.stringify(Object.fromEntries(entries)) + "\n",
  );
  return version;
}

function readCache(dirs: Dirs): Record<string, string> {
  const text = readText(dirs.agentVersions);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch (error) {
    // A cache that cannot be read is made anew.
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}

/** Why the installed version is outside `range` (commas mean "and"), in a few words; undefined when it is inside. Throws `MANIFEST_INVALID` for a range that cannot be read. */
export async function compatProblem(
  version: string,
  range: string,
): Promise<string | undefined> {
  const { default: semver } = await import("semver");
  const spaced = range.replaceAll(",", " ");
  if (semver.validRange(spaced) === null) {
    throw new AppError(
      "MANIFEST_INVALID",
      `Cannot read the version range ${quote(range)}: it is not a range`,
    );
  }
  // A pre-release counts as its version: 2.2.0-beta.1 is not "outside" >=2.1.
  if (semver.satisfies(version, spaced, { includePrerelease: true })) {
    return undefined;
  }
  return `version ${version} is outside ${range}`;
}
