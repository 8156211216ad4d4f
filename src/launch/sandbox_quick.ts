/** A confined launch that goes on as an earlier one did: what it would find out is known, and is found to be the same. */
import { BUILD_INFO } from "../base/build_info.ts";
import type { Dirs } from "../base/dirs.ts";
import { type OpenEnv, runDirFor } from "../env/mod.ts";
import { makeDir } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  becomeQuickly,
  type QuickLaunch,
  type QuickPlace,
  recallLaunch,
} from "../sandbox/mod.ts";
import type { Program } from "../os/exec.ts";
import { undoOuterLaunch, type Variables } from "./environment.ts";
import type { SandboxRequest } from "./sandbox_input.ts";
import { prepareSandbox } from "./sandbox_prepare.ts";
import type { LaunchSession } from "./sandbox_session.ts";
import type {
  Confining,
  Drafted,
  PerformContext,
  PlannedSandbox,
  PlannedService,
} from "./types.ts";

/** Where a launch is remembered; undefined for one that never is: what it does is more than to become a program. */
export function quickPlace(
  { env, program, agent, server, other }: SandboxRequest,
  host: Host,
  dirs: Dirs,
): QuickPlace | undefined {
  const { manifest, slot } = env;
  // From source nothing tells one version of the program from the next.
  const isKnown = host.os === "linux" && BUILD_INFO.version !== "dev";
  const isOther = server !== undefined || other !== undefined;
  if (!isKnown || isOther || !isPlain(env)) return undefined;
  const cwd = host.cwd();
  return {
    dir: slot.sandbox,
    runDir: runDirFor(dirs, host),
    self: host.self,
    key: JSON.stringify([
      ...[BUILD_INFO, env.scope, env.label, env.slotName, slot.root],
      ...[env.manifestText, manifest.sandbox, env.manifestPath],
      ...[env.manifestReal, env.baseDir, dirs.root, host.env["HOME"], cwd],
      ...[host.self, program, agent ?? null],
    ]),
    names: [cwd, program],
    variables: undoOuterLaunch(host.env),
  };
}

/** The network of every launch that is remembered. */
export const QUICK_NETWORK = "open";

/** Whether a sandbox has nothing that somebody would have to see to, or that rests on the value of just any variable. */
function isPlain({ manifest: { sandbox, preActivate } }: OpenEnv): boolean {
  return sandbox?.network.mode === QUICK_NETWORK && preActivate === undefined &&
    sandbox.unixSockets.length === 0;
}

/** A sandbox that is planned from a remembered launch. */
export class QuickDraft implements Drafted {
  readonly notes: readonly string[];
  readonly #launch: QuickLaunch;
  readonly #request: () => Promise<Drafted>;

  private constructor(launch: QuickLaunch, request: () => Promise<Drafted>) {
    this.#launch = launch;
    this.#request = request;
    this.notes = launch.info.notes;
  }

  /** The draft; undefined unless everything is as it was. `anew` plans it the long way. */
  static of(
    place: QuickPlace,
    anew: () => Promise<Drafted>,
  ): QuickDraft | undefined {
    const launch = recallLaunch(place);
    return launch && new QuickDraft(launch, anew);
  }

  /** See `SandboxDraft`. */
  passing(): Record<string, string> {
    return this.#launch.passing;
  }

  /** See `SandboxDraft`. */
  variables(vars: Variables): Record<string, string> {
    const { sets, tmpDir } = this.#launch.info;
    return variablesToSet({ sets, tmpDir }, vars);
  }

  /** See `SandboxDraft`. */
  async finish(services: readonly PlannedService[]): Promise<PlannedSandbox> {
    if (services.length > 0) {
      return await (await this.#request()).finish(services);
    }
    const quick = this.#launch;
    const { project, summary } = quick.info;
    return {
      get policy() {
        return { ...quick.policy(), environment: [] };
      },
      ...{ project, summary, supervised: undefined, protections: [], quick },
    };
  }
}

/** Variables that have to be set; `[vars]` may say another place for a cache, and not for temporary files. */
export function variablesToSet(
  { sets, tmpDir }: { readonly sets: Variables; readonly tmpDir: string },
  vars: Variables,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sets).filter(([name, value]) =>
      value === tmpDir || !Object.hasOwn(vars, name)
    ),
  );
}

/** A remembered sandbox at work. */
export class QuickSandbox implements Confining {
  readonly #launch: QuickLaunch;
  readonly #session: LaunchSession;
  readonly #context: PerformContext;
  #isApplied = false;

  private constructor(
    launch: QuickLaunch,
    session: LaunchSession,
    context: PerformContext,
  ) {
    this.#launch = launch;
    this.#session = session;
    this.#context = context;
  }

  /** Prepares the launch. Throws (exit 3) when protected files were changed. */
  static async open(
    launch: QuickLaunch,
    context: PerformContext,
  ): Promise<QuickSandbox> {
    const { project, make, ...rest } = launch.info;
    // In the launch's own directory, which is new and ours alone.
    for (const dir of make) makeDir(dir);
    const policy = { ...rest, make: [] };
    const session = await prepareSandbox({ policy, project }, context);
    return new QuickSandbox(launch, session, context);
  }

  /** See {@link Confining}. */
  get isApplied(): boolean {
    return this.#isApplied;
  }

  /** No launch with a hook is remembered. */
  run(): Promise<number> {
    throw new Error("a remembered launch has no hook");
  }

  /** See {@link Confining}. */
  async giveUp(): Promise<void> {
    await this.#session.end();
  }

  /** See {@link Confining}. */
  become(program: Program): Promise<never> {
    this.#session.handOver(this.#context);
    this.#isApplied = true;
    return becomeQuickly(this.#launch, program);
  }
}
