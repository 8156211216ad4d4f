/** `deno task build [--out PATH] [--target TRIPLE] [--no-check] [--official] [--entry FILE] [--record FILE]`: one executable from `src/`. */

import { parseArgs } from "node:util";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { bundle } from "./build/bundle.ts";
import { compile } from "./build/compile.ts";
import {
  capture,
  repositoryRoot,
  runScript,
  say,
  ScriptError,
  stream,
} from "./support/script.ts";

interface BuildOptions {
  readonly out: string;
  readonly target: string;
  /** True when the target is not this machine's own. */
  readonly isCross: boolean;
  readonly check: boolean;
  /** Take Deno's own base runtime or fail: releases are built so. */
  readonly official: boolean;
  readonly entry: string;
  /** See `BundleOptions`. */
  readonly record: string | undefined;
}

function readOptions(args: readonly string[], root: string): BuildOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: "string" },
      target: { type: "string" },
      entry: { type: "string" },
      record: { type: "string" },
      "no-check": { type: "boolean" },
      official: { type: "boolean" },
    },
  });
  const target = values.target ?? Deno.build.target;
  const suffix = target.includes("windows") ? ".exe" : "";
  return {
    out: fromCaller(values.out) ?? join(root, "dist", `aenv${suffix}`),
    target,
    isCross: target !== Deno.build.target,
    check: values["no-check"] !== true,
    official: values.official === true,
    entry: fromCaller(values.entry) ?? join(root, "src/main.ts"),
    record: fromCaller(values.record),
  };
}

/** `deno task` changes into the repository; paths on the command line mean the caller's directory. */
function fromCaller(path: string | undefined): string | undefined {
  if (path === undefined || isAbsolute(path)) return path;
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

async function readCommit(root: string): Promise<string> {
  const head = await capture("git", ["rev-parse", "HEAD"], { cwd: root });
  if (!head.success) return "unknown";
  const status = await capture("git", ["status", "--porcelain"], { cwd: root });
  const isDirty = !status.success || status.stdout.trim() !== "";
  return head.stdout.trim() + (isDirty ? "-dirty" : "");
}

async function readConstants(
  root: string,
  target: string,
): Promise<Record<string, string>> {
  const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  return {
    __AENV_VERSION__: String(config.version),
    __AENV_COMMIT__: await readCommit(root),
    __AENV_TARGET__: target,
  };
}

async function checkTypes(entry: string, root: string): Promise<void> {
  const code = await stream(Deno.execPath(), ["check", "--quiet", entry], {
    cwd: root,
  });
  if (code !== 0) {
    throw new ScriptError("Cannot build: the program does not type-check");
  }
}

async function build(options: BuildOptions, root: string): Promise<void> {
  if (options.check) await checkTypes(options.entry, root);
  const work = await Deno.makeTempDir({ prefix: "aenv-build-" });
  try {
    const packagesDir = join(work, "packages");
    const outDir = join(work, "aenv");
    for (const path of [packagesDir, outDir]) await Deno.mkdir(path);
    const entry = await bundle(options.entry, {
      root,
      packagesDir,
      outDir,
      constants: await readConstants(root, options.target),
      early: JSON.parse(
        await Deno.readTextFile(join(root, "scripts/build/early.json")),
      ),
      record: options.record,
    });
    await install(entry, options, root);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Compiles beside the final name and renames: a reader sees the old program or the new one. */
async function install(
  entry: string,
  options: BuildOptions,
  root: string,
): Promise<void> {
  const directory = dirname(options.out);
  await Deno.mkdir(directory, { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: directory, prefix: ".build-" });
  try {
    const output = join(scratch, basename(options.out));
    await compile(entry, {
      output,
      target: options.isCross ? options.target : undefined,
      official: options.official,
      cacheDir: join(root, ".cache", "runtime"),
    });
    if (Deno.build.os !== "windows") await Deno.chmod(output, 0o755);
    await Deno.rename(output, options.out);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function main(): Promise<number> {
  const root = repositoryRoot();
  const options = readOptions(Deno.args, root);
  const start = performance.now();
  await build(options, root);
  const megabytes = (await Deno.stat(options.out)).size / 1e6;
  const seconds = (performance.now() - start) / 1000;
  say(
    `Built ${options.out} (${megabytes.toFixed(1)} MB, ${
      seconds.toFixed(1)
    } s)`,
  );
  return 0;
}

if (import.meta.main) await runScript(main);
