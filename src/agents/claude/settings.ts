/** The generated settings file. */
import { isRecord } from "./user_config.ts";
import type { ProjectFacts } from "./project.ts";

/** What the settings depend on. */
export interface SettingsInput {
  readonly isolation: "private" | "overlay";
  readonly project: ProjectFacts;
  /** Whether the project's files are loaded. */
  readonly loads: boolean;
  /** Settings that the caller passed with `--settings`. */
  readonly callers: Readonly<Record<string, unknown>>;
  /** Whether the whole agent is in a sandbox of ours. */
  readonly confined: boolean;
}

/** The contents of settings.json: the caller's settings under ours, which keep foreign items out. */
export function renderSettings(input: SettingsInput): Record<string, unknown> {
  const { isolation } = input;
  const project = input.loads ? input.project : undefined;
  const overlay = isolation === "overlay";
  const denied = [
    // Sessions of other envs share the config directory in overlay mode.
    ...(overlay ? ["ListAgents", "SendMessage"] : []),
    ...(project?.foreign.agents ?? []).map((name) => `Agent(${name})`),
  ];
  const ours: Record<string, unknown> = {
    disableClaudeAiConnectors: true,
    // One inside ours could not be set up, and would say that it protects.
    ...(input.confined ? { sandbox: { enabled: false } } : {}),
    ...(overlay ? { autoMemoryEnabled: false } : {}),
    claudeMdExcludes: project
      ? memoryExcludes(project.above, project.linkedMemory)
      : ignoredRules(input.project),
    ...(project && project.foreign.mcpServers.length > 0
      ? { disabledMcpjsonServers: project.foreign.mcpServers }
      : {}),
    ...(project && project.foreign.skills.length > 0
      ? {
        skillOverrides: Object.fromEntries(
          project.foreign.skills.map((name) => [name, "off"]),
        ),
      }
      : {}),
    ...(denied.length > 0 ? { permissions: { deny: denied } } : {}),
  };
  return mergeSettings(input.callers, ours);
}

/**
 * Where no project is loaded, 2.1.197 still takes in a rule that names paths, when it reads such a file. The env's own
 * rules lie in a directory that is not called `.claude`.
 */
function ignoredRules(project: ProjectFacts): string[] {
  const linked = [...project.linkedMemory, ...project.ownLinkedMemory];
  return ["/**/.claude/**", ...memoryExcludes([], linked)];
}

/** Glob patterns that match every memory file of `dirs`, and everything at or below `places`. */
export function memoryExcludes(
  dirs: readonly string[],
  places: readonly string[],
): string[] {
  const linked = places.map(globLiteral).flatMap((
    place,
  ) => [place, `${place}/**`]);
  const direct = dirs.flatMap((dir) => {
    const base = globLiteral(dir === "/" ? "" : dir);
    return ["CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", ".claude/**"].map((
      name,
    ) => `${base}/${name}`);
  });
  return [...direct, ...linked];
}

/** A path as a glob that matches it: the agent turns backslashes into slashes, so special characters become `?`. */
function globLiteral(path: string): string {
  return path.replace(/[^A-Za-z0-9/_.-]/gu, "?");
}

/** `over` on top of `under`: tables are merged, lists joined, `over` wins elsewhere. */
export function mergeSettings(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = Object.hasOwn(out, key) ? out[key] : undefined;
    if (isRecord(before) && isRecord(value)) {
      out[key] = mergeSettings(before, value);
    } else if (Array.isArray(before) && Array.isArray(value)) {
      out[key] = [...new Set([...before, ...value])];
    } else out[key] = value;
  }
  return out;
}
