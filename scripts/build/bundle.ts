/** Bundles the program: minified, split at `import()`, npm code included, nothing left to be resolved at run time. */

import { builtinModules } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import * as esbuild from "esbuild";
import { flattenBarrels } from "./barrels.ts";
import {
  compileEarly,
  markFunctions,
  recorderFor,
  recordFunctions,
} from "./early.ts";
import { mergeStart, type Output } from "./merge.ts";
import { capture, PLAIN_DENO, ScriptError } from "../support/script.ts";

/** What {@link bundle} takes. */
export interface BundleOptions {
  /** The repository, with `deno.json` and `deno.lock`. */
  readonly root: string;
  /** An empty directory of ours for the npm packages. */
  readonly packagesDir: string;
  /** An empty directory for the result. */
  readonly outDir: string;
  /** Identifiers to replace by string constants. */
  readonly constants: Readonly<Record<string, string>>;
  /**
   * Of each role, the functions that are compiled with its file: a path below the repository, a space, a name. And under
   * its name with " later", those that are compiled with the files that {@link LOADED_TOGETHER} makes.
   */
  readonly early?: Readonly<Record<string, readonly string[]>>;
  /** A file to which the program's roles add the names of all functions that run; for finding out what `early` should be. */
  readonly record?: string | undefined;
}

/** Every role loads the chunk that this stands in: an import of `node:module` here would be paid for by each launch. */
const REQUIRE_BANNER =
  'const require=n=>{const m=process.getBuiltinModule(n);if(m)return m;throw new Error("no module "+n)};\n';

/** What a launch loads besides its role, in turn: each becomes one file, with all that it needs and none before it has. */
const LOADED_TOGETHER: readonly string[] = [
  "src/launch/sandbox_launch.ts",
  "src/sandbox/policy_build.ts",
  "src/launch/sandbox_enforce.ts",
  "src/launch/supervise.ts",
  "src/launch/sandbox_supervise.ts",
  "src/sandbox/network/sessions.ts",
  "src/launch/sandbox_ended.ts",
  "src/launch/service_values.ts",
  "src/launch/service_run.ts",
  "src/launch/codex_shim.ts",
];

const BUILTINS: ReadonlySet<string> = new Set(builtinModules);

/** Node's own modules stay imports and get the `node:` prefix, which Deno asks for. */
const nodeBuiltins: esbuild.Plugin = {
  name: "node-builtins",
  setup(build) {
    build.onResolve({ filter: /^[a-z]/ }, (args) => {
      const name = args.path.replace(/^node:/, "");
      return BUILTINS.has(name) || args.path.startsWith("node:")
        ? { path: `node:${name}`, external: true }
        : undefined;
    });
  },
};

/** Reads our own files: see `barrels.ts` and `early.ts`. */
function sourceFiles(name: string, options: BundleOptions): esbuild.Plugin {
  const change = changerOf(name, options);
  return {
    name: "source-files",
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const text = flattenBarrels(
          Deno.readTextFileSync(path),
          path,
          (path) => Deno.readTextFileSync(path),
        );
        const changed = await change(text, relative(options.root, path));
        return changed === undefined
          ? { contents: text, loader: "ts" }
          : { contents: changed, loader: "js" };
      });
    },
  };
}

/** What is done with the functions of a file: nothing in most. */
function changerOf(
  name: string,
  { early = {}, record }: BundleOptions,
): (text: string, file: string) => Promise<string | undefined> {
  const plain = async (text: string) =>
    (await esbuild.transform(text, { loader: "ts", target: "esnext" })).code;
  if (record !== undefined && name !== "main") {
    return async (text, file) => recordFunctions(await plain(text), file);
  }
  const [start, later] = [name, `${name} later`].map((list) =>
    Map.groupBy(early[list] ?? [], (line) => line.split(" ")[0]!)
  );
  const namesIn = (lines: readonly string[] = []) =>
    new Set(lines.map((line) => line.split(" ")[1]!));
  return async (text, file) => {
    const lists = [start!.get(file), later!.get(file)];
    if (lists.every((list) => list === undefined)) return undefined;
    const [atStart, afterwards] = lists.map(namesIn);
    return markFunctions(await plain(text), atStart!, afterwards);
  };
}

/**
 * Writes the bundle of `entry` into `outDir` and returns the path of its first file. An `import()` or `require()`
 * of a computed name is an error: in a compiled program it would load code from the real file system.
 */
export async function bundle(
  entry: string,
  options: BundleOptions,
): Promise<string> {
  await installPackages(options.root, options.packagesDir);
  try {
    const main = await buildEntry("main", entry, options);
    const roles = rolesOf(entry);
    // A role starts in it.
    if (roles.length > 0) refuseNodeModules(main, "main.js");
    await writeOutputs(main);
    for (const role of roles) {
      const result = await buildEntry(
        role,
        join(dirname(entry), `${role}.ts`),
        options,
      );
      refuseNodeModules(result, `${role}.js`);
      await writeMerged(result, `${role}.js`, options.record);
    }
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new ScriptError(describeFailure(error), { cause: error });
  } finally {
    await esbuild.stop();
  }
  return join(options.outDir, "main.js");
}

/** The roles that `entry` imports: each becomes one file of its own, since every file more costs a part of a millisecond. */
function rolesOf(entry: string): string[] {
  const text = Deno.readTextFileSync(entry);
  const found = text.matchAll(/import\("\.\/(main_\w+)\.ts"\)/g);
  return [...new Set([...found].map((match) => match[1]!))];
}

const separateRoles: esbuild.Plugin = {
  name: "separate-roles",
  setup(build) {
    build.onResolve({ filter: /^\.\/main_\w+\.ts$/ }, (args) => ({
      path: args.path.replace(/\.ts$/, ".js"),
      external: true,
    }));
  },
};

function buildEntry(
  name: string,
  entry: string,
  options: BundleOptions,
): Promise<esbuild.BuildResult<{ metafile: true; write: false }>> {
  return esbuild.build({
    entryPoints: { [name]: entry },
    outdir: options.outDir,
    absWorkingDir: options.root,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    mainFields: ["module", "main"],
    conditions: ["deno", "node"],
    nodePaths: [join(options.packagesDir, "node_modules")],
    // A role's files are merged, so that none may be another one's too.
    chunkNames: name === "main" ? "chunk-[hash]" : `${name}-[hash]`,
    minify: true,
    // A role repeats packages of the main bundle, which carries their notices.
    legalComments: name === "main" ? "eof" : "none",
    define: stringConstants(options.constants),
    plugins: [nodeBuiltins, separateRoles, sourceFiles(name, options)],
    write: false,
    metafile: true,
    logLevel: "silent",
    logOverride: {
      "unsupported-dynamic-import": "error",
      "unsupported-require-call": "error",
    },
  });
}

/** Under Deno 2.9 the first `node:` module costs 11 ms and more at start: a role may not need one before it has begun. */
function refuseNodeModules(
  result: esbuild.BuildResult<{ metafile: true; write: false }>,
  file: string,
): void {
  const outputs = result.metafile.outputs;
  const seen = new Set<string>();
  const left = Object.keys(outputs).filter((path) => path.endsWith(`/${file}`));
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    seen.add(path);
    for (const item of outputs[path]?.imports ?? []) {
      if (item.kind !== "import-statement") continue;
      if (item.external) {
        throw new ScriptError(
          `Cannot bundle "${file}": it loads "${item.path}" at its start`,
        );
      }
      if (!seen.has(item.path)) left.push(item.path);
    }
  }
}

/** Puts the packages of `deno.lock` where the bundler finds them; the program itself never sees this directory. */
async function installPackages(root: string, directory: string): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  await Deno.writeTextFile(
    join(directory, "deno.json"),
    JSON.stringify({ imports: config.imports, nodeModulesDir: "auto" }),
  );
  await Deno.copyFile(join(root, "deno.lock"), join(directory, "deno.lock"));
  const install = await capture(Deno.execPath(), [
    "install",
    "--quiet",
    "--frozen",
  ], { cwd: directory, env: PLAIN_DENO });
  if (!install.success) {
    throw new ScriptError(
      install.stderr.includes("lockfile is out of date")
        ? "Cannot bundle: deno.lock is out of date, run `deno install`"
        : `Cannot install the npm packages: ${install.stderr.trim()}`,
    );
  }
}

function stringConstants(
  constants: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [
      name,
      JSON.stringify(value),
    ]),
  );
}

async function writeOutputs(
  result: esbuild.BuildResult<{ metafile: true; write: false }>,
): Promise<void> {
  refuseGlobImports(result);
  for (const file of result.outputFiles) {
    await writeOutput(file.path, file.text);
  }
}

/** Writes a role: what it loads at its start is one file. */
async function writeMerged(
  result: esbuild.BuildResult<{ metafile: true; write: false }>,
  entry: string,
  record: string | undefined,
): Promise<void> {
  refuseGlobImports(result);
  const described = new Map(
    Object.entries(result.metafile.outputs).map(([path, output]) => [
      basename(path),
      output,
    ]),
  );
  const later = LOADED_TOGETHER.flatMap((source) =>
    [...described].filter(([, { entryPoint }]) => entryPoint === source)
      .map(([name]) => name)
  );
  const outputs: Output[] = result.outputFiles.map(({ path, text }) => {
    const name = basename(path);
    const { exports = [], imports = [] } = described.get(name) ?? {};
    const loaded = imports.filter(({ kind, external }) =>
      kind === "import-statement" && !external
    );
    return {
      name,
      text,
      exports,
      imports: loaded.map(({ path }) => basename(path)),
    };
  });
  const directory = dirname(result.outputFiles[0]!.path);
  for (const [name, text] of await mergeStart(outputs, entry, later)) {
    const path = join(directory, name);
    if (name !== entry) {
      const isLater = later.includes(name);
      await writeOutput(path, isLater ? compileEarly(text, { isLater }) : text);
      continue;
    }
    refuseWideCharacters(name, text);
    const role = basename(entry, ".js");
    const start = record === undefined ? "" : recorderFor(role, record);
    await writeOutput(path, start + compileEarly(text));
  }
}

/** V8 takes a file of ASCII as it lies there; any other has to be decoded and copied at every start. The bundler leaves them in regular expressions. */
function refuseWideCharacters(name: string, text: string): void {
  const found = /.{0,40}[^\0-\x7f]/.exec(text);
  if (found === null) return;
  throw new ScriptError(
    `Cannot bundle "${name}": a character is not ASCII, write it as \\u: ${
      found[0]
    }`,
  );
}

async function writeOutput(path: string, text: string): Promise<void> {
  const banner = callsRequire(text) ? REQUIRE_BANNER : "";
  await Deno.writeTextFile(path, banner + text);
}

/** esbuild turns import(`./dir/${name}.ts`) into a table; we want the table written out in the source. */
function refuseGlobImports(
  result: esbuild.BuildResult<{ metafile: true; write: false }>,
): void {
  for (const [path, input] of Object.entries(result.metafile.inputs)) {
    if (input.imports.some((item) => item.path.includes("*"))) {
      throw new ScriptError(
        `Cannot bundle "${path}": it has an import() with a computed name`,
      );
    }
  }
}

/** A CommonJS package that needs a built-in makes esbuild emit a `require` helper, which needs a real `require`. */
function callsRequire(text: string): boolean {
  return text.includes("Dynamic require of ");
}

function isBuildFailure(error: unknown): error is esbuild.BuildFailure {
  return error instanceof Error && Array.isArray(Reflect.get(error, "errors"));
}

function describeFailure(failure: esbuild.BuildFailure): string {
  const lines = failure.errors.map(({ text, location }) =>
    location === null
      ? text
      : `${location.file}:${location.line}:${location.column + 1}: ${text}`
  );
  return `Cannot bundle the program:\n  ${lines.join("\n  ")}`;
}
