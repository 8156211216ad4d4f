/** Programs that somebody else starts and watches, confined: what they start is this program, which confines itself first. */
import type { Dirs } from "../base/dirs.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { becomeProgram, type Program } from "../os/exec.ts";
import { readText, realPath, writeNew } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { becomeConfined, type SandboxPolicy } from "../sandbox/mod.ts";
import { prepareEnforcement } from "./sandbox_enforce.ts";
import { prepareSandbox } from "./sandbox_run.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** The hidden command that confines itself. */
export const CONFINED_COMMAND = "__confined";

/** Name of the file with the policy. */
const POLICY_FILE = "policy.json";

/** Makes what the sandbox of a plan needs, where it can do without a supervisor. Throws (exit 3) where it cannot, or protected files were changed. */
export async function prepareConfined(
  { sandbox, services, env }: LaunchPlan,
  context: PerformContext,
): Promise<void> {
  if (sandbox === undefined) return;
  const reason = sandbox.supervised ??
    (services.length > 0 ? "its MCP servers need secrets" : undefined);
  if (reason !== undefined) {
    throw new AppError(
      "NOT_SUPPORTED",
      `Cannot verify environment ${
        quote(env)
      }: something would have to stay beside its sandbox, since ${reason}`,
      { exitCode: ExitCode.refused },
    );
  }
  await prepareSandbox(sandbox, context);
}

/** The command that runs a program under a policy, with one more writable directory, in which the policy is written down. */
export function confinedWords(
  policy: SandboxPolicy,
  { self }: Pick<Host, "self">,
  { program, writable }: {
    readonly program: AbsPath;
    readonly writable: AbsPath;
  },
): { readonly program: AbsPath; readonly args: readonly string[] } {
  const file = join(writable, POLICY_FILE);
  const grants: SandboxPolicy["grants"] = [...policy.grants, {
    path: realPath(writable) ?? writable,
    kind: "directory",
    access: "write",
    why: { source: "run", text: "what is observed" },
  }];
  writeNew(file, JSON.stringify({ ...policy, grants }));
  return { program: self, args: [CONFINED_COMMAND, file, program] };
}

/** Becomes the program under the policy in a file. Throws `SANDBOX_UNENFORCED`, `AGENT_NOT_STARTED`. */
export async function becomeByFile(
  file: AbsPath,
  program: Program,
  dirs: Dirs,
): Promise<never> {
  const policy = JSON.parse(readText(file) ?? "null") as SandboxPolicy;
  if (policy.os === "darwin") {
    const { seatbeltArguments } = await import("./sandbox_hook.ts");
    const [path, ...args] = seatbeltArguments(policy, program);
    return becomeProgram({ path: path!, args, env: program.env });
  }
  return becomeConfined(await prepareEnforcement(policy, dirs), program);
}
