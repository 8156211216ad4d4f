/** A planned sandbox at work: what it needs is made, then this process, or a child of it, is confined. */
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, isWithin } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { becomeProgram, type Program } from "../os/exec.ts";
import { ensureDir, lstat } from "../os/fs.ts";
import { secretHex } from "../os/random.ts";
import {
  becomeConfined,
  beginProtected,
  type Change,
  type ReadyEnforcement,
  readyEnforcement,
  rememberPolicy,
  type SandboxPolicy,
  sessionName,
} from "../sandbox/mod.ts";
import type { PerformContext, PlannedSandbox } from "./types.ts";

/** A sandbox whose directories are there and whose project is as it was left. */
export class ReadySandbox {
  readonly #policy: SandboxPolicy;
  readonly #ready: ReadyEnforcement | undefined;
  #isApplied = false;

  private constructor(
    policy: SandboxPolicy,
    ready: ReadyEnforcement | undefined,
  ) {
    this.#policy = policy;
    this.#ready = ready;
  }

  /** Prepares a launch that nothing supervises. Throws (exit 3) when protected files were changed, or the system cannot enforce the policy. */
  static async open(
    sandbox: PlannedSandbox,
    context: PerformContext,
  ): Promise<ReadySandbox> {
    await prepareSandbox(sandbox, context);
    const { policy } = sandbox;
    if (policy.os === "darwin") return new ReadySandbox(policy, undefined);
    const known = readyEnforcement(policy);
    if (known !== undefined && lstat(known.trial) !== undefined) {
      return new ReadySandbox(policy, known);
    }
    const { prepareEnforcement } = await import("./sandbox_enforce.ts");
    const ready = await prepareEnforcement(policy, context.dirs);
    rememberPolicy(policy, ready);
    return new ReadySandbox(policy, ready);
  }

  /** Whether this process itself has been confined: then it can clean up nothing any more. */
  get isApplied(): boolean {
    return this.#isApplied;
  }

  /** Runs a program to its end, confined as the agent will be. Returns its exit code, 128+n after signal n. */
  async run(program: Program, cwd: AbsPath): Promise<number> {
    const { runConfined } = await import("./sandbox_hook.ts");
    return await runConfined(program, {
      ...{ policy: this.#policy, cwd, mark: newMark() },
      enforcement: this.#ready?.enforcement,
    });
  }

  /** Becomes the program, confined. Returns only by throwing. */
  async become(program: Program): Promise<never> {
    if (this.#ready === undefined) {
      const { seatbeltArguments } = await import("./sandbox_hook.ts");
      const [path, ...args] = seatbeltArguments(this.#policy, program);
      return becomeProgram({ path: path!, args, env: program.env });
    }
    this.#isApplied = true;
    return becomeConfined(this.#ready, program);
  }
}

/** A number for processes that belong together. */
export function newMark(): number {
  return parseInt(secretHex(5), 16) + 1;
}

/** Makes the directories of a sandbox and looks at protected files. Throws `SANDBOX_CHANGED` (exit 3) when those were changed. */
export async function prepareSandbox(
  { policy, project }: PlannedSandbox,
  { env, host }: PerformContext,
): Promise<void> {
  for (const dir of policy.make) ensureDir(dir);
  const changes = await beginProtected(
    { dir: env.slot.protect, project },
    policy.protected,
    sessionName(host.pid),
  );
  if (changes.length > 0) throw changedError(changes, { project });
}

/** How many changed files a message names. */
const NAMED = 3;

/** Names of changed files, for a message; what lies below another one is left out. */
export function changedNames(
  changes: readonly Change[],
  project: AbsPath,
): string {
  const paths = changes.map(({ path }) => path);
  const upper = paths.filter((path) =>
    !paths.some((other) => other !== path && isWithin(path, other))
  );
  const names = upper.slice(0, NAMED).map((path) =>
    quote(
      path.startsWith(`${project}/`) ? path.slice(project.length + 1) : path,
    )
  );
  const more = upper.length - names.length;
  return [...names, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

function changedError(
  changes: readonly Change[],
  { project }: { readonly project: AbsPath },
): AppError {
  return new AppError(
    "SANDBOX_CHANGED",
    `Cannot start in ${
      quote(project)
    }: protected files were changed since the last session began: ${
      changedNames(changes, project)
    }`,
    {
      hint: "Look at them: aenv sandbox review; then --accept or --revert",
      exitCode: ExitCode.refused,
    },
  );
}
