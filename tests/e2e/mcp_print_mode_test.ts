/** With `-p`, an agent beside which a supervisor stays ends as the bare one does, whoever is signalled. */

import assert from "node:assert/strict";
import { mcpServerOf } from "../support/claude_items.ts";
import { run, waitFor } from "../support/process.ts";
import type { Step } from "../support/stub_api.ts";
import { World } from "./agent_world.ts";
import { argumentsOf, descendantsOf, isThere, KEY } from "./mcp_world.ts";

/** A started agent: bare, or supervised. */
interface Start {
  readonly world: World;
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

const SUPERVISED = [false, true] as const;

async function openWorld(steps: readonly Step[]): Promise<World> {
  const world = await World.open({
    steps: ({ root }) =>
      steps.length > 0
        ? steps
        : [{ bash: `touch '${root}/running'; sleep 30` }],
  });
  const { command, args } = mcpServerOf("gh", world.out);
  world.writeEnv(
    "private",
    `isolation = "private"
[mcp.gh]
command = "${command}"
args = ${JSON.stringify(args)}
env = { TOKEN = "\${secret:${KEY}}" }`,
  );
  await world.aenv.must(["secrets", "add", KEY, "-E", "private", "-"], {
    env: { ...world.aenv.env, AENV_SECRET_BACKEND: "file" },
    stdin: "the-value",
  });
  return world;
}

function startOf(world: World, isSupervised: boolean): Start {
  const launcher = isSupervised ? "private" : "bare";
  return {
    world,
    program: world.programOf(launcher),
    env: { ...world.envOf(launcher), AENV_SECRET_BACKEND: "file" },
  };
}

type Target = "process" | "group";

/** The exit code after a signal that comes while the agent works. */
async function codeAfter(
  signal: Deno.Signal,
  target: Target,
  { world, program, env }: Start,
): Promise<number> {
  const mark = `${world.root}/running`;
  // In a group of its own, as a shell starts it.
  await using child = new Deno.Command("setsid", {
    args: [program, "-p", "hello", "--allowedTools=Bash"],
    env: { ...env },
    clearEnv: true,
    cwd: world.project,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waitFor("the agent's command", () => isThere(mark) || undefined);
  Deno.removeSync(mark);
  Deno.kill(target === "group" ? -child.pid : child.pid, signal);
  return (await child.status).code;
}

Deno.test("with -p, supervised: every exit code as with the bare agent, also for signals to the whole group", async () => {
  const endings = [];
  for (const isSupervised of SUPERVISED) {
    await using world = await openWorld([]);
    const start = startOf(world, isSupervised);
    const codes: Record<string, number> = {};
    const options = await run(start.program, ["--no-such-option"], {
      env: start.env,
      cwd: world.project,
    });
    codes["unknown option"] = options.code;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
      for (const target of ["process", "group"] as const) {
        codes[`${signal} to the ${target}`] = await codeAfter(
          signal,
          target,
          start,
        );
      }
    }
    endings.push(codes);
    assert.deepEqual(isSupervised ? world.runs() : [], []);
  }
  assert.deepEqual(endings[1], endings[0]);
});

Deno.test("supervised: standard input reaches the agent, and nothing of ours its output", async () => {
  const outputs = [];
  for (const isSupervised of SUPERVISED) {
    await using world = await openWorld([{ text: "answer" }]);
    const { program, env } = startOf(world, isSupervised);
    const finished = await run(program, ["-p"], {
      env,
      cwd: world.project,
      stdin: "what came in",
    });
    const [request] = world.stub.modelRequests();
    assert.ok(request!.body.includes("what came in"));
    outputs.push(finished);
  }
  assert.deepEqual(outputs[1], outputs[0]);
});

Deno.test("supervised: claude -p | head -1 ends", async () => {
  await using world = await openWorld([{ text: "x".repeat(200_000) }]);
  const { env } = startOf(world, true);
  const command = `claude -p hello --output-format stream-json --verbose`;
  const { code, stdout } = await run("bash", [
    "-c",
    `${command} | head -1`,
  ], { env, cwd: world.project });
  assert.equal(code, 0);
  assert.match(stdout, /^\{.*\}\n$/);
});

Deno.test("supervised: a signal that the caller ignores does what it does to the bare agent, and a descriptor that it left open is the agent's alone", async () => {
  for (const isSupervised of SUPERVISED) {
    await using world = await openWorld([]);
    const { program, env } = startOf(world, isSupervised);
    await using child = new Deno.Command("sh", {
      args: [
        "-c",
        `trap '' HUP; exec 9<"$1"; exec "$2" -p hello --allowedTools=Bash`,
        "sh",
        `${world.home}/.claude/.credentials.json`,
        program,
      ],
      env: { ...env },
      clearEnv: true,
      cwd: world.project,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const mark = `${world.root}/running`;
    await waitFor("the agent's command", () => isThere(mark) || undefined);
    if (isSupervised) checkDescriptors(descendantsOf(child.pid));
    // The agent listens for it all the same.
    child.kill("SIGHUP");
    assert.equal((await child.status).code, 129);
  }
});

/** The first process is the agent, and has the file; the server has not. */
function checkDescriptors(processes: readonly number[]): void {
  const hasFile = (pid: number) =>
    isThere(`/proc/${pid}/fd/9`) &&
    Deno.readLinkSync(`/proc/${pid}/fd/9`).endsWith("/.credentials.json");
  assert.ok(hasFile(processes[0]!));
  const servers = processes.filter((pid) =>
    argumentsOf(pid).includes("mcp_server.pl")
  );
  assert.equal(servers.length, 1);
  assert.ok(!hasFile(servers[0]!));
}
