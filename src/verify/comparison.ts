/** What the comparisons share. */
import {
  type Baseline,
  type Declared,
  From,
  type Kind,
  type Observation,
  type Row,
} from "./types.ts";

/** Everything that is compared. */
export interface Comparison {
  readonly declared: Declared;
  readonly observation: Observation;
  readonly baseline: Baseline;
  /** The agent's plugin directories in the order of its arguments: errors name them by number. */
  readonly pluginDirs: readonly string[];
  /** Environment of a hook; undefined when none ran. */
  readonly variables: Readonly<Record<string, string>> | undefined;
  /** The launch's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of variables set for the observation. */
  readonly added: readonly string[];
  /** Whether this version reports the hooks it runs. */
  readonly reportsHooks: boolean;
  readonly serverErrors: ReadonlyMap<string, readonly string[]>;
}

/** A row for something that nobody declares. */
export function unexpected(
  kind: Kind,
  item: string,
  detail?: string,
): Row {
  return {
    kind,
    item,
    from: From.nobody,
    declared: false,
    seen: true,
    status: "unexpected",
    ...(detail === undefined ? {} : { detail }),
  };
}

/** The beginning of the names of a server's tools. */
export function toolPrefix(server: string): string {
  return `mcp__${server.replace(/[^A-Za-z0-9_-]/g, "_")}__`;
}
