/** What the env, its own config directory, the project and an organisation's policy declare. */
import { claude } from "../agents/mod.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { LaunchPlan } from "../launch/mod.ts";
import { projectMemory, treeMemory } from "./memory.ts";
import { isWithheld } from "./observe.ts";
import {
  type Component,
  hookCommands,
  offeredName,
  pluginHooks,
  scanComponents,
  scanPlugin,
} from "./scan.ts";
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
  type ExpectedHook,
  type ExpectedPlugin,
  type ExpectedVariable,
  From,
  type Observation,
} from "./types.ts";

/** What declares, and what the plan made of it. */
export interface Sources {
  readonly env: OpenEnv;
  readonly plan: LaunchPlan;
  readonly project: claude.ProjectFacts;
  readonly loadsProject: boolean;
  readonly settings: readonly SettingsFile[];
  readonly managed: AbsPath;
  readonly home: AbsPath;
}

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
    families: plugins.filter(({ from }) => from !== From.manifest).map((
      { name, from },
    ) => ({ prefix: `${name}:`, from: `plugin ${name} (${from})` })),
    servers: serverNames(sources),
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
    : [...names.map((name) => `${plugin}:${name}`), ...names];
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

/** Servers by the agent's names. */
function serverNames(sources: Sources): Declared["servers"] {
  const { env, plan, project, loadsProject, settings, managed } = sources;
  const barred = plan.args.some((arg) => arg.startsWith("--mcp-config="))
    ? undefined
    : "your organisation manages MCP servers and allows no others";
  const fromManifest = [
    ...Object.keys(env.manifest.mcp).map((name) => ({
      name,
      from: From.manifest as string,
    })),
    ...plan.installs.filter(({ kind }) => kind === "plugin").flatMap((
      { name, source },
    ) =>
      Object.keys(claude.pluginServers(source)).map((server) => ({
        name: `plugin:${name}:${server}`,
        from: `plugin ${name}`,
      }))
    ),
  ].map((server) => ({
    ...server,
    ...(barred === undefined ? {} : { barred }),
  }));
  const policy = claude.readJsonObject(join(managed, "managed-mcp.json"));
  const off = new Set(joinedList(settings, "disabledMcpjsonServers"));
  const others = [
    ...Object.keys(claude.asRecord(policy?.["mcpServers"])).map((name) => ({
      name,
      from: From.policy,
    })),
    ...(loadsProject && barred === undefined
      ? Object.keys(project.mcpServers).filter((name) => !off.has(name))
        .map((name) => ({ name, from: From.project }))
      : []),
    ...(barred === undefined ? ownServers(sources) : []),
  ];
  const known = new Set(fromManifest.map(({ name }) => name));
  return [...fromManifest, ...others.filter(({ name }) => !known.has(name))];
}

/** Servers in the env's own state file: user and local scope. */
function ownServers({ env, project }: Sources) {
  if (env.manifest.isolation !== "private") return [];
  const state = claude.readJsonObject(
    join(env.slot.claude, claude.STATE_FILE),
  ) ?? {};
  const projects = claude.asRecord(state["projects"]);
  const tables = [state, ...project.inside.map((dir) => projects[dir])];
  const names = tables.flatMap((table) =>
    Object.keys(claude.asRecord(claude.asRecord(table)["mcpServers"]))
  );
  return [...new Set(names)].map((name) => ({ name, from: From.own }));
}

/** Hook commands of plugins and settings. */
function declaredHooks(
  { plan, settings }: Sources,
  observation: Observation,
  plugins: readonly ExpectedPlugin[],
): ExpectedHook[] {
  const installed = plan.installs.filter(({ kind }) => kind === "plugin")
    .map(({ name, source }) => ({ root: source, from: `plugin ${name}` }));
  const chosen = plugins.filter(({ from }) => from !== From.manifest)
    .flatMap(({ name, from, id }) => {
      const found = observation.plugins.find((p) =>
        id === undefined ? p.name === name : p.source === id
      );
      return found === undefined
        ? []
        : [{ root: found.path as AbsPath, from: `plugin ${name} (${from})` }];
    });
  return [
    ...[...installed, ...chosen].flatMap(({ root, from }) =>
      pluginHooks(root).map((hook) => ({ ...hook, from }))
    ),
    ...settings.flatMap(({ settings, from }) =>
      hookCommands(settings["hooks"]).map((hook) => ({ ...hook, from }))
    ),
  ];
}

/** `[vars]`, and the variables of settings files. */
function declaredVariables({ env, settings }: Sources): ExpectedVariable[] {
  const own = Object.entries(env.manifest.vars).map(([name, value]) => ({
    name,
    value,
    from: From.manifest as string,
    observable: !isWithheld(name),
  }));
  const fromSettings = [...mergedTable(settings, "env")]
    .filter(([name]) => !Object.hasOwn(env.manifest.vars, name))
    .map(([name, { value, from }]) => ({
      name,
      value: String(value),
      from,
      observable: !isWithheld(name),
    }));
  return [...own, ...fromSettings];
}

/** The model somebody chose, in whatever form; undefined when nobody did. */
function modelOf({ env, settings }: Sources): string | undefined {
  const variable = [
    ...Object.keys(env.manifest.vars),
    ...mergedTable(settings, "env").keys(),
  ].find((name) => name.includes("MODEL"));
  return lastText(settings, "model")?.text ?? variable;
}

/** Texts that settings put into requests. */
function declaredTexts(settings: readonly SettingsFile[]): Declared["texts"] {
  const language = lastText(settings, "language");
  const attribution = mergedTable(settings, "attribution");
  return [
    ...(language === undefined
      ? []
      : [{ item: "language", from: language.from, text: language.text }]),
    ...[...attribution].filter(([, { value }]) =>
      typeof value === "string" && value !== ""
    ).map(([key, { value, from }]) => ({
      item: `attribution ${key}`,
      from,
      text: String(value).trim(),
    })),
  ];
}
