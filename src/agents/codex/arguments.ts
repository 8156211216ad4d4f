/** Arguments of Codex: what a launch adds, and what the caller may not say inside a sandbox of ours. */
import { AppError, ExitCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { AbsPath } from "../../base/paths.ts";
import { inlineToml } from "./inline_toml.ts";

/** What differs from launch to launch. */
export interface LaunchArguments {
  /** Root of the project, and whether its `.codex` counts; undefined leaves the question to Codex. */
  readonly project: AbsPath;
  readonly trust: "trusted" | "untrusted" | undefined;
  /** MCP servers that are there for this launch only. */
  readonly servers: Readonly<Record<string, unknown>>;
  /** `SKILL.md` files that shall not be loaded. */
  readonly hiddenSkills: readonly AbsPath[];
  /** `[[skills.config]]` of the env's own settings, which an argument would replace. */
  readonly ownSkills: readonly unknown[];
}

/** The arguments in front of the caller's. */
export function launchArguments(
  { project, trust, servers, hiddenSkills, ownSkills }: LaunchArguments,
): string[] {
  const hidden = hiddenSkills.map((path) => ({ path, enabled: false }));
  const settings: Record<string, unknown> = {
    ...(trust === undefined
      ? {}
      : { projects: { [project]: { trust_level: trust } } }),
    ...(Object.keys(servers).length > 0 ? { mcp_servers: servers } : {}),
    ...(hidden.length > 0
      ? { "skills.config": [...ownSkills, ...hidden] }
      : {}),
  };
  return Object.entries(settings).flatMap(([key, value]) => [
    "-c",
    `${key}=${inlineToml(value)}`,
  ]);
}

/** Options that ask for Codex's own sandbox. Their value, where they have one, follows or stands behind `=`. */
const SANDBOX_OPTIONS = ["-s", "--sandbox"];
const SANDBOX_SWITCHES = ["--full-auto", "--approve-for-me"];
const CONFIG_OPTIONS = ["-c", "--config"];
const OFF = "danger-full-access";

/** Throws `ARGUMENT_REFUSED` (exit 3) when the caller asks for a second sandbox, which cannot work inside ours. */
export function checkArguments(args: readonly string[]): void {
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  words.forEach((word, i) => {
    const [name = "", ...rest] = word.split("=");
    const value = rest.length > 0 ? rest.join("=") : words[i + 1] ?? "";
    const asks = SANDBOX_SWITCHES.includes(word) ||
      (SANDBOX_OPTIONS.includes(name) && value !== OFF) ||
      (CONFIG_OPTIONS.includes(name) && /^\s*sandbox_mode\s*=/.test(value) &&
        !value.includes(OFF));
    if (asks) throw refusal(name);
  });
}

function refusal(option: string): AppError {
  return new AppError(
    "ARGUMENT_REFUSED",
    `Cannot start codex with ${
      quote(option)
    }: its own sandbox cannot work inside the one of the environment`,
    {
      hint: "Leave it out; what holds is shown by: aenv sandbox explain",
      exitCode: ExitCode.refused,
    },
  );
}
