/** What a launch tells Codex by its settings and its arguments. Reads, never writes. */
import { claude, codex } from "../agents/mod.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join, parseAbsPath, tilde } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { OpenEnv } from "../env/mod.ts";
import { lstat, readText } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { readCodexConfig } from "./codex_home.ts";
import type { Variables } from "./environment.ts";
import { isConfined } from "./plan_parts.ts";

const MAX_BYTES = 1024 * 1024;

/** What the user keeps for Codex in this env. Throws `CONFIG_INVALID` (exit 3). */
export function keptSettings({ slot }: OpenEnv): codex.Settings {
  const text = readText(slot.codexSettings, MAX_BYTES);
  const settings = codex.parseSettings(text ?? "");
  if (settings !== undefined) return settings;
  throw new AppError(
    "CONFIG_INVALID",
    `Cannot read ${quote(slot.codexSettings)}: it is no TOML`,
    { hint: "Mend the file, or move it away", exitCode: ExitCode.refused },
  );
}

/** The text of `config.toml`, and what the user should know about it. */
export function plannedSettings(
  env: OpenEnv,
  { host, kept, servers }: {
    readonly host: Host;
    readonly kept: codex.Settings;
    readonly servers: Readonly<Record<string, codex.ServerEntry>>;
  },
): { readonly text: string; readonly notes: readonly string[] } {
  const { slot, manifest } = env;
  const { text, dropped } = codex.makeSettings(kept, {
    confined: isConfined(env),
    projectConfig: manifest.projectConfig,
    servers,
  }, codex.parseSettings(readCodexConfig(env, host) ?? ""));
  const home = host.env["HOME"] ?? "";
  return {
    text,
    notes: dropped.length === 0 ? [] : [
      `codex's config.toml was written anew without ${
        dropped.map(quote).join(", ")
      } of an earlier session: what is to stay belongs into ${
        tilde(slot.codexSettings, home)
      }`,
    ],
  };
}

/** What lies around the current directory. */
export function projectAround(env: OpenEnv, host: Host): claude.ProjectFacts {
  return claude.projectFacts({
    cwd: host.cwd(),
    home: host.home(),
    manifestDir: env.scope === "project" ? env.baseDir : undefined,
  });
}

/** The arguments of this launch. */
export function ownArguments(
  env: OpenEnv,
  { home, project, base, kept, servers }: {
    readonly home: AbsPath;
    readonly project: claude.ProjectFacts;
    /** The caller's variables. */
    readonly base: Variables;
    readonly kept: codex.Settings;
    readonly servers: Readonly<Record<string, codex.ServerEntry>>;
  },
): string[] {
  const isIgnored = env.manifest.projectConfig === "ignore";
  const hidden = [
    // Inside a sandbox nothing of them can be read.
    ...(isConfined(env) ? [] : [join(home, codex.USER_SKILLS)]),
    ...(isIgnored
      ? project.inside.flatMap((dir) =>
        codex.PROJECT_SKILLS.map((name) => join(dir, name))
      )
      : []),
  ];
  return codex.launchArguments({
    confined: isConfined(env),
    project: project.root,
    trust: trustOf(project, { isIgnored, home, base }),
    servers,
    hiddenSkills: codex.skillFiles(hidden),
    ownSkills: ownSkills(kept),
  });
}

/** The answer to Codex's question whether a project's `.codex` counts: where there is none, or as the user has answered it. */
function trustOf(
  { root, inside }: claude.ProjectFacts,
  { isIgnored, home, base }: {
    readonly isIgnored: boolean;
    readonly home: AbsPath;
    readonly base: Variables;
  },
): "trusted" | "untrusted" | undefined {
  const hasFiles = inside.some((dir) =>
    lstat(join(dir, ".codex")) !== undefined
  );
  if (!hasFiles) return "trusted";
  if (isIgnored) return "untrusted";
  const own = base[codex.HOME_VARIABLE];
  const dir = own ? parseAbsPath(own, "$CODEX_HOME") : join(home, ".codex");
  const text = readText(join(dir, codex.CONFIG_FILE), MAX_BYTES);
  const { projects } = codex.parseSettings(text ?? "") ?? {};
  const level = claude.asRecord(claude.asRecord(projects)[root])["trust_level"];
  return level === "trusted" || level === "untrusted" ? level : undefined;
}

function ownSkills(kept: codex.Settings): readonly unknown[] {
  const { config } = claude.asRecord(kept["skills"]);
  return Array.isArray(config) ? config : [];
}
