/** Running `[hooks] pre_activate`. */
import { AppError, ExitCode } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { Program } from "../os/exec.ts";
import { run } from "../os/process.ts";
import type { Confining, LaunchPlan } from "./types.ts";

/** Output goes to standard error: standard output is the agent's. */
const SCRIPT = 'exec 1>&2; eval "$1"';

/** The hook as a program. */
export function hookProgram(
  hook: string,
  env: Readonly<Record<string, string>>,
): Program {
  return { path: "/bin/sh", args: ["-c", SCRIPT, "aenv-hook", hook], env };
}

/** Runs the hook of a plan, if there is one, with the agent's variables and as confined as the agent. Throws `HOOK_FAILED`. */
export async function runHook(
  { hook, cwd, environment }: LaunchPlan,
  env: OpenEnv,
  sandbox: Confining | undefined,
): Promise<void> {
  if (hook === undefined) return;
  const program = hookProgram(hook, environment);
  const code = sandbox === undefined
    ? await runFree(program, cwd)
    : await sandbox.run(program, cwd);
  if (code !== 0) throw hookError(env, code);
}

async function runFree(
  { path, args, env }: Program,
  cwd: AbsPath,
): Promise<number> {
  const io = { stdin: "inherit", output: "inherit" } as const;
  return (await run(path, args, { cwd, env, ...io })).code;
}

/** The error for a hook that ended with this code. */
export function hookError(env: OpenEnv, code: number): AppError {
  return new AppError(
    "HOOK_FAILED",
    `Cannot start environment ${
      quote(env.label)
    }: its pre_activate hook ended with exit code ${code}`,
    {
      hint: `Mend [hooks] in ${env.manifestPath}`,
      exitCode: ExitCode.refused,
    },
  );
}
