/** What the user has set up for the agent's terminal face, and what of it an env shows. */

import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { writeJson, writeText } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import { Tmux } from "../support/tmux.ts";
import { type Launcher, World } from "./agent_world.ts";

/** A file of the project that the agent itself suggests. */
const PROJECT_FILE = "known-file.txt";

/** What each way of starting shows of the user's terminal configuration. */
const EXPECTED: Readonly<Record<Launcher, readonly string[]>> = {
  bare: [
    "announcement",
    "file suggestion",
    "key binding",
    "permission mode",
    "spinner",
    "status line",
  ],
  private: [],
  // The agent reads the file in its config directory, which an overlay shares, and knows no switch for it.
  overlay: ["key binding"],
};

for (const agent of claudePrograms()) {
  for (const launcher of ["bare", "private", "overlay"] as const) {
    const what = EXPECTED[launcher].join(", ") || "nothing";
    Deno.test(`in a terminal, ${launcher}, Claude Code ${agent.label}: the agent shows ${what} of the user's`, async () => {
      const steps = [{ text: "STUB-FINAL-ANSWER", delayMs: 1500 }];
      await using world = await World.open({ agent, steps: () => steps });
      const found = await tour(world, launcher);
      assert.deepEqual([...found].sort(), EXPECTED[launcher]);
    });
  }
}

/** What the agent asks some of its users when it starts. */
const OFFER = /as your default permission mode\?/;

/** Starts the agent, and does what would show each item. */
async function tour(
  world: World,
  launcher: Launcher,
): Promise<ReadonlySet<string>> {
  const { home, project, root } = world;
  writeUserFiles(world);
  const editor = `${root}/editor`;
  writeText(editor, `#!/bin/sh\n: > '${root}/editor-ran'\n`);
  await Deno.chmod(editor, 0o755);
  await using tmux = await Tmux.open({
    cwd: project,
    env: { ...world.envOf(launcher), HOME: home, VISUAL: editor },
  });
  const seen: string[] = [];
  const look = async (what: string, isDone: (text: string) => boolean) => {
    await tmux.waitForScreen(what, (lines) => {
      seen.push(...lines);
      return isDone(lines.join("\n"));
    });
  };
  await tmux.start("clear; claude");
  let offers = false;
  await look("input", (text) => {
    offers = OFFER.test(text);
    return offers || /^❯/m.test(text);
  });
  if (offers) {
    await tmux.keys("Escape");
    await look("input", (text) => /^❯/m.test(text));
  }
  await tmux.type("hello");
  await look("answer", (text) => text.includes("STUB-FINAL-ANSWER"));
  await tmux.keys("C-y");
  if (EXPECTED[launcher].includes("key binding")) {
    await waitFor("the editor", () => exists(`${root}/editor-ran`));
  }
  await tmux.keys("@");
  await look("suggestion", (text) => /SUGGESTED|known-file/.test(text));
  const text = seen.join("\n");
  const found = new Set<string>();
  for (const [name, pattern] of Object.entries(MARKS)) {
    if (pattern.test(text)) found.add(name);
  }
  if (exists(`${root}/editor-ran`)) found.add("key binding");
  return found;
}

/** What each item looks like on the screen. */
const MARKS: Readonly<Record<string, RegExp>> = {
  "announcement": /ANNOUNCED/,
  "file suggestion": /SUGGESTED/,
  "permission mode": /plan mode on/,
  "spinner": /SPINNING/,
  "status line": /STATUS-LINE/,
};

function writeUserFiles(world: World): void {
  const { home, project } = world;
  world.writeUserState([project]);
  writeText(`${project}/${PROJECT_FILE}`, "");
  writeJson(`${home}/.claude/settings.json`, {
    statusLine: { type: "command", command: "echo STATUS-LINE" },
    companyAnnouncements: ["ANNOUNCED"],
    spinnerVerbs: { mode: "replace", verbs: ["SPINNING"] },
    fileSuggestion: { type: "command", command: "echo SUGGESTED" },
    permissions: { defaultMode: "plan" },
  });
  writeJson(`${home}/.claude/keybindings.json`, {
    bindings: [{
      context: "Chat",
      bindings: { "ctrl+y": "chat:externalEditor" },
    }],
  });
}

function exists(path: string): true | undefined {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
