/** Declared against seen: a function from both to rows. */
import { compareHooks, compareVariables } from "./compare_effects.ts";
import { compareServers } from "./compare_servers.ts";
import { type Comparison, toolPrefix, unexpected } from "./comparison.ts";
import {
  type Expected,
  From,
  type Kind,
  type Listed,
  type Row,
} from "./types.ts";
import { CANARY } from "./workplace.ts";

/** All rows, in the order of the report. */
export function compare(input: Comparison): Row[] {
  return [
    ...comparePlugins(input),
    ...compareNames(input),
    ...compareAgents(input),
    ...compareServers(input),
    ...compareMemory(input),
    ...compareHooks(input),
    ...compareVariables(input),
    ...compareStyle(input),
    ...compareModel(input),
    ...compareDirectories(input),
  ];
}

function comparePlugins(input: Comparison): Row[] {
  const { declared, observation, baseline } = input;
  const seen = observation.plugins.filter(({ name, source }) =>
    name !== CANARY && !baseline.plugins.includes(source)
  );
  const errors = observation.pluginErrors.map((error) => ({
    ...error,
    place: errorPlace(error.plugin, input.pluginDirs),
  }));
  const matched = new Set<unknown>();
  const rows = declared.plugins.map(({ name, from, path, id }): Row => {
    const found = seen.find((p) =>
      id === undefined
        ? p.name === name && (path === undefined || p.path === path)
        : p.source === id
    );
    const error = errors.find((e) =>
      (path !== undefined && e.place === path) ||
      [name, id, `${name}@inline`].includes(e.plugin)
    );
    matched.add(found).add(error);
    const row = {
      kind: "plugin" as const,
      item: name,
      from,
      declared: true,
      seen: found !== undefined,
    };
    if (error !== undefined) {
      return { ...row, status: "failed", detail: error.message };
    }
    return { ...row, status: found === undefined ? "missing" : "ok" };
  });
  return [
    ...rows,
    ...seen.filter((p) => !matched.has(p)).map((p) =>
      unexpected("plugin", p.name, `loaded from ${p.path}`)
    ),
    ...errors.filter((e) => !matched.has(e)).map((e): Row => ({
      ...unexpected("plugin", e.place ?? e.plugin, e.message),
      seen: false,
      status: "failed",
    })),
  ];
}

/** `inline[N]` is the N-th plugin directory of the command line. */
function errorPlace(
  plugin: string,
  dirs: readonly string[],
): string | undefined {
  const index = /^inline\[(\d+)\]$/.exec(plugin)?.[1];
  return index === undefined ? undefined : dirs[Number(index)];
}

/** Skills and commands: the agent lists them together. */
function compareNames(input: Comparison): Row[] {
  const { declared, observation, baseline } = input;
  const items = declared.items.filter(({ kind }) =>
    kind === "skill" || kind === "command"
  );
  const skills = new Set(observation.skills);
  const listed = observation.listed.skills.filter(({ source }) =>
    source !== "Built-in"
  );
  const seen = new Set([
    ...observation.skills,
    ...observation.commands,
    ...listed.map(({ name }) => name),
  ]);
  const own = new Set(baseline.names);
  return [
    ...items.flatMap((item) => itemRow(item, seen)),
    ...strangers(input, items, {
      names: [...seen].filter((name) => !own.has(name)),
      kindOf: (name) => skills.has(name) ? "skill" : "command",
      listed,
    }),
  ];
}

function compareAgents(input: Comparison): Row[] {
  const { declared, observation, baseline } = input;
  const items = declared.items.filter(({ kind }) => kind === "agent");
  const { agents: listed } = observation.listed;
  const seen = new Set([
    ...observation.agents,
    ...listed.map(({ name }) => name),
  ]);
  const own = new Set(baseline.agents);
  return [
    ...items.flatMap((item) => itemRow(item, seen)),
    ...strangers(input, items, {
      names: [...seen].filter((name) => !own.has(name)),
      kindOf: () => "agent",
      listed,
    }),
  ];
}

/** The row of an item; none for one that may stay away and does. */
function itemRow(item: Expected, seen: ReadonlySet<string>): Row[] {
  const isSeen = item.names.some((name) => seen.has(name));
  if (!isSeen && !item.required) return [];
  return [{
    kind: item.kind,
    item: item.item,
    from: item.from,
    declared: true,
    seen: isSeen,
    status: isSeen ? "ok" : "missing",
  }];
}

interface Strangers {
  /** Names that are not the agent's own. */
  readonly names: readonly string[];
  readonly kindOf: (name: string) => Kind;
  readonly listed: readonly Listed[];
}

/** Rows for names that no item explains: the policy's and those of declared families are named, the rest is unexpected. */
function strangers(
  { declared }: Comparison,
  items: readonly Expected[],
  { names, kindOf, listed }: Strangers,
): Row[] {
  const known = new Set([
    ...items.flatMap((item) => item.names),
    ...declared.switchedOff,
  ]);
  const prompts = declared.servers.map(({ name }) => toolPrefix(name));
  return names.filter((name) => !known.has(name)).flatMap((name): Row[] => {
    // Prompts of a declared server are commands.
    if (prompts.some((prefix) => name.startsWith(prefix))) return [];
    const source = listed.find((row) => row.name === name)?.source ?? "";
    const family = declared.families.find(({ prefix }) =>
      name.startsWith(prefix)
    );
    const from = family?.from ??
      (/^(Managed|Policy)/.test(source) ? From.policy : undefined);
    if (from === undefined) {
      const detail = source === "" ? undefined : `the agent says: ${source}`;
      return [unexpected(kindOf(name), name, detail)];
    }
    return [{
      kind: kindOf(name),
      item: name,
      from,
      declared: true,
      seen: true,
      status: "ok",
    }];
  });
}

function compareMemory({ declared, observation }: Comparison): Row[] {
  const items = declared.items.filter(({ kind }) => kind === "memory");
  const { memory } = observation.listed;
  const seen = new Set(memory.map(({ name }) => name));
  const known = new Set(items.map(({ item }) => item));
  const { autoMemory } = observation;
  return [
    ...items.flatMap((item) => itemRow(item, seen)),
    ...memory.filter(({ name }) => !known.has(name)).flatMap(
      ({ name, source }): Row[] => {
        if (isBelowAny(name, declared.memoryRoots)) {
          return [{
            kind: "memory",
            item: name,
            from: From.own,
            declared: true,
            seen: true,
            status: "ok",
          }];
        }
        return [unexpected("memory", name, `the agent says: ${source}`)];
      },
    ),
    ...(autoMemory === undefined ||
        isBelowAny(autoMemory, declared.memoryRoots)
      ? []
      : [unexpected("memory", autoMemory, "the agent remembers things there")]),
  ];
}

function isBelowAny(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path.startsWith(root + "/"));
}

function compareStyle({ declared, observation, baseline }: Comparison): Row[] {
  const { style } = observation;
  const wanted = declared.style;
  // A plugin may bring a style that is used without being chosen.
  const isPlugins = declared.plugins.some(({ name }) =>
    style.startsWith(`${name}:`)
  );
  if (wanted === undefined) {
    if (style === baseline.style) return [];
    return [{
      ...unexpected("output style", style),
      ...(isPlugins ? { declared: true, status: "ok" as const } : {}),
    }];
  }
  const isSame = style === wanted.name || isPlugins;
  return [{
    kind: "output style",
    item: wanted.name,
    from: wanted.from,
    declared: true,
    seen: style === wanted.name ? true : style,
    status: isSame ? "ok" : "different",
  }];
}

function compareModel({ declared, observation, baseline }: Comparison): Row[] {
  const { model } = observation;
  if (declared.model !== undefined || model === baseline.model) return [];
  return [unexpected("model", model, "nobody chose it")];
}

function compareDirectories({ declared, observation }: Comparison): Row[] {
  return observation.directories
    .filter((dir) => !declared.directories.some((d) => dir.endsWith(d)))
    .map((dir) => unexpected("directory", dir));
}
