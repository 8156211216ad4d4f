/** What launches of all agents have in common. */
import { agentVersion, compatProblem } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { Var } from "../base/env_vars.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import { checkLaunchable, checkPassing } from "./checks.ts";
import {
  launchEnvironment,
  undoOuterLaunch,
  type Variables,
} from "./environment.ts";
import type { Exposed } from "./exposed.ts";
import type { Drafted } from "./types.ts";
import { LaunchTrust } from "./trust_check.ts";

/** The caller's variables, and the trust that the env needs. Throws (exit 3) when it may not start, or a variable is missing. */
export function openLaunch(
  env: OpenEnv,
  host: Host,
  dirs: Dirs,
): { readonly base: Variables; readonly trust: LaunchTrust | undefined } {
  const base = undoOuterLaunch(host.env);
  checkLaunchable(env, { ...base, ...env.manifest.vars });
  return { base, trust: LaunchTrust.of(env, { host, dirs }) };
}

/** Whether a launch in the env is confined. */
export function isConfined({ manifest }: OpenEnv): boolean {
  return manifest.sandbox?.enabled ?? false;
}

/** Those of the caller's variables that pass. Throws (exit 3) when a server needs another one. */
export function callersVariables(
  env: OpenEnv,
  base: Variables,
  sandbox: Drafted | undefined,
): Variables {
  if (sandbox === undefined) return base;
  const passing = sandbox.passing(base);
  checkPassing(env, { ...passing, ...env.manifest.vars });
  return passing;
}

/** Throws `AGENT_INCOMPATIBLE` (exit 3) when the agent's version is outside what the manifest says. */
export async function checkCompat(
  env: OpenEnv,
  [name, program]: readonly ["claude" | "codex", AbsPath],
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
): Promise<void> {
  const range = env.manifest.compat[name];
  if (range === undefined) return;
  const problem = await compatProblem(
    await agentVersion(program, host, dirs),
    range,
  );
  if (problem === undefined) return;
  throw new AppError(
    "AGENT_INCOMPATIBLE",
    (name === "claude" ? "Cannot start claude" : "Cannot start codex") +
      ` in ${quote(env.label)}: ${problem}`,
    {
      hint:
        `Install a version inside ${range}, or change compat in ${env.manifestPath}`,
      exitCode: ExitCode.refused,
    },
  );
}

/** Where an env keeps its own XDG directories, where it has them. */
export function xdgVariables(env: OpenEnv): Record<string, string> {
  if (env.manifest.xdg === "shared") return {};
  return Object.fromEntries(
    ["config", "data", "state", "cache"].map((kind) => [
      `XDG_${kind.toUpperCase()}_HOME`,
      join(env.slot.xdg, kind),
    ]),
  );
}

/** What the environment of a launch is made from. */
export interface AgentVariables {
  /** The caller's that may pass at all. */
  readonly callers: Variables;
  /** Whether the agent may see one of them. */
  readonly passes: (name: string) => boolean;
  readonly exposed: Exposed;
  readonly set: Variables;
  readonly unset: readonly string[];
  /** See `launcherMark`. */
  readonly launcher: string | undefined;
  /** The launch's own directory, where it is confined. */
  readonly sandbox: AbsPath | undefined;
}

/** The whole environment of a launch. */
export function agentEnvironment(
  env: OpenEnv,
  dirs: Dirs,
  { callers, passes, exposed, set, unset, launcher, sandbox }: AgentVariables,
): Record<string, string> {
  return launchEnvironment({
    base: callers,
    passes,
    vars: env.manifest.vars,
    exposed: Object.keys(exposed),
    isolation: { set, unset },
    breadcrumbs: {
      [Var.env]: env.breadcrumb,
      [Var.active]: env.label,
      [Var.home]: dirs.root,
      ...(launcher === undefined ? {} : { [Var.launcher]: launcher }),
      ...(sandbox === undefined ? {} : { [Var.sandbox]: sandbox }),
    },
    shims: dirs.shims,
  });
}
