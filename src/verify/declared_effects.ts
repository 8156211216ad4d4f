/** What is declared and does something: servers, hooks, variables, texts of settings. */
import { claude } from "../agents/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { isWithheld } from "./observe.ts";
import { hookCommands, pluginHooks } from "./scan.ts";
import {
  joinedList,
  lastText,
  mergedTable,
  type SettingsFile,
} from "./settings.ts";
import type { Sources } from "./sources.ts";
import {
  type Declared,
  type ExpectedHook,
  type ExpectedPlugin,
  type ExpectedVariable,
  From,
  type Observation,
} from "./types.ts";

/** Servers by the agent's names. */
export function serverNames(
  sources: Sources,
  observation: Observation,
  plugins: readonly ExpectedPlugin[],
): Declared["servers"] {
  const { env, plan, project, loadsProject, settings, managed } = sources;
  const barred = plan.args.some((arg) => arg.startsWith("--mcp-config="))
    ? undefined
    : "your organisation manages MCP servers and allows no others";
  const fromManifest = [
    ...Object.entries(env.manifest.mcp).filter(([, { disabled }]) => !disabled)
      .map(([name]) => ({
        name,
        from: From.manifest as string,
        beside: plan.services.some((service) => service.name === name),
      })),
    ...plan.installs.filter(({ kind }) => kind === "plugin").flatMap((
      { name, source },
    ) =>
      pluginServerNames(name, source).map((server) => ({
        name: server,
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
    // Where only our file counts, plugins that the agent finds itself have none.
    ...(barred === undefined && !plan.args.includes("--strict-mcp-config")
      ? chosenRoots(plugins, observation).flatMap(({ root, from, name }) =>
        pluginServerNames(name, root).map((server) => ({ name: server, from }))
      )
      : []),
  ];
  const known = new Set(fromManifest.map(({ name }) => name));
  return [...fromManifest, ...others.filter(({ name }) => !known.has(name))];
}

function pluginServerNames(plugin: string, root: AbsPath): string[] {
  return Object.keys(claude.pluginServers(root)).map((server) =>
    `plugin:${plugin}:${server}`
  );
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

/** Where plugins that the manifest does not declare were loaded from. */
function chosenRoots(
  plugins: readonly ExpectedPlugin[],
  observation: Observation,
): { root: AbsPath; from: string; name: string }[] {
  return plugins.filter(({ from }) => from !== From.manifest)
    .flatMap(({ name, from, id }) => {
      const found = observation.plugins.find((p) =>
        id === undefined ? p.name === name : p.source === id
      );
      return found === undefined ? [] : [{
        root: found.path as AbsPath,
        from: `plugin ${name} (${from})`,
        name,
      }];
    });
}

/** Hook commands of plugins and settings. */
export function declaredHooks(
  { plan, settings }: Sources,
  observation: Observation,
  plugins: readonly ExpectedPlugin[],
): ExpectedHook[] {
  const installed = plan.installs.filter(({ kind }) => kind === "plugin")
    .map(({ name, source }) => ({ root: source, from: `plugin ${name}` }));
  const chosen = chosenRoots(plugins, observation);
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
export function declaredVariables(
  { env, settings }: Sources,
): ExpectedVariable[] {
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
export function modelOf({ env, settings }: Sources): string | undefined {
  const variable = [
    ...Object.keys(env.manifest.vars),
    ...mergedTable(settings, "env").keys(),
  ].find((name) => name.includes("MODEL"));
  return lastText(settings, "model")?.text ?? variable;
}

/** Texts that settings put into requests. */
export function declaredTexts(
  settings: readonly SettingsFile[],
): Declared["texts"] {
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
