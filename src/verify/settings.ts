/** The settings files that count in a launch, and what they say together. */
import type { OpenEnv } from "../env/mod.ts";
import { claude } from "../agents/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { readDir } from "../os/fs.ts";
import { From } from "./types.ts";

type Json = Readonly<Record<string, unknown>>;

/** One settings file. */
export interface SettingsFile {
  readonly from: string;
  readonly file: AbsPath;
  readonly settings: Json;
}

/** Where to look. */
export interface SettingsPlace {
  readonly env: OpenEnv;
  readonly project: claude.ProjectFacts;
  /** Whether the project's files count. */
  readonly loadsProject: boolean;
  readonly managed: AbsPath;
}

/** The settings files that a launch reads, weakest first; those we generate are not among them. */
export function settingsFiles(place: SettingsPlace): SettingsFile[] {
  const { env, project, managed } = place;
  const local = [...new Set([project.root, project.cwd])];
  const files: [string, AbsPath][] = [
    ...(env.manifest.isolation === "private"
      ? [[From.own, join(env.slot.claude, "settings.json")] as const]
      : []),
    ...(place.loadsProject
      ? [
        [From.project, join(project.cwd, ".claude", "settings.json")] as const,
        ...local.map((dir) =>
          [From.project, join(dir, ".claude", "settings.local.json")] as const
        ),
      ]
      : []),
    ...managedFiles(managed).map((file) => [From.policy, file] as const),
  ].map(([from, file]) => [from, file]);
  return files.flatMap(([from, file]) => {
    const settings = claude.readJsonObject(file);
    return settings === undefined ? [] : [{ from, file, settings }];
  });
}

function managedFiles(dir: AbsPath): AbsPath[] {
  const parts = join(dir, "managed-settings.d");
  return [
    join(dir, "managed-settings.json"),
    ...(readDir(parts) ?? []).filter(({ name }) => name.endsWith(".json"))
      .map(({ name }) => join(parts, name)),
  ];
}

/** A table of all files put together: key → its last value and who gave it. */
export function mergedTable(
  files: readonly SettingsFile[],
  key: string,
): Map<string, { readonly value: unknown; readonly from: string }> {
  const out = new Map<string, { value: unknown; from: string }>();
  for (const { settings, from } of files) {
    for (
      const [name, value] of Object.entries(claude.asRecord(settings[key]))
    ) out.set(name, { value, from });
  }
  return out;
}

/** The last text under `key`, and who gave it. */
export function lastText(
  files: readonly SettingsFile[],
  key: string,
): { readonly text: string; readonly from: string } | undefined {
  const found = files.findLast(({ settings }) =>
    typeof settings[key] === "string"
  );
  return found && { text: String(found.settings[key]), from: found.from };
}

/** All texts of the lists under `key`. */
export function joinedList(
  files: readonly SettingsFile[],
  key: string,
): string[] {
  return files.flatMap(({ settings }) => textsIn(settings[key]));
}

/** The texts of a list; empty when `value` is none. */
export function textsIn(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string")
    : [];
}
