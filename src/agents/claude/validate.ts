/**
 * Checks what we hand to the agent. It ignores a settings file with one wrong type as a whole, without an error: everything
 * that keeps foreign configuration out would be gone.
 */
import { AppError, ExitCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { isRecord } from "./user_config.ts";

type Check = (value: unknown) => boolean;

function text(value: unknown): boolean {
  return typeof value === "string";
}

function flag(value: unknown): boolean {
  return typeof value === "boolean";
}

function number(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

function listOf(item: Check): Check {
  return (value) => Array.isArray(value) && value.every(item);
}

function tableOf(item: Check): Check {
  return (value) => isRecord(value) && Object.values(value).every(item);
}

function oneOf(...choices: string[]): Check {
  return (value) => choices.includes(value as string);
}

function shape(
  required: Record<string, Check>,
  optional: Record<string, Check> = {},
): Check {
  return (value) =>
    isRecord(value) &&
    Object.entries(required).every(([key, check]) => check(value[key])) &&
    Object.entries(optional).every(([key, check]) =>
      value[key] === undefined || check(value[key])
    );
}

const HOOK = shape({ type: oneOf("command", "prompt", "agent", "http") }, {
  command: text,
  prompt: text,
  timeout: number,
});
const MATCHER = shape({ hooks: listOf(HOOK) }, { matcher: text });
const PERMISSIONS = shape({}, {
  allow: listOf(text),
  ask: listOf(text),
  deny: listOf(text),
  additionalDirectories: listOf(text),
  defaultMode: oneOf(
    "default",
    "acceptEdits",
    "plan",
    "bypassPermissions",
    "dontAsk",
    "auto",
  ),
  disableBypassPermissionsMode: oneOf("disable"),
});

/** The settings whose types we know. A caller may pass these and no others. */
const SETTINGS: Readonly<Record<string, Check>> = {
  alwaysThinkingEnabled: flag,
  apiKeyHelper: text,
  attribution: shape({}, { commit: text, pr: text }),
  autoMemoryEnabled: flag,
  awsAuthRefresh: text,
  awsCredentialExport: text,
  claudeMdExcludes: listOf(text),
  cleanupPeriodDays: number,
  disableAllHooks: flag,
  disableClaudeAiConnectors: flag,
  disabledMcpjsonServers: listOf(text),
  enableAllProjectMcpServers: flag,
  enabledMcpjsonServers: listOf(text),
  enabledPlugins: tableOf(flag),
  env: tableOf(text),
  fastMode: flag,
  forceLoginMethod: oneOf("claudeai", "console"),
  hooks: tableOf(listOf(MATCHER)),
  includeCoAuthoredBy: flag,
  language: text,
  model: text,
  outputStyle: text,
  permissions: PERMISSIONS,
  prefersReducedMotion: flag,
  respectGitignore: flag,
  // The agent's own; the whole of it has many parts.
  sandbox: tableOf(flag),
  skillOverrides: tableOf(
    oneOf("on", "off", "name-only", "user-invocable-only"),
  ),
  skipDangerousModePermissionPrompt: flag,
  spinnerTipsEnabled: flag,
  statusLine: shape({ type: oneOf("command"), command: text }, {
    padding: number,
  }),
};

/** Throws `ARGUMENT_REFUSED` (exit 3) unless every setting is known and has its type. */
export function validateSettings(
  settings: Readonly<Record<string, unknown>>,
): void {
  for (const [key, value] of Object.entries(settings)) {
    const check = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : undefined;
    if (check?.(value)) continue;
    const state = check === undefined
      ? "aenv does not know it"
      : "it does not have its type";
    throw new AppError(
      "ARGUMENT_REFUSED",
      `Cannot pass the setting ${quote(key)} to claude: ${state}`,
      {
        hint:
          "The agent would drop all settings because of it: take it out of --settings",
        exitCode: ExitCode.refused,
      },
    );
  }
}

const STDIO = shape({ command: text }, {
  type: oneOf("stdio"),
  args: listOf(text),
  env: tableOf(text),
});
const REMOTE = shape({ type: oneOf("http", "sse", "ws"), url: text }, {
  headers: tableOf(text),
});

/** Throws `CONTENT_INVALID` (exit 3) for a server that the agent could not start; one wrong entry loses the whole file. */
export function validateServers(
  servers: Readonly<Record<string, unknown>>,
): void {
  for (const [name, entry] of Object.entries(servers)) {
    if (STDIO(entry) || REMOTE(entry)) continue;
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot start MCP server ${quote(name)}: its declaration is not valid`,
      {
        hint:
          "It needs a command, or a type (http or sse) and a url; all values are strings",
        exitCode: ExitCode.refused,
      },
    );
  }
}
