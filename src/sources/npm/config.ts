/**
 * npm's configuration: environment, `.npmrc` of the project, of the user, of the machine, and npm's own, in this order. What other
 * tools on this machine do with a package, we do as well.
 */
import ini from "ini";
import {
  type AbsPath,
  basename,
  join,
  parent,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
  resolveFrom,
} from "../../base/paths.ts";
import { isAbsolutePath } from "../../base/paths.ts";
import { isExecutable, readText, realPath } from "../../os/fs.ts";
import type { SourceContext } from "../source.ts";

/** Settings by npm's names: `registry`, `@scope:registry`, `//host/:_authToken`, … */
export interface NpmConfig {
  readonly values: Readonly<Record<string, string>>;
  /** Certificates from `ca` and `cafile`, PEM. */
  readonly caCerts: readonly string[];
  /** Settings of the project's `.npmrc` that an untrusted project does not get. */
  readonly withheld: readonly string[];
}

type Layer = Record<string, string | readonly string[]>;

/** The settings that a project may make before it is trusted: where packages come from, nothing about logins or encryption. */
const UNTRUSTED_KEYS = /^(@[^:]+:)?registry$/;
const VARIABLE = /(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}/g;
const MAX_BYTES = 1024 * 1024;

/** Reads all of it. Throws `IO` for a file that is there and cannot be read. */
export function readNpmConfig(context: SourceContext): NpmConfig {
  const { host, manifestDir } = context;
  const environment = environmentLayer(host.env);
  const userFile = pathSetting(environment["userconfig"], context) ??
    join(host.home(), ".npmrc");
  const projectFile = join(manifestDir, ".npmrc");
  const project = projectFile === userFile ? {} : fileLayer(projectFile, {});
  const { kept, withheld } = ofProject(project, context);
  const user = fileLayer(userFile, host.env);
  const below = (layers: readonly Layer[]) =>
    Object.assign({}, ...[...layers].reverse()) as Layer;
  const builtin = npmOwnLayer(context);
  const prefix = below([environment, user, builtin])["prefix"];
  const globalFile = pathSetting(
    below([environment, user, builtin])["globalconfig"],
    context,
  ) ?? globalConfigFile(prefix, context);
  const machine = globalFile === undefined
    ? {}
    : fileLayer(globalFile, host.env);
  const merged = below([environment, kept, user, machine, builtin]);
  return {
    values: flatten(merged),
    caCerts: certificatesOf(merged, context),
    withheld,
  };
}

/** Variables called `npm_config_…`, in any case. */
function environmentLayer(env: Readonly<Record<string, string>>): Layer {
  const layer: Layer = {};
  for (const [name, value] of Object.entries(env)) {
    if (!/^npm_config_/i.test(name) || value === "") continue;
    const key = name.slice("npm_config_".length);
    // A key that names a host is taken as it is.
    const plain = key.startsWith("//")
      ? key
      : key.replace(/(?!^)_/g, "-").toLowerCase();
    layer[plain] = value;
  }
  return layer;
}

function fileLayer(
  path: AbsPath,
  env: Readonly<Record<string, string>>,
): Layer {
  const text = readText(path, MAX_BYTES);
  if (text === undefined) return {};
  const layer: Layer = {};
  for (const [key, value] of Object.entries(ini.parse(text))) {
    const name = expand(key, env);
    // A section; npm has none.
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      continue;
    }
    layer[name] = Array.isArray(value)
      ? value.map((item) => expand(String(item), env))
      : expand(String(value), env);
  }
  return layer;
}

/** `${NAME}` by its value, `${NAME?}` also when it is not set. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (whole, escapes, name, optional) => {
    if (escapes.length % 2 === 1) return whole.slice((escapes.length + 1) / 2);
    const value = env[name] ?? (optional === undefined ? `\${${name}}` : "");
    return escapes.slice(escapes.length / 2) + value;
  });
}

/** A repository that nobody has looked at may not send a variable to a host of its choice, nor say whose certificates count. */
function ofProject(
  layer: Layer,
  context: SourceContext,
): { kept: Layer; withheld: string[] } {
  const kept: Layer = {};
  const withheld: string[] = [];
  for (const [key, value] of Object.entries(layer)) {
    const isPlain = UNTRUSTED_KEYS.test(key) &&
      !/\$\{/.test(key + String(value));
    if (context.trusted) {
      const { env } = context.host;
      kept[expand(key, env)] = typeof value === "string"
        ? expand(value, env)
        : value.map((item) => expand(item, env));
    } else if (isPlain) kept[key] = value;
    else withheld.push(key);
  }
  return { kept, withheld };
}

/** The file that comes with npm itself; Debian and others put settings there. */
function npmOwnLayer(context: SourceContext): Layer {
  const npm = findOnPath("npm", context);
  const script = npm === undefined ? undefined : realPath(npm);
  if (script === undefined || basename(script) !== "npm-cli.js") return {};
  return fileLayer(join(script, "..", "..", "npmrc"), context.host.env);
}

/** `PREFIX/etc/npmrc`; the prefix is where node is, unless it is set. */
function globalConfigFile(
  prefix: Layer[string] | undefined,
  context: SourceContext,
): AbsPath | undefined {
  const named = pathSetting(prefix, context);
  if (named !== undefined) return join(named, "etc", "npmrc");
  const node = findOnPath("node", context);
  if (node === undefined) return undefined;
  const dir = parent(node);
  return context.host.os === "windows"
    ? join(dir, "etc", "npmrc")
    : join(dir, "..", "etc", "npmrc");
}

function findOnPath(
  program: string,
  { host }: SourceContext,
): AbsPath | undefined {
  for (const dir of (host.env["PATH"] ?? "").split(PATH_LIST_SEPARATOR)) {
    if (!isAbsolutePath(dir)) continue;
    const path = join(parseAbsPath(dir, "a directory of PATH"), program);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/** A path from a setting: absolute, `~/…`, or relative to the manifest's directory. */
function pathSetting(
  value: Layer[string] | undefined,
  context: SourceContext,
): AbsPath | undefined {
  if (typeof value !== "string" || value === "" || value === "null") {
    return undefined;
  }
  return value.startsWith("~/")
    ? join(context.host.home(), value.slice(2))
    : resolveFrom(context.manifestDir, value);
}

function certificatesOf(layer: Layer, context: SourceContext): string[] {
  const file = pathSetting(layer["cafile"], context);
  const fromFile = file === undefined ? undefined : readText(file, MAX_BYTES);
  const { ca } = layer;
  const inline = ca === undefined || ca === "null" ? [] : [ca].flat();
  const texts = inline.map((text) => text.replaceAll("\\n", "\n"));
  return fromFile === undefined ? texts : [fromFile, ...texts];
}

function flatten(layer: Layer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(layer).map(([key, value]) => [key, String(value)]),
  );
}
