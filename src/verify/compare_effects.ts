/** Hooks and variables: what the agent does not list, but does. */
import { type Comparison, unexpected } from "./comparison.ts";
import type { ExpectedHook, ExpectedVariable, Row } from "./types.ts";

/** One row per event. The agent reports a hook's event and output, not whose it is: so they are counted. */
export function compareHooks(input: Comparison): Row[] {
  const { declared, observation, reportsHooks } = input;
  const events = new Map<string, ExpectedHook[]>();
  for (const hook of declared.hooks) {
    events.set(hook.event, [...events.get(hook.event) ?? [], hook]);
  }
  const seen = new Map<string, number>();
  for (const { event } of observation.hooks) {
    seen.set(event, (seen.get(event) ?? 0) + 1);
  }
  // One is our own.
  const starts = (seen.get("SessionStart") ?? 0) - 1;
  seen.set("SessionStart", Math.max(starts, 0));
  const rows = [...events].map(([event, hooks]) =>
    reportsHooks && declared.hooksOff === undefined
      ? hookRow(event, hooks, { seen: seen.get(event) ?? 0, input })
      : unseenHook(event, hooks, whyNot(input))
  );
  const strangers = [...seen].filter(([event, count]) =>
    count > 0 && !events.has(event)
  );
  return [
    ...rows,
    ...strangers.map(([event, count]): Row => ({
      ...unexpected("hook", event),
      declared: 0,
      seen: count,
    })),
  ];
}

function whyNot({ declared }: Comparison): string {
  return declared.hooksOff === undefined
    ? "this version of the agent does not report hooks"
    : `${declared.hooksOff} switches hooks off`;
}

function owners(hooks: readonly ExpectedHook[]): string {
  const names = [...new Set(hooks.map(({ from }) => from))];
  return names.length <= 2
    ? names.join(", ")
    : `${names[0]} and ${names.length - 1} more`;
}

function unseenHook(
  event: string,
  hooks: readonly ExpectedHook[],
  detail: string,
): Row {
  return {
    kind: "hook",
    item: event,
    from: owners(hooks),
    declared: hooks.length,
    seen: 0,
    status: "unobserved",
    detail,
  };
}

function hookRow(
  event: string,
  hooks: readonly ExpectedHook[],
  { seen, input }: { readonly seen: number; readonly input: Comparison },
): Row {
  if (event !== "SessionStart" && seen === 0) {
    return unseenHook(event, hooks, "this event does not happen in verify");
  }
  // The agent runs equal commands once.
  const least = new Set(hooks.map(({ command }) => command)).size;
  const row = {
    kind: "hook" as const,
    item: event,
    from: owners(hooks),
    declared: least,
    seen,
  };
  if (seen < least) return { ...row, status: "missing" };
  if (seen > hooks.length) return { ...row, status: "unexpected" };
  const bad = input.observation.hooks.find((run) =>
    run.event === event && (run.exitCode ?? 0) !== 0
  );
  if (bad === undefined) return { ...row, status: "ok" };
  const said = (bad.stderr || bad.stdout).trim().split("\n").at(-1) ?? "";
  return {
    ...row,
    status: "failed",
    detail: `one ended with exit code ${bad.exitCode}${
      said === "" ? "" : `: ${said}`
    }`,
  };
}

/** Declared variables, and those that came from nowhere. Values are never shown: they may be credentials. */
export function compareVariables(input: Comparison): Row[] {
  const { declared, variables } = input;
  const rows = declared.variables.map((variable) =>
    variableRow(variable, input)
  );
  if (variables === undefined) return rows;
  const known = new Set([
    ...declared.variables.map(({ name }) => name),
    ...input.added,
    ...input.baseline.variables,
    // Plugins may bring programs.
    "PATH",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
  ]);
  const strangers = Object.keys(variables).filter((name) =>
    !known.has(name) && variables[name] !== input.environment[name]
  );
  return [
    ...rows,
    ...strangers.sort().map((name) => unexpected("variable", name)),
  ];
}

function variableRow(
  { name, value, from, observable }: ExpectedVariable,
  { variables, added, declared }: Comparison,
): Row {
  const row = { kind: "variable" as const, item: name, from, declared: true };
  if (!observable || added.includes(name)) {
    return {
      ...row,
      seen: false,
      status: "unobserved",
      detail: "verify replaces it",
    };
  }
  if (variables === undefined) {
    const off = declared.hooksOff;
    return {
      ...row,
      seen: false,
      status: off === undefined ? "missing" : "unobserved",
      detail: off === undefined
        ? "no hook ran that could show it"
        : `${off} switches hooks off, which would show it`,
    };
  }
  const found = variables[name];
  if (found === undefined) return { ...row, seen: false, status: "missing" };
  return found === value ? { ...row, seen: true, status: "ok" } : {
    ...row,
    seen: "another value",
    status: "different",
    detail: "a settings file may set it too",
  };
}
