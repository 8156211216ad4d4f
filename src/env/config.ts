/** `$AENV_HOME/config.toml`. */
import { AppError } from "../base/errors.ts";
import type { Dirs } from "../base/dirs.ts";
import { GLOBAL, parseEnvName } from "../base/ids.ts";
import { type AbsPath, parseAbsPath } from "../base/paths.ts";
import { didYouMean, quote } from "../base/text.ts";
import { parseTomlText } from "../manifest/mod.ts";
import { readText } from "../os/fs.ts";

/** The user's settings for all envs. */
export interface Config {
  /** An env's name or `global`. */
  readonly defaultEnv: string | undefined;
  /** Agent → its program, used when PATH has none. */
  readonly agents: Readonly<Record<string, AbsPath>>;
  /** Where secrets are kept. */
  readonly secretBackend: "keyring" | "file" | undefined;
}

const KEYS = ["default_env", "agents", "secret_backend"];
const BACKENDS = ["keyring", "file"] as const;
const AGENTS = ["claude", "codex"];

/** Reads config.toml; a missing one is empty. Throws `CONFIG_INVALID`. */
export function readConfig(dirs: Dirs): Config {
  const text = readText(dirs.config);
  return text === undefined
    ? { defaultEnv: undefined, agents: {}, secretBackend: undefined }
    : parseConfig(text, dirs.config);
}

/** Parses the text of config.toml. Throws `CONFIG_INVALID`. */
export function parseConfig(text: string, file: string): Config {
  const top = parseTomlText(
    text,
    (state, cause) => fail(file, state, cause),
  );
  checkKeys(top, KEYS, file);
  const defaultEnv = optionalString(top, "default_env", file);
  checkDefault(defaultEnv, file);
  const table = top["agents"] ?? {};
  if (
    typeof table !== "object" || Array.isArray(table) || table instanceof Date
  ) {
    fail(file, "agents must be a table");
  }
  const agents = table as Record<string, unknown>;
  checkKeys(agents, AGENTS, file);
  const paths: Record<string, AbsPath> = {};
  for (const name of Object.keys(agents)) {
    paths[name] = parseAbsPath(
      optionalString(agents, name, file) ?? "",
      `agents.${name} in ${file}`,
    );
  }
  return { defaultEnv, agents: paths, secretBackend: backendOf(top, file) };
}

function backendOf(
  top: Record<string, unknown>,
  file: string,
): Config["secretBackend"] {
  const text = optionalString(top, "secret_backend", file);
  const backend = BACKENDS.find((name) => name === text);
  if (text === undefined || backend !== undefined) return backend;
  fail(file, `secret_backend is ${quote(text)}, not "keyring" or "file"`);
}

function checkDefault(name: string | undefined, file: string): void {
  if (name === undefined || name === GLOBAL) return;
  try {
    parseEnvName(name);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    fail(file, `default_env is ${quote(name)}, which is no name`, error);
  }
}

function checkKeys(
  table: Record<string, unknown>,
  known: readonly string[],
  file: string,
): void {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    const near = didYouMean(key, known);
    fail(
      file,
      `unknown key ${quote(key)}${
        near === undefined ? "" : `, did you mean ${quote(near)}`
      }`,
    );
  }
}

function optionalString(
  table: Record<string, unknown>,
  key: string,
  file: string,
): string | undefined {
  const value = table[key];
  if (value === undefined || typeof value === "string") return value;
  fail(file, `${key} must be a string`);
}

function fail(file: string, state: string, cause?: unknown): never {
  throw new AppError(
    "CONFIG_INVALID",
    `Cannot read configuration ${quote(file)}: ${state}`,
    {
      hint: "Mend the file, or move it away",
      cause,
    },
  );
}
