/** What of settings.json and .claude.json travels with a copy: everything but credentials. */
import { claude } from "../../agents/mod.ts";
import {
  argumentsHoldCredential,
  holdsCredential,
  holdsToken,
} from "./credentials.ts";

/** Something that did not travel. */
export interface LeftOut {
  /** File below the configuration directory, with the key inside it where there is one. Never a value. */
  readonly path: string;
  readonly why: string;
}

/** A reduced JSON object and what was taken away. */
export interface Reduced {
  readonly value: Record<string, unknown>;
  readonly leftOut: readonly LeftOut[];
}

/** Programs that print a credential. */
const HELPERS = new Set([
  "apiKeyHelper",
  "awsCredentialExport",
  "otelHeadersHelper",
  "proxyAuthHelper",
]);

/** Tables of which one entry can go without making the rest invalid. */
const TABLES = new Set(["extraKnownMarketplaces", "pluginConfigs"]);

const CREDENTIAL = "it looks like a credential";
const HELPER = "it hands out credentials";
const LOGIN = "each launch says where the login is";

/** Settings without helpers, variables, servers and texts that hold credentials. */
export function reduceSettings(
  settings: Readonly<Record<string, unknown>>,
  file: string,
): Reduced {
  const leftOut: LeftOut[] = [];
  const value: Record<string, unknown> = {};
  const drop = (key: string, why = CREDENTIAL) =>
    leftOut.push({ path: `${file}: ${key}`, why });
  for (const [key, item] of Object.entries(settings)) {
    if (HELPERS.has(key)) drop(key, HELPER);
    else if (key === "env") value[key] = reduceVariables(item, drop);
    else if (key === "mcpServers") value[key] = reduceServers(item, drop);
    else if (TABLES.has(key)) value[key] = reduceTable(item, key, drop);
    else {
      const kept = prune(item, key, drop);
      if (kept === undefined) drop(key);
      else value[key] = kept;
    }
  }
  return { value, leftOut };
}

/** The part of the state file that is configuration: look, and user-scope MCP servers without credentials. */
export function reduceState(
  state: Readonly<Record<string, unknown>>,
  file: string,
): Reduced {
  const leftOut: LeftOut[] = [];
  const value: Record<string, unknown> = { hasCompletedOnboarding: true };
  for (const key of ["theme", "editorMode"]) {
    if (typeof state[key] === "string") value[key] = state[key];
  }
  if (typeof state["verbose"] === "boolean") {
    value["verbose"] = state["verbose"];
  }
  const servers = reduceServers(
    state["mcpServers"],
    (key, why = CREDENTIAL) => leftOut.push({ path: `${file}: ${key}`, why }),
  );
  if (Object.keys(servers).length > 0) value["mcpServers"] = servers;
  return { value, leftOut };
}

type Drop = (key: string, why?: string) => void;

function reduceVariables(item: unknown, drop: Drop): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(claude.asRecord(item))) {
    if (name === claude.LOGIN_VARIABLE) drop(`env.${name}`, LOGIN);
    else if (holdsCredential(name, String(text))) drop(`env.${name}`);
    else value[name] = text;
  }
  return value;
}

function reduceServers(item: unknown, drop: Drop): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, server] of Object.entries(claude.asRecord(item))) {
    if (!claude.isRecord(server)) continue;
    if (server["headersHelper"] !== undefined) {
      drop(`mcpServers.${name}`, HELPER);
    } else if (serverHoldsCredential(server)) drop(`mcpServers.${name}`);
    else value[name] = server;
  }
  return value;
}

function serverHoldsCredential(
  server: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(server).some(([key, item]) => {
    if (Array.isArray(item)) return argumentsHoldCredential(item.map(String));
    if (claude.isRecord(item)) {
      return Object.entries(item).some(([name, text]) =>
        holdsCredential(name, JSON.stringify(text).replace(/^"|"$/g, ""))
      );
    }
    const isPlace = key === "url" || key === "command";
    return typeof item === "string" &&
      (isPlace ? holdsToken(item) : holdsCredential(key, item));
  });
}

function reduceTable(
  item: unknown,
  key: string,
  drop: Drop,
): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(claude.asRecord(item))) {
    const kept = prune(entry, `${key}.${name}`, drop);
    if (kept === undefined) drop(`${key}.${name}`);
    else value[name] = kept;
  }
  return value;
}

/**
 * `value` without the list items that hold a token. Undefined when it holds one outside of a list: half an object could
 * make the agent ignore the whole file.
 */
function prune(value: unknown, path: string, drop: Drop): unknown {
  if (typeof value === "string") return holdsToken(value) ? undefined : value;
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => {
      const kept = prune(item, `${path}[${i}]`, drop);
      if (kept !== undefined) return [kept];
      drop(`${path}[${i}]`);
      return [];
    });
  }
  if (!claude.isRecord(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const isHeaders = key === "headers" || key === "env";
    const bad = isHeaders &&
      Object.entries(claude.asRecord(item)).some(([name, text]) =>
        holdsCredential(name, String(text))
      );
    const kept = bad ? undefined : prune(item, `${path}.${key}`, drop);
    if (kept === undefined) return undefined;
    out[key] = kept;
  }
  return out;
}
