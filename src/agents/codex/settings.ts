/**
 * The `config.toml` of an env's Codex: what the user keeps for it, and what a launch sets. Codex writes into the file by
 * itself at nearly every start, so it cannot be held as it is: it is made anew before each launch, and of what a session
 * wrote only marks are kept that some notice has been seen.
 */
import { parse, stringify, TomlError } from "smol-toml";

/** A TOML document as plain values. */
export type Settings = Record<string, unknown>;

/** What a launch sets. */
export interface LaunchSettings {
  /** Whether a sandbox of ours is around it. */
  readonly confined: boolean;
  /** Whether the project's own instructions count. */
  readonly projectConfig: "load" | "ignore";
  /** MCP servers of the env. */
  readonly servers: Readonly<Record<string, unknown>>;
}

/** A new `config.toml`, and what of the old one is gone. */
export interface MadeSettings {
  readonly text: string;
  /** Top-level keys of the old one with something that stands nowhere else, sorted. */
  readonly dropped: readonly string[];
}

const HEADER =
  `# Written anew by aenv before each launch. What is to stay belongs into
# codex.toml in the directory above; MCP servers into aenv.toml.
`;

/** What the user has seen: the only thing that outlives a session. Each leaf has to be a number or a boolean. */
const SEEN: readonly (readonly string[])[] = [
  ["notice"],
  ["tui", "model_availability_nux"],
  ["tui", "screen_reader_detection_done"],
];

/** Makes the file from the user's own settings and those of the launch; `old` is the file as the last session left it. */
export function makeSettings(
  kept: Settings,
  launch: LaunchSettings,
  old: Settings | undefined,
): MadeSettings {
  // Else it would beat the sandbox_mode below.
  const { default_permissions: _, ...rest } = kept;
  const own = launch.confined ? rest : kept;
  const made = merged(merged(DEFAULTS, own), launchSettings(launch));
  const seen = old === undefined ? {} : seenIn(old);
  return {
    text: HEADER + stringify(merged(seen, made)),
    dropped: old === undefined ? [] : droppedKeys(old, [made, seen]),
  };
}

/** The values of a text; undefined when it is no TOML. */
export function parseSettings(text: string): Settings | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return undefined;
  }
}

/** Addresses that the user's own settings put in the place of the service. */
export function apiUrls(kept: Settings): string[] {
  const providers = kept["model_providers"];
  const own = isTable(providers) ? Object.values(providers) : [];
  return [
    kept["openai_base_url"],
    kept["chatgpt_base_url"],
    ...own.map((provider) => isTable(provider) ? provider["base_url"] : ""),
  ].filter((url) => typeof url === "string" && URL.canParse(url)) as string[];
}

/** What comes from an account, and no env declares: connectors and plugins. The user's own settings may say otherwise. */
const DEFAULTS: Settings = { features: { apps: false, plugins: false } };

/** Those that nobody may change: a second sandbox cannot work in ours, and a server in the background would outlive its env. */
function launchSettings(
  { confined, projectConfig, servers }: LaunchSettings,
): Settings {
  return {
    features: { daemon_auto_start: false },
    ...(Object.keys(servers).length > 0 ? { mcp_servers: servers } : {}),
    ...(projectConfig === "ignore" ? { project_doc_max_bytes: 0 } : {}),
    ...(confined
      ? {
        sandbox_mode: "danger-full-access",
        check_for_update_on_startup: false,
        // They are unpacked where skills must stay as they are.
        skills: { bundled: { enabled: false } },
      }
      : {}),
  };
}

/** Keys that a launch sets in one way or the other: what differs there is nobody's change. */
const OURS: readonly string[] = [
  "check_for_update_on_startup",
  "default_permissions",
  "features",
  "project_doc_max_bytes",
  "sandbox_mode",
  "skills",
];

function droppedKeys(
  old: Settings,
  known: readonly Settings[],
): string[] {
  const all = known.reduce(merged);
  return Object.keys(old).filter((key) =>
    !OURS.includes(key) && !isCovered(old[key], all[key])
  ).sort();
}

/** Whether every leaf of a value is one of another. */
function isCovered(value: unknown, by: unknown): boolean {
  if (isTable(value)) {
    return isTable(by) &&
      Object.entries(value).every(([key, part]) => isCovered(part, by[key]));
  }
  return JSON.stringify(value) === JSON.stringify(by);
}

function seenIn(old: Settings): Settings {
  return SEEN.reduce<Settings>((out, path) => {
    const value = path.reduce<unknown>(
      (at, key) => isTable(at) && Object.hasOwn(at, key) ? at[key] : undefined,
      old,
    );
    const marks = onlyMarks(value);
    if (marks === undefined) return out;
    const table = path.reduceRight<unknown>(
      (inner, key) => ({ [key]: inner }),
      marks,
    );
    return merged(out, table as Settings);
  }, {});
}

/** Numbers and booleans, in tables or alone; all else is left out. */
function onlyMarks(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (!isTable(value)) return undefined;
  const entries = Object.entries(value)
    .map(([key, part]) => [key, onlyMarks(part)] as const)
    .filter(([key, part]) => part !== undefined && /^[\w.-]{1,80}$/.test(key));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Two documents as one; where both say something, the second does. */
function merged(under: Settings, over: Settings): Settings {
  const entries = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const before = entries.get(key);
    const both = isTable(before) && isTable(value);
    entries.set(key, both ? merged(before, value) : value);
  }
  return Object.fromEntries(entries);
}

function isTable(value: unknown): value is Settings {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}
