/**
 * `deno task record-starts`: which functions run at a start that goes as most do, into `scripts/build/early.json`; see
 * `build/early.ts`. To be run when the way of a start has changed much: what is missing there only costs time.
 */

import { join } from "node:path";
import {
  addEnvironment,
  type Arena,
  closeArena,
  ENVIRONMENTS,
  openArena,
} from "./bench/arena.ts";
import { untilQuiet } from "./bench/left_over.ts";
import {
  capture,
  repositoryRoot,
  runScript,
  say,
  ScriptError,
  stream,
} from "./support/script.ts";

const CONFINED = "bench-open";
/** Until everything is remembered, a start goes other ways. */
const WARM_UP = 3;

/** A program and its arguments, in an environment. */
interface Start {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: string;
}

function startsOf({ aenv, shim }: Arena): Start[] {
  const version = ["--version"];
  const command = ["exec", "--", "/bin/true"];
  const environments = [CONFINED, ...Object.values(ENVIRONMENTS)];
  return [
    ...environments.map((env) => ({ program: shim, args: version, env })),
    ...environments.map((env) => ({ program: aenv, args: command, env })),
    ...["current", "list", "install"].map((word) => ({
      ...{ program: aenv, args: [word], env: CONFINED },
    })),
  ];
}

async function record(arena: Arena, file: string): Promise<string[]> {
  const sandbox = 'isolation = "private"\n\n[sandbox]\nenabled = true\n';
  await addEnvironment(arena, CONFINED, sandbox);
  const lines = new Set<string>();
  for (const start of startsOf(arena)) {
    for (let n = 0; n < WARM_UP; n++) await run(start, arena);
    await Deno.remove(file);
    await run(start, arena);
    const ran = (await Deno.readTextFile(file)).trim().split("\n");
    for (const line of ran) lines.add(line);
  }
  return [...lines].sort();
}

async function run(
  { program, args, env }: Start,
  arena: Arena,
): Promise<void> {
  const { success, stderr } = await capture(program, args, {
    cwd: arena.project,
    env: { ...arena.env, AENV: env },
    clearEnv: true,
  });
  if (!success) throw new ScriptError(`Cannot start ${program}: ${stderr}`);
  await untilQuiet(arena);
}

/** By role: what {@link record} gives begins with it. */
function byRole(lines: readonly string[]): Record<string, string[]> {
  const roles = Map.groupBy(lines, (line) => line.split(" ", 1)[0]!);
  return Object.fromEntries(
    [...roles].map(([role, list]) => [
      role,
      list.map((line) => line.slice(role.length + 1)),
    ]),
  );
}

async function main(): Promise<number> {
  const root = repositoryRoot();
  const dir = await Deno.makeTempDir({ prefix: "aenv-record-" });
  try {
    const [out, file] = [join(dir, "aenv"), join(dir, "ran")];
    const build = ["scripts/build.ts", "--no-check"];
    const code = await stream(Deno.execPath(), [
      ...["run", "-A", ...build, "--out", out, "--record", file],
    ], { cwd: root });
    if (code !== 0) return code;
    const agent = ".cache/agents/claude-newest/node_modules/.bin/claude";
    const arena = await openArena(out, {
      agent: join(root, agent),
      cacheDir: join(root, ".cache", "runtime"),
    });
    try {
      const found = byRole(await record(arena, file));
      const target = join(root, "scripts/build/early.json");
      await Deno.writeTextFile(target, JSON.stringify(found, null, 2) + "\n");
      for (const [role, list] of Object.entries(found)) {
        say(`${role}: ${list.length} functions`);
      }
    } finally {
      await closeArena(arena);
    }
    return 0;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) await runScript(main);
