/** A confined launch, from the look at protected files to the end of all that it started. */
import { BUILD_INFO } from "../base/build_info.ts";
import { Var } from "../base/env_vars.ts";
import { runDirFor } from "../env/mod.ts";
import { epochMs } from "../os/clock.ts";
import { secretNumber } from "../os/random.ts";
import { markThis, processDescriptor } from "../os/single_calls.ts";
import type { BegunSession } from "../sandbox/mod.ts";
import { type EndedSession, type EndOrder, watchFor } from "./sandbox_watch.ts";
import type { PerformContext } from "./types.ts";

/** A number for processes that belong together. */
export function newMark(): number {
  return secretNumber();
}

/** A launch that was written down. */
export class LaunchSession {
  /** What everything is marked with that it starts, if somebody sees to its end. */
  readonly mark = newMark();
  readonly #session: BegunSession;

  constructor(session: BegunSession) {
    this.#session = session;
  }

  /**
   * Leaves the end to a process that waits for it, directly before this one is confined and becomes another. Without one
   * the next launch takes whatever has changed by then for this session's.
   */
  handOver({ env, host, dirs }: PerformContext): void {
    const { place, name, held, seen } = this.#session;
    if (host.os !== "linux" || held === undefined) return;
    // From source this program's own file is another program.
    if (BUILD_INFO.version === "dev") return;
    const order: EndOrder = {
      ...{ env: env.label, audit: dirs.audit },
      ...{ claude: env.slot.claude, codex: env.slot.codex },
      since: epochMs(),
      runDir: runDirFor(dirs, host),
      ...{ ...place, name, held, mark: this.mark },
      ...{ seen: seen?.fd ?? null, dirs: seen?.dirs ?? [] },
    };
    // Closed when this becomes another program.
    const pidfd = processDescriptor(host.pid);
    if (pidfd < 0) return;
    const watcher = watchFor(order, {
      pidfd,
      self: host.self,
      keepsErrors: host.env[Var.quiet] === undefined &&
        host.isTerminal("stderr"),
    });
    // After the watcher, which is not of the session. Without the mark its last process could not be found.
    if (watcher !== undefined && markThis(this.mark) < 0) watcher.cancel();
  }

  /** Looks at what has changed, in a process that stays. */
  async end(): Promise<EndedSession> {
    const { endSession } = await import("./sandbox_ended.ts");
    return await endSession(this.#session);
  }
}
