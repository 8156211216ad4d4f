/** The variables of a launch. */
import { BREADCRUMBS, Var } from "../base/env_vars.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, PATH_LIST_SEPARATOR } from "../base/paths.ts";
import { quote } from "../base/text.ts";

/** Variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** What an env adds to the caller's variables, later ones winning. */
export interface EnvironmentInput {
  /** The caller's, with an outer launch undone; see {@link undoOuterLaunch}. */
  readonly base: Variables;
  /** Whether a variable of the caller may pass. */
  readonly passes: (name: string) => boolean;
  /** `[vars]`. */
  readonly vars: Variables;
  /** Names of variables that get a secret when the agent is started: the caller's do not pass, and a nested launch loses them. */
  readonly exposed: readonly string[];
  /** What isolates the agent. */
  readonly isolation: {
    readonly set: Variables;
    readonly unset: readonly string[];
  };
  readonly breadcrumbs: Variables;
  readonly shims: AbsPath;
}

/**
 * The caller's environment as it was before the launch that this process runs in, if it runs in one: what that launch set
 * is put back, its marks are removed.
 */
export function undoOuterLaunch(env: Variables): Record<string, string> {
  const out: Record<string, string> = { ...env };
  for (const [name, before] of Object.entries(readRestore(env[Var.restore]))) {
    if (before === null) delete out[name];
    else out[name] = before;
  }
  delete out[Var.restore];
  delete out[Var.launcher];
  delete out[Var.active];
  delete out[Var.sandbox];
  return out;
}

function readRestore(text: string | undefined): Record<string, string | null> {
  if (!text) return {};
  const value = parseJson(text);
  if (isRestore(value)) return value;
  throw new AppError(
    "VARIABLE_MISSING",
    `Cannot read ${quote(Var.restore)}: it is not what aenv wrote`,
    {
      hint: "Start from a fresh shell",
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function isRestore(value: unknown): value is Record<string, string | null> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((v) => v === null || typeof v === "string");
}

/** The agent's whole environment. */
export function launchEnvironment(
  input: EnvironmentInput,
): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.base)) {
    if (input.passes(name) && !BREADCRUMBS.includes(name)) out[name] = value;
  }
  const set = { ...input.vars, ...input.isolation.set };
  for (const name of [...input.isolation.unset, ...input.exposed]) {
    delete out[name];
  }
  Object.assign(out, set, input.breadcrumbs);
  out["PATH"] = withShims(out["PATH"] ?? "", input.shims);
  delete out[Var.override];
  delete out[Var.shell];
  out[Var.restore] = JSON.stringify(
    restoreRecord(input, [...Object.keys(set), ...input.exposed]),
  );
  return out;
}

/**
 * What a nested launch has to put back. Former values are kept only for our own isolation variables, which hold paths and
 * switches: a variable that `[vars]` covers may have been a credential, so it is just removed.
 */
function restoreRecord(
  input: EnvironmentInput,
  names: readonly string[],
): Record<string, string | null> {
  const ours = new Set([
    ...Object.keys(input.isolation.set),
    ...input.isolation.unset,
  ]);
  const out: Record<string, string | null> = {};
  for (const name of [...names, ...input.isolation.unset]) {
    out[name] = ours.has(name) ? input.base[name] ?? null : null;
  }
  return out;
}

/** PATH with our shims first and only once, so that a nested agent goes through them too. */
function withShims(path: string, shims: AbsPath): string {
  if (shims.includes(PATH_LIST_SEPARATOR)) {
    throw new AppError(
      "PATH_INVALID",
      `Cannot put ${quote(shims)} on PATH: it has a ${
        quote(PATH_LIST_SEPARATOR)
      } in it`,
      {
        hint: `Set ${Var.home} to another directory`,
      },
    );
  }
  return [
    shims,
    ...path.split(PATH_LIST_SEPARATOR).filter((dir) =>
      dir !== shims && dir !== ""
    ),
  ].join(PATH_LIST_SEPARATOR);
}

/** What differs between two environments: name → new value, or null when it is gone. */
export function environmentChanges(
  before: Variables,
  after: Variables,
): Record<string, string | null> {
  const out: Record<string, string | null> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[name] !== after[name]) out[name] = after[name] ?? null;
  }
  return Object.fromEntries(
    Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
