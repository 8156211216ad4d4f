/** The user's own Claude Code configuration: where it is and what it says about trust. Never written here. */
import {
  type AbsPath,
  isWithin,
  join,
  parseAbsPath,
} from "../../base/paths.ts";
import { dirsAt } from "../../base/dirs.ts";
import { readText } from "../../os/fs.ts";
import { holdsLogin } from "./login.ts";

/** Places of the user's own configuration. */
export interface UserConfig {
  /** `$CLAUDE_CONFIG_DIR`, else `~/.claude`. */
  readonly dir: AbsPath;
  /** The state file: inside the directory where that is set explicitly, else `~/.claude.json`. */
  readonly stateFile: AbsPath;
  /** Whether the caller set `$CLAUDE_CONFIG_DIR`. */
  readonly explicit: boolean;
  /** Where the login is kept. */
  readonly loginDir: AbsPath;
}

/** The variables that say where it is. */
export const CONFIG_VARIABLES: readonly string[] = [
  "CLAUDE_CONFIG_DIR",
  "CLAUDE_SECURESTORAGE_CONFIG_DIR",
];

/** Finds the user's configuration. A `$CLAUDE_CONFIG_DIR` below `ours` is a slot, not the user's. */
export function userConfig(
  env: Readonly<Record<string, string>>,
  home: AbsPath,
  ours: AbsPath,
): UserConfig {
  const set = env["CLAUDE_CONFIG_DIR"];
  const explicit = set && !isWithin(set, ours)
    ? parseAbsPath(set, "$CLAUDE_CONFIG_DIR")
    : undefined;
  const dir = explicit ?? join(home, ".claude");
  const login = env["CLAUDE_SECURESTORAGE_CONFIG_DIR"];
  const moved = dirsAt(ours).login;
  return {
    dir,
    stateFile: explicit
      ? join(explicit, ".claude.json")
      : join(home, ".claude.json"),
    explicit: explicit !== undefined,
    loginDir: login && !isWithin(login, ours)
      ? parseAbsPath(login, "$CLAUDE_SECURESTORAGE_CONFIG_DIR")
      : holdsLogin(moved, dir)
      ? moved
      : dir,
  };
}

/** The projects table of a state file; empty when the file is missing or no JSON object. */
function readProjects(
  stateFile: AbsPath,
): Record<string, Record<string, unknown>> {
  return asRecord(readJsonObject(stateFile)?.["projects"]) as Record<
    string,
    Record<string, unknown>
  >;
}

/** Whether the state file says that the user trusts `dir` or a directory above it. */
export function isTrusted(
  stateFile: AbsPath,
  dirs: readonly AbsPath[],
): boolean {
  const projects = readProjects(stateFile);
  return dirs.some((dir) =>
    asRecord(projects[dir])["hasTrustDialogAccepted"] === true
  );
}

/** How the agent writes down an API key that it has asked about: its last characters. */
const KEY_END = 20;

/** The end of the API key in `env`, if the user has approved that key in their own state file. */
export function approvedApiKey(
  env: Readonly<Record<string, string>>,
  stateFile: AbsPath,
): string | undefined {
  const end = env["ANTHROPIC_API_KEY"]?.slice(-KEY_END);
  if (!end) return undefined;
  const state = readJsonObject(stateFile) ?? {};
  return answerFor(end, state) === "approved" ? end : undefined;
}

/** What a state file says about the API key with this end; undefined when nobody was asked yet. */
export function answerFor(
  end: string,
  state: Readonly<Record<string, unknown>>,
): "approved" | "rejected" | undefined {
  const answers = asRecord(state["customApiKeyResponses"]);
  return (["approved", "rejected"] as const).find((answer) =>
    asList(answers[answer]).includes(end)
  );
}

/** A JSON object from a file of somebody else's; undefined when it is missing or anything else. */
export function readJsonObject(
  path: AbsPath,
): Record<string, unknown> | undefined {
  const text = readText(path, 64 * 1024 * 1024);
  return text === undefined ? undefined : parseJsonObject(text);
}

/** The JSON object that a text is; undefined when it is anything else. */
export function parseJsonObject(
  text: string,
): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return isRecord(value) ? value : undefined;
  } catch (error) {
    // The agent ignores a file that does not parse, and so do we.
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Whether `value` is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `value` as a JSON object; empty when it is none. */
export function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** Where an organisation's policy lies. Applies in every env by design. */
export function managedDir(os: "linux" | "darwin" | "windows"): AbsPath {
  if (os === "darwin") {
    return "/Library/Application Support/ClaudeCode" as AbsPath;
  }
  return (os === "windows"
    ? "C:\\Program Files\\ClaudeCode"
    : "/etc/claude-code") as AbsPath;
}

/** `value` as a JSON array; empty when it is none. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
