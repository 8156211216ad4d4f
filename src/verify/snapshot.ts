/**
 * A copy of the user's agent configuration for the overlay mode. There the agent works on the user's own directory, and
 * every run counts something in its state file: verify looks at a copy instead, in which an item that leaked would be seen.
 */
import { claude } from "../agents/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import {
  copyFile,
  ensureDir,
  makeDir,
  readDir,
  stat,
  writeNew,
} from "../os/fs.ts";

/** What of a config directory can reach a session, besides its settings and state. */
const PARTS = [
  "CLAUDE.md",
  "AGENTS.md",
  "settings.json",
  "rules",
  "skills",
  "agents",
  "commands",
  "output-styles",
  "workflows",
  "themes",
  "hooks",
  "keybindings.json",
  "plugins/installed_plugins.json",
  "plugins/known_marketplaces.json",
];
/** Parts of the state file that belong to the login. */
const LOGIN_KEYS = [
  "oauthAccount",
  "primaryApiKey",
  "customApiKeyResponses",
  "claudeAiOauth",
];
const SKIPPED = new Set([".git", "node_modules", "__pycache__"]);
const MAX_FILE = 1024 * 1024;
const MAX_FILES = 4000;
const MAX_DEPTH = 12;

/** Copies what is configuration from the user's directory to `target`, which must not exist. Returns whether all of it fitted. */
export function snapshotUserConfig(
  user: claude.UserConfig,
  target: AbsPath,
): boolean {
  makeDir(target);
  const budget = { files: MAX_FILES, cut: false };
  for (const part of PARTS) {
    copy(join(user.dir, part), join(target, part), { budget, depth: 0 });
  }
  for (const { name } of readDir(join(user.dir, "projects")) ?? []) {
    const memory = `projects/${name}/memory`;
    copy(join(user.dir, memory), join(target, memory), { budget, depth: 0 });
  }
  const state = claude.readJsonObject(user.stateFile);
  if (state !== undefined) {
    const kept = Object.entries(state).filter(([key]) =>
      !LOGIN_KEYS.includes(key)
    );
    writeNew(
      join(target, claude.STATE_FILE),
      JSON.stringify(Object.fromEntries(kept)),
    );
  }
  return !budget.cut;
}

interface Progress {
  readonly budget: { files: number; cut: boolean };
  readonly depth: number;
}

/** Copies a file or a tree; links are followed, since configurations are often links into a repository. */
function copy(from: AbsPath, to: AbsPath, progress: Progress): void {
  const { budget, depth } = progress;
  const info = stat(from);
  if (info?.kind === "directory") {
    if (depth >= MAX_DEPTH) budget.cut = true;
    else {
      for (const { name } of readDir(from) ?? []) {
        if (SKIPPED.has(name)) continue;
        copy(join(from, name), join(to, name), { budget, depth: depth + 1 });
      }
    }
    return;
  }
  if (info?.kind !== "file" || info.size > MAX_FILE) return;
  if (budget.files-- <= 0) {
    budget.cut = true;
    return;
  }
  ensureDir(join(to, ".."));
  copyFile(from, to);
}
