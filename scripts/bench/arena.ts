/** A fresh home with two environments to measure in, and an empty program made with the same base runtime. */

import { join } from "node:path";
import { compile } from "../build/compile.ts";
import { capture, ScriptError } from "../support/script.ts";

/** Where one benchmark run happens. */
export interface Arena {
  /** Holds everything below; removed by {@link closeArena}. */
  readonly root: string;
  readonly aenv: string;
  /** The program that does nothing. */
  readonly empty: string;
  /** The `claude` that stands first on PATH. */
  readonly shim: string;
  /** The real agent. */
  readonly agent: string;
  readonly project: string;
  /** Environment of every program measured. */
  readonly env: Readonly<Record<string, string>>;
}

/** Names of the two environments, by isolation mode. */
export const ENVIRONMENTS = {
  private: "bench-private",
  overlay: "bench-overlay",
} as const;

/** Makes an arena for these two programs. Throws `ScriptError` when `aenv` cannot set it up. */
export async function openArena(
  aenv: string,
  options: { readonly agent: string; readonly cacheDir: string },
): Promise<Arena> {
  const root = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "aenv-bench-" }),
  );
  const home = join(root, "home");
  const aenvHome = join(home, ".aenv");
  const project = join(home, "project");
  await Deno.mkdir(project, { recursive: true });
  const shims = join(aenvHome, "shims");
  const agentDir = join(root, "bin");
  await Deno.mkdir(agentDir);
  await Deno.symlink(await Deno.realPath(options.agent), `${agentDir}/claude`);
  const arena: Arena = {
    root,
    aenv,
    empty: join(root, "empty"),
    shim: join(shims, "claude"),
    agent: join(agentDir, "claude"),
    project,
    env: {
      HOME: home,
      AENV_HOME: aenvHome,
      PATH: `${shims}:${agentDir}:/usr/local/bin:/usr/bin:/bin`,
      LANG: "C.UTF-8",
      DISABLE_AUTOUPDATER: "1",
    },
  };
  await compileEmpty(arena.empty, { root, cacheDir: options.cacheDir });
  await makeEnvironments(arena);
  return arena;
}

/** Removes everything that the arena holds. */
export async function closeArena(arena: Arena): Promise<void> {
  await Deno.remove(arena.root, { recursive: true });
}

async function compileEmpty(
  output: string,
  options: { readonly root: string; readonly cacheDir: string },
): Promise<void> {
  const source = join(options.root, "source");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "main.js"), "");
  await compile(join(source, "main.js"), {
    output,
    official: false,
    cacheDir: options.cacheDir,
  });
}

async function makeEnvironments(arena: Arena): Promise<void> {
  await runAenv(arena, ["init", "--no-default"]);
  for (const [isolation, name] of Object.entries(ENVIRONMENTS)) {
    await addEnvironment(arena, name, `isolation = "${isolation}"\n`);
  }
}

/** Makes an environment; `lines` follow its name under `[env]`. */
export async function addEnvironment(
  arena: Arena,
  name: string,
  lines: string,
): Promise<void> {
  await runAenv(arena, ["new", name]);
  const manifest = join(arena.env["AENV_HOME"]!, "envs", name, "aenv.toml");
  await Deno.writeTextFile(
    manifest,
    `aenv_schema_version = "2"\n\n[env]\nname = "${name}"\n${lines}`,
  );
}

async function runAenv(arena: Arena, args: readonly string[]): Promise<void> {
  const run = await capture(arena.aenv, args, {
    cwd: arena.project,
    env: arena.env,
    clearEnv: true,
  });
  if (run.success) return;
  throw new ScriptError(`Cannot run "aenv ${args.join(" ")}": ${run.stderr}`);
}
