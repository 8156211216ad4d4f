/** A planned sandbox at work: what it needs is made, then this process, or a child of it, is confined. */
import type { AbsPath } from "../base/paths.ts";
import { becomeProgram, type Program } from "../os/exec.ts";
import { lstat } from "../os/fs.ts";
import {
  becomeConfined,
  type ReadyEnforcement,
  readyEnforcement,
  rememberPolicy,
  type SandboxPolicy,
} from "../sandbox/mod.ts";
import { prepareSandbox } from "./sandbox_prepare.ts";
import { rememberPlanned } from "./sandbox_recall.ts";
import type { LaunchSession } from "./sandbox_session.ts";
import type { Confining, PerformContext, PlannedSandbox } from "./types.ts";

/** A sandbox whose directories are there and whose project is as it was left. */
export class ReadySandbox implements Confining {
  readonly #policy: SandboxPolicy;
  readonly #ready: ReadyEnforcement | undefined;
  readonly #session: LaunchSession;
  readonly #context: PerformContext;
  #isApplied = false;

  private constructor(
    policy: SandboxPolicy,
    ready: ReadyEnforcement | undefined,
    { session, context }: {
      readonly session: LaunchSession;
      readonly context: PerformContext;
    },
  ) {
    this.#policy = policy;
    this.#ready = ready;
    this.#session = session;
    this.#context = context;
  }

  /** Prepares a launch that nothing supervises. Throws (exit 3) when protected files were changed, or the system cannot enforce the policy. */
  static async open(
    sandbox: PlannedSandbox,
    context: PerformContext,
  ): Promise<ReadySandbox> {
    const session = await prepareSandbox(sandbox, context);
    try {
      const { policy } = sandbox;
      const own = { session, context };
      if (policy.os === "darwin") {
        return new ReadySandbox(policy, undefined, own);
      }
      const known = readyEnforcement(policy);
      const isTried = known !== undefined && lstat(known.trial) !== undefined;
      const ready = isTried ? known : await enforcementOf(policy, context);
      await rememberPlanned(sandbox, ready);
      return new ReadySandbox(policy, ready, own);
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  /** Whether this process itself has been confined: then it can clean up nothing any more. */
  get isApplied(): boolean {
    return this.#isApplied;
  }

  /** Runs a program to its end, confined as the agent will be. Returns its exit code, 128+n after signal n. */
  async run(program: Program, cwd: AbsPath): Promise<number> {
    const { runConfined } = await import("./sandbox_hook.ts");
    return await runConfined(program, {
      ...{ policy: this.#policy, cwd, mark: this.#session.mark },
      enforcement: this.#ready?.enforcement,
    });
  }

  /** See {@link Confining}. */
  async giveUp(): Promise<void> {
    await this.#session.end();
  }

  /** Becomes the program, confined. Returns only by throwing. */
  async become(program: Program): Promise<never> {
    if (this.#ready === undefined) {
      const { seatbeltArguments } = await import("./sandbox_hook.ts");
      const [path, ...args] = seatbeltArguments(this.#policy, program);
      return becomeProgram({ path: path!, args, env: program.env });
    }
    this.#session.handOver(this.#context);
    this.#isApplied = true;
    return becomeConfined(this.#ready, program);
  }
}

async function enforcementOf(
  policy: SandboxPolicy,
  { dirs }: PerformContext,
): Promise<ReadyEnforcement> {
  const { prepareEnforcement } = await import("./sandbox_enforce.ts");
  const ready = await prepareEnforcement(policy, dirs);
  rememberPolicy(policy, ready);
  return ready;
}
