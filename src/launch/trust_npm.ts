/** The project's own `.npmrc`: it says where packages come from, and may send variables of the environment to hosts of its choice. */
import { type Item, makeItem } from "../trust/mod.ts";
import { join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import { readText } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";

/** What it is called in records and in what is shown. */
export const NPM_SETTINGS = "npm settings";

const MAX_BYTES = 1024 * 1024;
/** Settings whose values are secrets, unless they only name a variable. */
const SECRET_KEY = /(_auth|_authtoken|_password|username|:key|^key|otp)$/i;

/** What an untrusted project may say as well: where packages come from. */
const PLAIN = /^(@[^:=\s]+:)?registry\s*=\s*[^\s$]+$/;

/** What an env's `.npmrc` holds. */
export interface NpmSettings {
  /** SHA-256 of its text. */
  readonly hash: string;
  readonly item: Item;
}

/**
 * The settings that count when a project's packages are fetched; undefined where there are none that need trust, or no
 * package. Throws `IO`.
 */
export function npmSettings(env: OpenEnv): NpmSettings | undefined {
  const { plugins, skills } = env.manifest;
  const hasPackage = [...plugins, ...skills].some(({ source }) =>
    mayBePackage(source)
  );
  return hasPackage ? npmSettingsThere(env) : undefined;
}

/** The same for a project that may get its first package: what was not shown then is not trusted. Throws `IO`. */
export function npmSettingsThere(env: OpenEnv): NpmSettings | undefined {
  if (env.scope !== "project") return undefined;
  const text = readText(join(env.baseDir, ".npmrc"), MAX_BYTES);
  if (text === undefined) return undefined;
  const lines = text.split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "" && !/^[#;]/.test(line));
  if (lines.every((line) => PLAIN.test(line))) return undefined;
  const item = makeItem(NPM_SETTINGS, [
    ".npmrc, for fetching packages:",
    ...lines.map(withoutSecret),
  ]);
  return { hash: sha256Hex(text), item };
}

/** Packages, and plugins of marketplaces, which may be packages. */
function mayBePackage(source: string): boolean {
  return !/^(\.|\/|~|file:|git\+|https:)/.test(source);
}

function withoutSecret(line: string): string {
  const cut = line.indexOf("=");
  if (cut < 0) return line;
  const [key, value] = [line.slice(0, cut).trim(), line.slice(cut + 1).trim()];
  const isSecret = SECRET_KEY.test(key) &&
    !/^["']?\$\{[^}]*\}["']?$/.test(value);
  return isSecret ? `${key}=…` : line;
}
