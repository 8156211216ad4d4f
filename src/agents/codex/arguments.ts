/** Arguments of Codex: what a launch adds, and what the caller may not say inside a sandbox of ours. */
import { AppError, ExitCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { AbsPath } from "../../base/paths.ts";
import { inlineToml } from "./inline_toml.ts";

/** What switches Codex's own sandbox off. */
const OFF = "danger-full-access";

/** What differs from launch to launch. */
export interface LaunchArguments {
  /** Whether a sandbox of ours is around it. */
  readonly confined: boolean;
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
  { confined, project, trust, ...rest }: LaunchArguments,
): string[] {
  const { servers, hiddenSkills, ownSkills } = rest;
  const hidden = hiddenSkills.map((path) => ({ path, enabled: false }));
  const settings: Record<string, unknown> = {
    // Profiles and the project's own settings say otherwise than the file that we write; no file beats an argument.
    ...(confined ? { sandbox_mode: OFF } : {}),
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

/** Words that ask for Codex's own sandbox by themselves. */
const SANDBOX_SWITCHES = ["--full-auto", "--approve-for-me"];
/** Settings by which it is chosen, with the value that switches it off. The second beats the first. */
const SANDBOX_SETTINGS: ReadonlyMap<string, string> = new Map([
  ["sandbox_mode", OFF],
  ["default_permissions", `:${OFF}`],
]);

/** An option that takes a value. */
interface Option {
  /** As it was written, without the value. */
  readonly name: string;
  readonly value: string;
}

/** Throws `ARGUMENT_REFUSED` (exit 3) when the caller asks for a second sandbox, which cannot work inside ours. */
export function checkArguments(args: readonly string[]): void {
  // The command that runs others in that sandbox.
  if (args[0] === "sandbox") throw refusal("sandbox");
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  words.forEach((word, i) => {
    if (SANDBOX_SWITCHES.includes(word)) throw refusal(word);
    const next = words[i + 1] ?? "";
    const mode = optionOf(word, next, ["-s", "--sandbox"]);
    if (mode !== undefined && mode.value !== OFF) throw refusal(mode.name);
    const config = optionOf(word, next, ["-c", "--config"]);
    const key = config && sandboxSetting(config.value);
    if (key !== undefined) throw refusal(`${config!.name} ${key}`);
  });
}

/** The value of an option in each of its forms: `-s VALUE`, `-sVALUE`, `-s=VALUE`, `--sandbox VALUE`, `--sandbox=VALUE`. */
function optionOf(
  word: string,
  next: string,
  [short, long]: readonly [string, string],
): Option | undefined {
  if (word === short || word === long) return { name: word, value: next };
  if (word.startsWith(`${long}=`)) {
    return { name: long, value: word.slice(long.length + 1) };
  }
  if (!word.startsWith(short)) return undefined;
  return { name: short, value: word.slice(short.length).replace(/^=/, "") };
}

/** The key, when a `key=value` chooses that sandbox. */
function sandboxSetting(text: string): string | undefined {
  const cut = text.indexOf("=");
  const key = text.slice(0, cut < 0 ? undefined : cut).trim();
  const off = SANDBOX_SETTINGS.get(key);
  // A text without quotes is taken as it is.
  const value = text.slice(key === text ? text.length : cut + 1).trim();
  const isOff = [off, `"${off}"`, `'${off}'`].includes(value);
  return off === undefined || isOff ? undefined : key;
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
