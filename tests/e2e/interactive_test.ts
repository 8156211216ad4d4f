/** In a terminal, an agent in an env behaves like the bare one: keys, signals, job control, dialogs. */

import assert from "node:assert/strict";
import { writeJson } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import type { Tmux } from "../support/tmux.ts";
import { ISOLATIONS, World } from "./agent_world.ts";
import {
  behaviourOf,
  behaviourOfBare,
  openTerminal,
  startAgent,
  waitForInput,
} from "./terminal_world.ts";

const TRUST_DIALOG = /Yes, I trust this folder/;

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
