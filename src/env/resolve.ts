/** Which env is active. */
import { type Dirs, MANIFEST_FILE } from "../base/dirs.ts";
import { AppError, withNamer } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import { GLOBAL, isGlobal, parseEnvName } from "../base/ids.ts";
import { type AbsPath, basename, join, parseAbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { Host } from "../os/host.ts";
import { readConfig } from "./config.ts";
import { findPin, readPin } from "./pin.ts";
import type {
  EnvRef,
  Resolution,
  ResolutionSource,
  ResolutionStep,
} from "./types.ts";

interface Found {
  readonly ref: EnvRef;
  readonly file?: AbsPath;
}

/**
 * Finds the active env: `$AENV_OVERRIDE`, `$AENV`, the nearest pin, `$AENV_SHELL`, `default_env`, else `global`.
 * Reads no manifest. Throws `NAME_INVALID`, `PIN_INVALID`, `CONFIG_INVALID`, `CWD_GONE`: never falls through to the next
 * step because one is broken.
 */
export function resolveEnv(host: Host, dirs: Dirs): Resolution {
  const steps: ResolutionStep[] = [];
  const search = new Search(host, dirs, steps);
  const found = search.variable(Var.override) ?? search.variable(Var.env) ??
    search.pin() ??
    search.variable(Var.shell) ?? search.configured();
  if (found) {
    const source = steps[steps.length - 1]!.source;
    return { ref: found.ref, source, file: found.file, steps };
  }
  return { ref: { kind: "global" }, source: "none", file: undefined, steps };
}

/** What `-E VALUE` names: a global env, `global`, or a manifest by path (its directory will do). */
export function refFromOption(value: string, host: Host, dirs: Dirs): EnvRef {
  if (!/[/\\]|^\.\.?$/.test(value)) return refFromText(value, dirs);
  const path = parseAbsPath(
    value.startsWith("/") ? value : join(host.cwd(), value),
    "-E",
  );
  return refFromManifest(
    basename(path) === MANIFEST_FILE ? path : join(path, MANIFEST_FILE),
    dirs,
  );
}

/** An env's name, `global`, or the absolute path of a manifest. */
export function refFromText(text: string, dirs: Dirs): EnvRef {
  if (text === GLOBAL) return { kind: "global" };
  if (!text.startsWith("/") && !/^[A-Za-z]:[/\\]/.test(text)) {
    return { kind: "named", name: parseEnvName(text) };
  }
  const path = parseAbsPath(text, `$${Var.env}`);
  if (basename(path) !== MANIFEST_FILE) {
    throw new AppError(
      "NAME_INVALID",
      `Cannot use ${
        quote(text)
      } as an environment: it is not the path of an ${MANIFEST_FILE}`,
    );
  }
  return refFromManifest(path, dirs);
}

/** A manifest below `envs/` is a named env's own, anything else a project's. */
function refFromManifest(manifest: AbsPath, dirs: Dirs): EnvRef {
  const dir = join(manifest, "..");
  const name = basename(dir);
  if (join(dir, "..") === dirs.envs && !isGlobal(name)) {
    return { kind: "named", name: parseEnvName(name) };
  }
  return { kind: "project", manifest };
}

/** Does the steps in turn and records each. */
class Search {
  readonly #host: Host;
  readonly #dirs: Dirs;
  readonly #steps: ResolutionStep[];

  constructor(host: Host, dirs: Dirs, steps: ResolutionStep[]) {
    this.#host = host;
    this.#dirs = dirs;
    this.#steps = steps;
  }

  variable(name: "AENV_OVERRIDE" | "AENV" | "AENV_SHELL"): Found | undefined {
    const value = this.#host.env[name];
    if (!value) return this.#missed(name, `$${name}`, "not set");
    try {
      const ref = refFromText(value, this.#dirs);
      return this.#matched(name, `$${name}`, { ref });
    } catch (error) {
      throw error instanceof AppError ? withNamer(error, `$${name}`) : error;
    }
  }

  pin(): Found | undefined {
    const { pin, empty } = findPin(this.#host.cwd());
    for (const dir of empty) {
      this.#missed("version file", dir, "no pin and no manifest");
    }
    if (!pin) return undefined;
    if (pin.kind === "project manifest") {
      return this.#matched(pin.kind, pin.file, {
        ref: refFromManifest(pin.file, this.#dirs),
        file: pin.file,
      });
    }
    const name = readPin(pin.file);
    const ref: EnvRef = name === GLOBAL
      ? { kind: "global" }
      : { kind: "named", name: parseEnvName(name) };
    return this.#matched(pin.kind, pin.file, { ref, file: pin.file });
  }

  configured(): Found | undefined {
    const { config } = this.#dirs;
    const name = readConfig(this.#dirs).defaultEnv;
    if (name === undefined) {
      return this.#missed("default_env", config, "no default_env");
    }
    return this.#matched("default_env", config, {
      ref: refFromText(name, this.#dirs),
      file: config,
    });
  }

  #missed(source: ResolutionSource, looked: string, result: string): undefined {
    this.#steps.push({ source, looked, result, matched: false });
  }

  #matched(source: ResolutionSource, looked: string, found: Found): Found {
    const { ref } = found;
    const what = ref.kind === "global"
      ? GLOBAL
      : ref.kind === "named"
      ? ref.name
      : ref.manifest;
    this.#steps.push({
      source,
      looked,
      result: `matched: ${what}`,
      matched: true,
    });
    return found;
  }
}
