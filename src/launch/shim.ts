/** The role `claude`: what stands on PATH in front of the real agent. */
import { claude } from "../agents/mod.ts";
import { aenvRoot, type Dirs, dirsAt } from "../base/dirs.ts";
import { Var } from "../base/env_vars.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { activeEnv, homeOrNone, type OpenEnv } from "../env/mod.ts";
import { becomeProgram } from "../os/exec.ts";
import type { Host } from "../os/host.ts";
import { auditedRefusal } from "./audit_start.ts";
import { undoOuterLaunch } from "./environment.ts";
import { isInside } from "./inside.ts";
import { performLaunch } from "./perform.ts";
import { findClaude, planLaunch } from "./plan.ts";
import { supervisorMark } from "./services.ts";
import type { LaunchPlan } from "./types.ts";

/** What may be said of a launch besides its arguments. */
export interface LaunchOptions {
  /** What `-E` named; the active env unless given. */
  readonly env?: string;
  /** Without the sandbox that the env asks for. */
  readonly unconfined?: boolean;
  /** Says what the sandbox enforces. */
  readonly verbose?: boolean;
}

/** Starts Claude Code in the active env, or in the one that `-E` named. Throws with exit code 3: the agent was not started. */
export async function launchClaude(
  args: readonly string[],
  host: Host,
  options: LaunchOptions = {},
): Promise<never> {
  const option = options.env;
  let label: string | undefined;
  try {
    if (isLoop(host)) throw loopError("claude", host);
    if (isInside(host)) {
      const { inheritAgent } = await import("./inherit.ts");
      inheritAgent(args, host, option);
    }
    const { env, dirs } = activeEnv(host, option);
    if (env.kind === "global") becomeGlobal(args, host, findClaude(host, dirs));
    label = env.label;
    const chosen = options.unconfined ? unconfined(env) : env;
    if (chosen !== env) await auditOff(label, dirs);
    const plan = await planLaunch(
      { env: chosen, declared: env, args, mayRecall: !options.verbose },
      host,
      dirs,
    );
    if (options.verbose) await explainSandbox(plan, host);
    const { verbose = false } = options;
    return await performLaunch(plan, { env, host, dirs, verbose });
  } catch (error) {
    throw await auditedRefusal(error, host, label);
  }
}

/** The user's own configuration: the environment as it is, but for the marks, and the place of a login that was moved. */
export function globalEnvironment(host: Host): Record<string, string> {
  const env = undoOuterLaunch(host.env);
  return {
    ...env,
    ...movedLogin(env, host),
    [Var.env]: "global",
    [Var.active]: "global",
    [Var.launcher]: String(host.pid),
  };
}

function movedLogin(
  env: Readonly<Record<string, string>>,
  host: Host,
): Record<string, string> {
  const home = homeOrNone(host);
  if (home === undefined) return {};
  const root = aenvRoot(host.env, () => home);
  const { dir, loginDir } = claude.userConfig(env, home, root);
  return loginDir === dir ? {} : { [claude.LOGIN_VARIABLE]: loginDir };
}

/** Becomes the agent with the user's own configuration. */
export function becomeGlobal(
  args: readonly string[],
  host: Host,
  path: AbsPath,
): never {
  const env = globalEnvironment(host);
  // In a session these were the outer env's; here they would hide the user's choice from nested commands.
  delete env[Var.override];
  becomeProgram({ path, args, env });
}

/**
 * execve keeps the process id: finding our own id here means that what we started was a way back to us. So does finding our
 * parent's as that of a supervisor, which starts nothing but the agent with these variables.
 */
export function isLoop({ env, pid, parent }: Host): boolean {
  const launcher = env[Var.launcher];
  return launcher === `${pid}` || launcher === supervisorMark(parent);
}

/** The error for it. */
export function loopError(name: "claude" | "codex", host: Host): AppError {
  const root = dirsAt(aenvRoot(host.env, () => host.home()));
  return new AppError(
    "AGENT_LOOP",
    `Cannot start ${quote(name)}: the one on PATH leads back to aenv`,
    {
      hint:
        `Remove the other shim, or name the real one in ${root.config}: [agents] ${name} = "/path/to/${name}"`,
      exitCode: ExitCode.refused,
    },
  );
}

/** The env without its sandbox. Throws `SANDBOX_REFUSED` where a repository demands it. */
function unconfined(env: OpenEnv): OpenEnv {
  const { sandbox } = env.manifest;
  if (!sandbox?.enabled) return env;
  if (env.scope === "project") {
    throw new AppError(
      "SANDBOX_REFUSED",
      `Cannot start environment ${
        quote(env.label)
      } without its sandbox: the repository demands it`,
      {
        hint: `Change [sandbox] in ${env.manifestPath}`,
        exitCode: ExitCode.refused,
      },
    );
  }
  const manifest = { ...env.manifest, sandbox: { ...sandbox, enabled: false } };
  return { ...env, manifest };
}

/** Before it starts: what cannot be written down does not happen. */
async function auditOff(label: string, { audit }: Dirs): Promise<void> {
  const { AuditLog } = await import("../audit/mod.ts");
  new AuditLog(audit).add({ event: "sandbox-off" }, { env: label });
}

async function explainSandbox(
  { sandbox }: LaunchPlan,
  host: Host,
): Promise<void> {
  const { protectionLines } = await import("./explain.ts");
  for (const line of protectionLines(sandbox?.protections ?? [])) {
    host.notice(`aenv: ${line}`);
  }
}
