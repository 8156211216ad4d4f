/**
 * Where the package managers of this machine get packages from, by their own settings and defaults: no registry is named here.
 * Nothing that a sandbox may write is run or believed, or the next launch would allow what the last one wished for.
 */
import {
  type AbsPath,
  isAbsolutePath,
  isWithin,
  join,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
  resolveFrom,
} from "../../base/paths.ts";
import {
  isDirectory,
  isExecutable,
  makeDir,
  randomHex,
  readText,
  realPath,
  removeTree,
  writeNew,
} from "../../os/fs.ts";
import type { Host } from "../../os/host.ts";
import { readNames } from "../../os/names.ts";
import { run } from "../../os/process.ts";
import type { PackagePreset } from "./presets.ts";

/** What is asked, and where. */
export interface PackageQuery {
  readonly host: Pick<Host, "env" | "home">;
  /** Paths that a sandbox may write, such as the project. */
  readonly writable: readonly AbsPath[];
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 1024 * 1024;
const ROOT = "/" as AbsPath;

/** Addresses of the indexes and files that pip, cargo or go would use; none when nothing is known. npm's are known to `sources`. */
export async function packageUrls(
  preset: Exclude<PackagePreset, "@npm">,
  query: PackageQuery,
): Promise<string[]> {
  switch (preset) {
    case "@pypi":
      return await pipUrls(query);
    case "@crates":
      return await cargoUrls(query);
    case "@go":
      return await goUrls(query);
  }
}

/** Prints pip's index addresses, and for its own default also where the files lie. */
const PIP_SCRIPT = `
import json
from pip._internal.configuration import Configuration
from pip._internal.models.index import PyPI
settings = Configuration(isolated=False)
settings.load()
def last(name):
    return [v for k, v in settings.items() if k.split(".", 1)[1] == name][-1:]
index = last("index-url")
extra = " ".join(last("extra-index-url")).split()
own = [PyPI.simple_url, "https://" + PyPI.file_storage_domain]
print(json.dumps((index or own) + extra))
`;

async function pipUrls(query: PackageQuery): Promise<string[]> {
  const { env } = query.host;
  const fromUv = [env["UV_DEFAULT_INDEX"], env["UV_INDEX_URL"]]
    .filter((url) => url !== undefined && url !== "") as string[];
  const output = await ask("python3", ["-I", "-c", PIP_SCRIPT], query);
  const fromPip = output === undefined ? [] : JSON.parse(output) as unknown;
  const urls = Array.isArray(fromPip) ? fromPip.map(String) : [];
  return webUrls([...fromUv, ...urls]);
}

async function goUrls(query: PackageQuery): Promise<string[]> {
  const output = await ask("go", ["env", "GOPROXY", "GOSUMDB"], query);
  const [proxies = "", sums = ""] = (output ?? "").split("\n");
  // `NAME[+KEY] [ADDRESS]`, or `off`.
  const [name = "", address] = sums.trim().split(/\s+/);
  const host = name.split("+")[0]!;
  const database = address ?? (host.includes(".") ? `https://${host}` : "");
  return webUrls([...proxies.split(/[,|]/), database]);
}

async function cargoUrls(query: PackageQuery): Promise<string[]> {
  const { env } = query.host;
  const home = env["CARGO_HOME"]
    ? resolveFrom(query.host.home(), env["CARGO_HOME"])
    : join(query.host.home(), ".cargo");
  const named = Object.entries(env)
    .filter(([name]) => /^CARGO_REGISTRIES_\w+_INDEX$/.test(name))
    .map(([, value]) => value);
  const settings = [join(home, "config.toml"), join(home, "config")]
    .flatMap((path) => isSafe(path, query) ? [readText(path, MAX_BYTES)] : [])
    .join("\n");
  const written = settings.matchAll(
    /^\s*(?:registry|index)\s*=\s*["']([^"']+)["']/gm,
  );
  const addresses = [...named, ...[...written].map(([, url]) => url!)]
    .map((address) => address.replace(/^(sparse|registry)\+/, ""));
  const known = webUrls([...addresses, ...usedByCargo(home, query)]);
  return known.length > 0 ? known : webUrls(await askCargo(settings, query));
}

/** What cargo's own default says of itself, which cargo asks it for: in an empty home, where no sandbox has been. */
async function askCargo(
  settings: string,
  query: PackageQuery,
): Promise<string[]> {
  const temp = query.host.env["TMPDIR"] || "/tmp";
  if (!isAbsolutePath(temp) || !isDirectory(temp)) return [];
  if (find("cargo", query) === undefined) return [];
  const name = `aenv-cargo-${randomHex(16)}`;
  const home = join(parseAbsPath(temp, "TMPDIR"), name);
  if (!isSafe(home, query)) return [];
  try {
    makeDir(home);
    // How it reaches the network.
    writeNew(join(home, "config.toml"), settings);
    const env = { ...query.host.env, CARGO_HOME: home, CARGO_NET_RETRY: "0" };
    const host = { ...query.host, env };
    const args = ["search", "--quiet", "--limit", "1", "a"];
    // Whether it finds anything does not matter.
    await ask("cargo", args, { ...query, host });
    return usedByCargo(home, query);
  } finally {
    removeTree(home);
  }
}

/** What cargo has used so far: directories `HOST-HASH`, with the addresses of files and of the API inside. */
function usedByCargo(home: AbsPath, query: PackageQuery): string[] {
  const dir = join(home, "registry", "index");
  if (!isSafe(dir, query) || realPath(dir) === undefined) return [];
  return readNames(dir).flatMap(({ name }) => {
    const host = /^(.+\..+)-[0-9a-f]{16}$/.exec(name)?.[1];
    if (host === undefined) return [];
    const text = readText(join(dir, name, "config.json"), MAX_BYTES) ?? "";
    const urls = text.matchAll(/"(?:dl|api)"\s*:\s*"([^"]+)"/g);
    return [`https://${host}`, ...[...urls].map(([, url]) => url!)];
  });
}

/** What a program prints; undefined when there is none, or it fails. */
async function ask(
  program: string,
  args: readonly string[],
  query: PackageQuery,
): Promise<string | undefined> {
  const path = find(program, query);
  if (path === undefined) return undefined;
  // Not in the project: settings there are the project's, and could name another version of the program itself.
  const env = { ...query.host.env, GOTOOLCHAIN: "local", GOWORK: "off" };
  const done = await run(path, args, { cwd: ROOT, env, timeout: TIMEOUT_MS });
  return done.code === 0 ? done.stdout : undefined;
}

function find(program: string, query: PackageQuery): AbsPath | undefined {
  const path = query.host.env["PATH"] ?? "";
  for (const dir of path.split(PATH_LIST_SEPARATOR)) {
    if (!isAbsolutePath(dir)) continue;
    const file = join(parseAbsPath(dir, "a directory of PATH"), program);
    if (isExecutable(file) && isSafe(file, query)) return file;
  }
  return undefined;
}

/** Whether no sandbox can have written it. */
function isSafe(path: AbsPath, { writable }: PackageQuery): boolean {
  const real = realPath(path) ?? path;
  return !writable.some((dir) => isWithin(path, dir) || isWithin(real, dir));
}

/** Those of the addresses that are http or https. */
function webUrls(addresses: readonly string[]): string[] {
  const urls = addresses.map((address) => address.trim())
    .filter((address) => /^https?:\/\//.test(address));
  return [...new Set(urls)];
}
