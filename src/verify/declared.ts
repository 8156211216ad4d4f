/** What the env, its own config directory, the project and an organisation's policy declare. */
import { claude } from "../agents/mod.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import type { LaunchPlan } from "../launch/mod.ts";
import { projectMemory, treeMemory } from "./memory.ts";
import {
  type Component,
  offeredName,
  scanComponents,
  scanPlugin,
} from "./scan.ts";
import type { Sources } from "./sources.ts";
import {
  declaredHooks,
  declaredTexts,
  declaredVariables,
  modelOf,
  serverNames,
} from "./declared_effects.ts";
import {
  joinedList,
  lastText,
  mergedTable,
  type SettingsFile,
  textsIn,
} from "./settings.ts";
import {
  type Declared,
  type Expected,
  type ExpectedPlugin,
  From,
  type Observation,
} from "./types.ts";

/** Name of the plugin that carries the manifest's skills. */
const SKILLS = "skills";

/** Everything that should be there. Looks at the observation only for where plugins of the env's own lie. */
export function collectDeclared(
  sources: Sources,
  observation: Observation,
): Declared {
  const { env, settings, managed, home } = sources;
  const isPrivate = env.manifest.isolation === "private";
  const plugins = [
    ...manifestPlugins(sources),
    ...chosenPlugins(sources, observation),
  ];
  const off = settings.findLast((f) => f.settings["disableAllHooks"] === true);
  const style = lastText(settings, "outputStyle");
  return {
    plugins,
    items: [
      ...manifestItems(sources),
      ...directoryItems(sources),
      ...projectMemory(sources),
      ...(isPrivate ? treeMemory(env.slot.claude, From.own, home) : []),
      ...treeMemory(managed, From.policy, home),
    ].map((item) => withOverrides(item, settings)),
    switchedOff: switchedOff(sources.plan),
    families: plugins.filter(({ from }) => from !== From.manifest).map((
      { name, from },
    ) => ({ prefix: `${name}:`, from: `plugin ${name} (${from})` })),
    servers: serverNames(sources, observation, plugins),
    hooks: declaredHooks(sources, observation, plugins),
    hooksOff: off?.from,
    variables: declaredVariables(sources),
    style: style && { name: style.text, from: style.from },
    model: modelOf(sources),
    directories: settings.flatMap(({ settings }) =>
      textsIn(claude.asRecord(settings["permissions"])["additionalDirectories"])
    ),
    memoryRoots: isPrivate ? [join(env.slot.claude, "projects")] : [],
    texts: declaredTexts(settings),
  };
}

/** What the generated settings take away: items of directories above the project. */
function switchedOff({ files }: LaunchPlan): string[] {
  const file = files.find(({ path }) => path.endsWith(claude.SETTINGS_FILE));
  if (file === undefined) return [];
  const settings = claude.asRecord(JSON.parse(file.content));
  const skills = Object.entries(claude.asRecord(settings["skillOverrides"]))
    .filter(([, state]) => state === "off").map(([name]) => name);
  const agents = textsIn(claude.asRecord(settings["permissions"])["deny"])
    .flatMap((rule) => /^Agent\((.+)\)$/.exec(rule)?.[1] ?? []);
  return [...skills, ...agents];
}

/** The manifest's plugins at their installed places, and the one made of its skills. */
function manifestPlugins({ plan }: Sources): ExpectedPlugin[] {
  const plugins = plan.installs.filter(({ kind }) => kind === "plugin")
    .map(({ name, target }) => ({
      name,
      from: From.manifest,
      path: target,
      id: undefined,
    }));
  const skill = plan.installs.find(({ kind }) => kind === "skill");
  if (skill === undefined) return plugins;
  const path = join(skill.target, "..", "..");
  return [...plugins, {
    name: SKILLS,
    from: From.manifest,
    path,
    id: undefined,
  }];
}

/** Plugins that settings switch on, and those that lie among the skills of a directory of the env or the project. */
function chosenPlugins(
  sources: Sources,
  observation: Observation,
): ExpectedPlugin[] {
  const { env, project, loadsProject, settings } = sources;
  const enabled = [...mergedTable(settings, "enabledPlugins")]
    .filter(([, { value }]) => value === true)
    .map(([id, { from }]) => ({
      name: id.replace(/@[^@]*$/, ""),
      from,
      path: undefined,
      id,
    }));
  const places = [
    ...(env.manifest.isolation === "private"
      ? [{ dir: join(env.slot.claude, "skills"), from: From.own }]
      : []),
    ...(loadsProject
      ? project.inside.map((dir) => ({
        dir: join(dir, ".claude", "skills"),
        from: From.project,
      }))
      : []),
  ];
  // Whether the agent loads these depends on its own record of trust: those that it did are declared.
  const among = observation.plugins.flatMap((plugin) => {
    const place = places.find(({ dir }) =>
      plugin.source.endsWith("@skills-dir") && isWithin(plugin.path, dir)
    );
    return place === undefined ? [] : [{
      name: plugin.name,
      from: place.from,
      path: plugin.path,
      id: undefined,
    }];
  });
  return [...enabled, ...among];
}

/** Components of the manifest's plugins and its skills, read from their sources: the copies are what is being checked. */
function manifestItems({ plan }: Sources): Expected[] {
  return plan.installs.flatMap(({ kind, name, source }) => {
    if (kind === "plugin") {
      return scanPlugin(source).map((part) =>
        expected(part, { plugin: name, from: `plugin ${name}` })
      );
    }
    const skill = { ...scanSkill(source, name) };
    return [expected(skill, { plugin: SKILLS, from: From.manifest })];
  });
}

/** The one skill at `source`, offered under the manifest's name for it. */
function scanSkill(source: AbsPath, name: string): Component {
  const found = scanPlugin(source).find(({ kind }) => kind === "skill");
  return {
    kind: "skill",
    name: offeredName(name),
    aliases: found?.aliases ?? [],
    certain: true,
  };
}

/** Components of config directories. */
function directoryItems(sources: Sources): Expected[] {
  const { env, project, loadsProject, managed } = sources;
  const places = [
    ...(env.manifest.isolation === "private"
      ? [{ root: env.slot.claude, from: From.own }]
      : []),
    ...(loadsProject
      ? project.inside.map((dir) => ({
        root: join(dir, ".claude"),
        from: From.project,
      }))
      : []),
    { root: join(managed, ".claude"), from: From.policy },
  ];
  const all = places.flatMap(({ root, from }) =>
    scanComponents({ root, isPlugin: false }).map((part) =>
      expected(part, { from })
    )
  );
  // The nearest of one name is the one that counts.
  return all.filter((item, index) =>
    all.findIndex((other) =>
      other.kind === item.kind && other.item === item.item
    ) === index
  );
}

function expected(
  part: Component,
  { plugin, from }: { plugin?: string; from: string },
): Expected {
  const names = [part.name, ...part.aliases];
  const full = plugin === undefined
    ? names
    : names.map((name) => `${plugin}:${name}`);
  return {
    kind: part.kind,
    item: full[0]!,
    names: full,
    from,
    required: part.certain,
  };
}

/** An item that settings may have switched off need not be there. */
function withOverrides(
  item: Expected,
  settings: readonly SettingsFile[],
): Expected {
  const overrides = mergedTable(settings, "skillOverrides");
  const denied = settings.flatMap(({ settings }) =>
    textsIn(claude.asRecord(settings["permissions"])["deny"])
  );
  const excludes = joinedList(settings, "claudeMdExcludes").length > 0;
  const off =
    item.names.some((name) =>
      (overrides.get(name)?.value ?? "on") !== "on" ||
      denied.includes(`Agent(${name})`)
    ) || (item.kind === "memory" && excludes);
  return off ? { ...item, required: false } : item;
}
