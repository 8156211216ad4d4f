/** Any command with an env's variables. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  join,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
  resolveFrom,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { activeEnv } from "../env/mod.ts";
import { becomeProgram } from "../os/exec.ts";
import { isExecutable } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { isShut } from "../os/libc.ts";
import { startsCodex } from "./codex_words.ts";
import { auditedRefusal } from "./audit_start.ts";
import { isInside } from "./inside.ts";
import { globalEnvironment } from "./shim.ts";
import { performLaunch } from "./perform.ts";
import { type LaunchRequest, planLaunch } from "./plan.ts";
import type { LaunchPlan } from "./types.ts";

/** Becomes `command` with the variables of the active env, or of the one that `-E` named; a `claude` in it goes through the shim. */
export async function execInEnv(
  command: readonly string[],
  host: Host,
  option?: string,
): Promise<never> {
  const [name, ...args] = command;
  let label: string | undefined;
  try {
    if (isInside(host)) {
      const path = findCommand(name!, host, host.env["PATH"] ?? "");
      const { inheritCommand } = await import("./inherit.ts");
      inheritCommand({ path, args, argv0: name! }, host, option);
    }
    const { env, dirs } = activeEnv(host, option);
    const searchPath = [
      ...(env.kind === "env" ? [dirs.shims as string] : []),
      host.env["PATH"] ?? "",
    ];
    const program = findCommand(
      name!,
      host,
      searchPath.join(PATH_LIST_SEPARATOR),
    );
    if (env.kind === "global") {
      becomeProgram({
        path: program,
        args,
        env: globalEnvironment(host),
        argv0: name!,
      });
    }
    label = env.label;
    const plan = await planOf(command, { env, args, program }, [host, dirs]);
    return await performLaunch(plan, { env, host, dirs });
  } catch (error) {
    throw await auditedRefusal(error, host, label);
  }
}

/** The plan of a command; one that starts Codex gets what that needs, and nothing of Claude Code's. */
async function planOf(
  command: readonly string[],
  request: LaunchRequest,
  [host, dirs]: readonly [Host, Dirs],
): Promise<LaunchPlan> {
  if (!startsCodex(command)) {
    return await planLaunch({ ...request, mayRecall: true }, host, dirs);
  }
  const { planCodex } = await import("./codex_plan.ts");
  return await planCodex(request, host, dirs);
}

function findCommand(name: string, host: Host, searchPath: string): AbsPath {
  const candidates = /[/\\]/.test(name)
    ? [resolveFrom(host.cwd(), name)]
    : searchPath.split(PATH_LIST_SEPARATOR).filter(isAbsolutePath).map((dir) =>
      join(parseAbsPath(dir, "a directory of PATH"), name)
    );
  // As in a shell: a directory of PATH that is closed is none to look in.
  const found = candidates.find((path) => !isShut(path) && isExecutable(path));
  if (found) return found;
  throw new AppError(
    "AGENT_NOT_FOUND",
    `Cannot run ${quote(name)}: there is no such program on PATH`,
  );
}
