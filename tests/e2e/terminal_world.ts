/** The agent in a terminal: what a person in front of it, and the shell behind it, can tell. */

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { programOf, Tmux } from "../support/tmux.ts";
import { type Launcher, World } from "./agent_world.ts";

/** The agent's empty input field between two rules. */
const INPUT = /^❯/;
const FOOTER = /auto mode on|\? for shortcuts/;

/** What a person in front of the terminal, and the shell behind it, can tell. */
export interface Behaviour {
  /** Exit code that the shell sees after each way of ending. */
  readonly exitCodes: Readonly<Record<string, number>>;
  /** What the kernel keeps for the process: signals, limits, umask. */
  readonly process: string;
}

let bareBehaviour: Promise<Behaviour> | undefined;

/** How the bare agent behaves; found out once. */
export function behaviourOfBare(): Promise<Behaviour> {
  return bareBehaviour ??= behaviourOf("bare");
}

/** How the agent behaves when it is started so. `prepare` changes the world before; `isSupervised`: a process of ours stays. */
export async function behaviourOf(
  launcher: Launcher,
  options: {
    readonly prepare?: (world: World) => Promise<void>;
    readonly env?: Readonly<Record<string, string>>;
    readonly isSupervised?: boolean;
  } = {},
): Promise<Behaviour> {
  await using world = await World.open();
  world.writeUserState([world.project]);
  await options.prepare?.(world);
  await using tmux = await openTerminal(world, launcher, {
    env: { ...options.env },
  });
  const exitCodes: Record<string, number> = {};
  const job = await startAgent(tmux);
  // Mostly the shim is gone: it became the agent.
  const agent = options.isSupervised ? await childOf(job) : job;
  assert.equal(
    await programOf(agent),
    await Deno.realPath(world.agent.path),
  );
  const process = await kernelStateOf(agent);
  await tmux.resize(70, 30);
  await waitForRule(tmux, 70);
  await tmux.keys("C-z");
  exitCodes["Ctrl-Z"] = await tmux.exitCode();
  await tmux.start("fg");
  await waitForInput(tmux);
  assert.equal(await tmux.foreground(), job);
  await leaveByKeys(tmux);
  exitCodes["Ctrl-C twice"] = await tmux.exitCode();
  await startAgent(tmux);
  await tmux.type("hello");
  await tmux.waitForLine(/STUB-FINAL-ANSWER/);
  await tmux.type("/exit");
  exitCodes["/exit"] = await tmux.exitCode();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.kill(await startAgent(tmux), signal);
    exitCodes[signal] = await tmux.exitCode();
  }
  return { exitCodes, process };
}

const ASKS_AGAIN = /Press Ctrl-C again to exit/;

/** Presses Ctrl-C twice. The agent forgets the first after a moment: where the machine was slower than that, once more. */
async function leaveByKeys(tmux: Tmux): Promise<void> {
  let isThere = true;
  while (isThere) {
    await tmux.keys("C-c");
    await tmux.waitForLine(ASKS_AGAIN);
    await tmux.keys("C-c");
    const screen = await tmux.waitForScreen(
      "the end, or the agent as before",
      (lines) => !lines.some((line) => ASKS_AGAIN.test(line)),
    );
    isThere = screen.some((line) => FOOTER.test(line));
  }
}

/** The only process that a process has started in its own session and still has. */
async function childOf(pid: number): Promise<number> {
  const { stdout } = await run("ps", ["-eo", "pid=,ppid=,sess="], {
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    cwd: "/",
  });
  const rows = stdout.trim().split("\n").map((line) =>
    line.trim().split(/\s+/).map(Number)
  );
  const session = rows.find(([each]) => each === pid)![2];
  const children = rows.filter(([, parent, own]) =>
    parent === pid && own === session
  );
  assert.equal(children.length, 1);
  return children[0]![0]!;
}

/** Opens a terminal in the project, where `claude` is this launcher's. */
export function openTerminal(
  world: World,
  launcher: Launcher,
  more: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Tmux> {
  const env = { ...world.envOf(launcher), ...more.env };
  return Tmux.open({ cwd: more.cwd ?? world.project, env });
}

/** Starts the agent, waits for its input field, and returns its process id. */
export async function startAgent(tmux: Tmux): Promise<number> {
  await tmux.start("clear; claude");
  await waitForInput(tmux);
  return await tmux.foreground();
}

/** Waits for the agent's empty input field. */
export async function waitForInput(tmux: Tmux): Promise<void> {
  await tmux.waitForScreen(
    "the agent's input",
    (lines) =>
      lines.some((line) => INPUT.test(line)) &&
      lines.some((line) => FOOTER.test(line)),
  );
}

/** Waits until the rules around the input are as wide as the terminal. */
async function waitForRule(tmux: Tmux, columns: number): Promise<void> {
  await tmux.waitForScreen(
    `a rule of ${columns}`,
    (lines) =>
      lines.filter((line) => line === "─".repeat(columns)).length === 2,
  );
}

/** Blocked and ignored signals, umask, privileges and limits of a process; nothing where there is no /proc. */
async function kernelStateOf(pid: number): Promise<string> {
  if (Deno.build.os !== "linux") return "";
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const lines = status.split("\n").filter((line) =>
    /^(Umask|SigIgn|NoNewPrivs|Seccomp|CapEff|Cpus_allowed):/.test(line)
  );
  const limits = await Deno.readTextFile(`/proc/${pid}/limits`);
  const blocked = await blockedSignalsOf(pid);
  return [`SigBlk: ${blocked.toString(16)}`, ...lines, limits].join("\n");
}

/** Signals that stay blocked: while it starts another process, any program blocks all for a moment. */
async function blockedSignalsOf(pid: number): Promise<bigint> {
  let mask = -1n;
  const deadline = Date.now() + 3000;
  while (mask !== 0n && Date.now() < deadline) {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    mask &= BigInt("0x" + /^SigBlk:\s*([0-9a-f]+)$/m.exec(status)![1]!);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return mask;
}
