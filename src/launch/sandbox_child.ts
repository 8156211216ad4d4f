/** Programs that somebody else starts and watches, confined: what they start is this program, which confines itself first. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { becomeProgram, type Program } from "../os/exec.ts";
import { readText, realPath, writeNew } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { becomeConfined, type SandboxPolicy } from "../sandbox/mod.ts";
import { prepareEnforcement } from "./sandbox_enforce.ts";
import { prepareSandbox } from "./sandbox_prepare.ts";
import type { LaunchSession } from "./sandbox_session.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** The hidden command that confines itself. */
export const CONFINED_COMMAND = "__confined";

/** Name of the file with the policy. */
const POLICY_FILE = "policy.json";

/** Makes what the sandbox of a plan needs that can do without a supervisor. `end` what it returns. Throws (exit 3) when protected files were changed. */
export async function prepareConfined(
  { sandbox }: LaunchPlan,
  context: PerformContext,
): Promise<LaunchSession | undefined> {
  return sandbox && await prepareSandbox(sandbox, context);
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
