/** With `-p`, an agent in an env ends as the bare one does, and the process that was started is the agent itself. */

import assert from "node:assert/strict";
import { run, waitFor } from "../support/process.ts";
import type { Step } from "../support/stub_api.ts";
import { programOf } from "../support/tmux.ts";
import { ISOLATIONS, type Launcher, World } from "./agent_world.ts";

const ALLOWED = ["-p", "hello", "--allowedTools=Bash"];

/** Exit codes by what happened; 128+n after signal n. */
type Endings = Readonly<Record<string, number>>;

let bareEndings: Promise<Endings> | undefined;

/** How the bare agent ends; found out once. */
function endingsOfBare(): Promise<Endings> {
  return bareEndings ??= endingsOf("bare");
}

Deno.test("the bare agent with -p ends as documented", async () => {
  assert.deepEqual(await endingsOfBare(), {
    success: 0,
    "unreachable API": 1,
    "unknown option": 1,
    SIGINT: 0,
    SIGTERM: 143,
    SIGHUP: 129,
  });
});

for (const isolation of ISOLATIONS) {
  Deno.test(`with -p, ${isolation} env: every exit code as with the bare agent`, async () => {
    assert.deepEqual(await endingsOf(isolation), await endingsOfBare());
  });
}

async function endingsOf(launcher: Launcher): Promise<Endings> {
  await using world = await World.open({ steps: waitingSteps });
  const endings: Record<string, number> = {
    "success": await codeOf(["-p", "hello"], { world, launcher }),
    "unreachable API": await codeOf(["-p", "hello"], {
      world,
      launcher,
      env: {
        ANTHROPIC_BASE_URL: "http://127.0.0.1:1",
        CLAUDE_CODE_MAX_RETRIES: "0",
      },
    }),
    "unknown option": await codeOf(["--no-such-option"], { world, launcher }),
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    endings[signal] = await codeAfter(signal, { world, launcher });
  }
  return endings;
}

/** The agent says that it runs, and goes on until it is ended. Without leave to run commands it just answers. */
function waitingSteps({ root }: { readonly root: string }): readonly Step[] {
  return [{ bash: `touch '${root}/running'; sleep 30` }];
}

/** A started agent. */
interface Start {
  readonly world: World;
  readonly launcher: Launcher;
  readonly env?: Readonly<Record<string, string>>;
}

async function codeOf(
  args: readonly string[],
  { world, launcher, env }: Start,
): Promise<number> {
  const finished = await run(world.programOf(launcher), args, {
    env: { ...world.envOf(launcher), ...env },
    cwd: world.project,
  });
  return finished.code;
}

async function codeAfter(
  signal: Deno.Signal,
  { world, launcher }: Start,
): Promise<number> {
  const mark = `${world.root}/running`;
  await using child = new Deno.Command(world.programOf(launcher), {
    args: ALLOWED,
    env: { ...world.envOf(launcher) },
    clearEnv: true,
    cwd: world.project,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waitFor("the agent's command", () => takeAway(mark));
  assert.equal(
    await programOf(child.pid),
    await Deno.realPath(world.agent.path),
  );
  child.kill(signal);
  return (await child.status).code;
}

/** Removes a file; undefined when it is not there. */
function takeAway(path: string): true | undefined {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}

for (const launcher of ["bare", ...ISOLATIONS] as const) {
  Deno.test(`claude -p | head -1 ends, ${launcher}`, async () => {
    await using world = await World.open({
      // The rest of the output comes when nobody reads any more.
      steps: ({ root }) => [
        { bash: `until [ -e '${root}/deaf' ]; do sleep 0.05; done` },
        { text: "x".repeat(200_000) },
      ],
    });
    const command = `claude "$@" | { head -1; touch '${world.root}/deaf'; }`;
    const args = [...ALLOWED, "--output-format", "stream-json", "--verbose"];
    const { code, stdout } = await run("bash", [
      "-c",
      command,
      "bash",
      ...args,
    ], {
      env: world.envOf(launcher),
      cwd: world.project,
    });
    assert.equal(code, 0);
    assert.match(stdout, /^\{.*\}\n$/);
  });
}
