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
/** Launches in it load more than their role. */
const LISTED = "bench-hosts";
/** Until everything is remembered, a start goes other ways; what has just changed is not remembered. */
const WARM_UP_MS = 4_000;

/** A program and its arguments, in an environment. */
interface Start {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: string;
  /** Whether it loads more than its role. */
  readonly isLater?: boolean;
}

function startsOf({ aenv, shim }: Arena): Start[] {
  const version = ["--version"];
  const command = ["exec", "--", "/bin/true"];
  const environments = [CONFINED, ...Object.values(ENVIRONMENTS)];
  return [
    ...[{ program: shim, args: version }, { program: aenv, args: command }]
      .map((start) => ({ ...start, env: LISTED, isLater: true })),
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
  const network = 'network = { mode = "hosts", allow = ["example.com"] }\n';
  await addEnvironment(arena, LISTED, sandbox + network);
  const [lines, later] = [new Set<string>(), new Set<string>()];
  for (const start of startsOf(arena)) {
    const end = performance.now() + WARM_UP_MS;
    while (performance.now() < end) await run(start, arena);
    await Deno.remove(file);
    await run(start, arena);
    const ran = (await Deno.readTextFile(file)).trim().split("\n");
    for (const line of ran) (start.isLater ? later : lines).add(line);
  }
  const more = [...later.difference(lines)]
    .map((line) => line.replace(" ", " later "));
  return [...lines, ...more].sort();
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

/** By role, with " later" where that follows: what {@link record} gives begins with it. */
function byRole(lines: readonly string[]): Record<string, string[]> {
  const parts = lines.map((line) => {
    const [, role, text] = /^(\S+(?: later)?) (.*)$/.exec(line)!;
    return { role: role!, text: text! };
  });
  const roles = Map.groupBy(parts, ({ role }) => role);
  return Object.fromEntries(
    [...roles].map(([role, list]) => [role, list.map(({ text }) => text)]),
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
