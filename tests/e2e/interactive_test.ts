/** In a terminal, an agent in an env behaves like the bare one: keys, signals, job control, dialogs. */

import assert from "node:assert/strict";
import { writeJson } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import { programOf, Tmux } from "../support/tmux.ts";
import { ISOLATIONS, type Launcher, World } from "./agent_world.ts";

/** The agent's empty input field between two rules. */
const INPUT = /^❯/;
const FOOTER = /auto mode on|\? for shortcuts/;
const TRUST_DIALOG = /Yes, I trust this folder/;

/** What a person in front of the terminal, and the shell behind it, can tell. */
interface Behaviour {
  /** Exit code that the shell sees after each way of ending. */
  readonly exitCodes: Readonly<Record<string, number>>;
  /** What the kernel keeps for the process: signals, limits, umask. */
  readonly process: string;
}

let bareBehaviour: Promise<Behaviour> | undefined;

/** How the bare agent behaves; found out once. */
function behaviourOfBare(): Promise<Behaviour> {
  return bareBehaviour ??= behaviourOf("bare");
}

Deno.test("the bare agent ends as documented", async () => {
  const { exitCodes } = await behaviourOfBare();
  assert.deepEqual(exitCodes, {
    "/exit": 0,
    "Ctrl-C twice": 0,
    "Ctrl-Z": 148,
    SIGINT: 0,
    SIGTERM: 143,
  });
});

for (const isolation of ISOLATIONS) {
  Deno.test(`in a terminal, ${isolation} env: keys, signals, job control and window as with the bare agent`, async () => {
    assert.deepEqual(await behaviourOf(isolation), await behaviourOfBare());
  });
}

async function behaviourOf(launcher: Launcher): Promise<Behaviour> {
  await using world = await World.open();
  world.writeUserState([world.project]);
  await using tmux = await openTerminal(world, launcher);
  const exitCodes: Record<string, number> = {};
  const agent = await startAgent(tmux);
  // The shim is gone: it became the agent.
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
  assert.equal(await tmux.foreground(), agent);
  await tmux.keys("C-c");
  await tmux.waitForLine(/Press Ctrl-C again to exit/);
  await tmux.keys("C-c");
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

for (const launcher of ISOLATIONS) {
  Deno.test(`a project that brings no agent files starts at the input, first launch, ${launcher} env`, async () => {
    await using world = await World.open();
    // A private env asks nothing although this user never ran the agent; an overlay shares the user's state.
    if (launcher === "overlay") world.writeUserState([world.project]);
    await using tmux = await openTerminal(world, launcher);
    await startAgent(tmux);
    assert.ok(!(await tmux.screen()).some((line) => TRUST_DIALOG.test(line)));
  });
}

for (const launcher of ["bare", ...ISOLATIONS] as const) {
  Deno.test(`a repository with hooks is asked about when the user does not trust it, ${launcher}`, async () => {
    await using world = await World.open();
    const mark = writeHook(world);
    world.writeUserState([]);
    await using tmux = await openTerminal(world, launcher);
    await tmux.start("clear; claude");
    await tmux.waitForLine(TRUST_DIALOG);
    assert.ok(!exists(mark));
  });

  Deno.test(`a repository with hooks starts at the input when the user trusts it, ${launcher}`, async () => {
    await using world = await World.open();
    const mark = writeHook(world);
    world.writeUserState([`${world.home}/work`]);
    await using tmux = await openTerminal(world, launcher);
    await startAgent(tmux);
    await waitFor("the hook", () => exists(mark) || undefined);
  });
}

Deno.test("an empty directory is no reason to trust what appears in it or below it later", async () => {
  await using world = await World.open();
  await using tmux = await openTerminal(world, "private", {
    cwd: world.home,
  });
  for (const directory of [world.home, world.project]) {
    await tmux.start(`cd '${directory}'`);
    await tmux.exitCode();
    await startAgent(tmux);
    await tmux.type("/exit");
    assert.equal(await tmux.exitCode(), 0);
  }
  const mark = writeHook(world);
  await tmux.start("clear; claude");
  await tmux.waitForLine(TRUST_DIALOG);
  assert.ok(!exists(mark));
  // A yes in the dialog is the user's own: it lasts.
  await sayYes(tmux);
  await waitForInput(tmux);
  await tmux.type("/exit");
  assert.equal(await tmux.exitCode(), 0);
  await startAgent(tmux);
});

for (const isApproved of [true, false]) {
  const outcome = isApproved ? "is used" : "is asked about";
  Deno.test(`an API key that the user ${isApproved ? "has" : "has not"} approved ${outcome}, private env`, async () => {
    await using world = await World.open();
    const key = "sk-ant-api03-0123456789-abcdefghijklmnopqrstuvwxyz";
    const approved = isApproved ? [key.slice(-20)] : [];
    world.writeUserState([], { customApiKeyResponses: { approved } });
    await using tmux = await openTerminal(world, "private", {
      env: { ANTHROPIC_API_KEY: key },
    });
    if (isApproved) {
      await startAgent(tmux);
    } else {
      await tmux.start("clear; claude");
      await tmux.waitForLine(/Do you want to use this API key\?/);
    }
  });
}

function openTerminal(
  world: World,
  launcher: Launcher,
  more: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Tmux> {
  const env = { ...world.envOf(launcher), ...more.env };
  return Tmux.open({ cwd: more.cwd ?? world.project, env });
}

/** Starts the agent, waits for its input field, and returns its process id. */
async function startAgent(tmux: Tmux): Promise<number> {
  await tmux.start("clear; claude");
  await waitForInput(tmux);
  return await tmux.foreground();
}

async function waitForInput(tmux: Tmux): Promise<void> {
  await tmux.waitForScreen(
    "the agent's input",
    (lines) =>
      lines.some((line) => INPUT.test(line)) &&
      lines.some((line) => FOOTER.test(line)),
  );
}

/** Answers the trust dialog. Shortly after it appeared it draws itself anew and forgets the keys before: only a choice that lasts counts. */
async function sayYes(tmux: Tmux): Promise<void> {
  let pressedAt = 0;
  let chosenAt = 0;
  await waitFor("a lasting choice", async () => {
    const isChosen = (await tmux.screen()).some((line) =>
      /❯ Yes, I trust this folder/.test(line)
    );
    if (isChosen) {
      chosenAt ||= Date.now();
      return Date.now() - chosenAt > 1000 || undefined;
    }
    chosenAt = 0;
    if (Date.now() - pressedAt < 500) return undefined;
    pressedAt = Date.now();
    await tmux.keys("Down");
  });
  await tmux.keys("Enter");
}

/** Waits until the rules around the input are as wide as the terminal. */
async function waitForRule(tmux: Tmux, columns: number): Promise<void> {
  await tmux.waitForScreen(
    `a rule of ${columns}`,
    (lines) =>
      lines.filter((line) => line === "─".repeat(columns)).length === 2,
  );
}

/** Gives the project a hook; returns the file that it makes. */
function writeHook(world: World): string {
  const mark = `${world.root}/hook-ran`;
  const hooks = [{ type: "command", command: `touch '${mark}'` }];
  writeJson(`${world.project}/.claude/settings.json`, {
    hooks: { SessionStart: [{ hooks }] },
  });
  return mark;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
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
