/** A confined launch, from the look at protected files to the end of all that it started. */
import { BUILD_INFO } from "../base/build_info.ts";
import { Var } from "../base/env_vars.ts";
import type { AbsPath } from "../base/paths.ts";
import { closeDescriptor } from "../os/fds.ts";
import { openProcess } from "../os/pidfd.ts";
import { markSelf } from "../os/process_marks.ts";
import { secretHex } from "../os/random.ts";
import { watchEnd } from "../os/watcher.ts";
import type { BegunSession, Change } from "../sandbox/mod.ts";
import type { PerformContext } from "./types.ts";

/** The hidden command that sees to the end of a session. */
export const ENDED_COMMAND = "__ended";

/** What a session did. */
export interface EndedSession {
  readonly changes: readonly Change[];
  /** What to tell the user. */
  readonly lines: readonly string[];
}

/** What that command is told. */
export interface EndOrder {
  readonly dir: AbsPath;
  readonly project: AbsPath;
  readonly name: string;
  /** The env's label, and where the audit log is. */
  readonly env: string;
  readonly audit: AbsPath;
  /** What marks everything that the session started. */
  readonly mark: number;
  /** Descriptors that it is given: see `BegunSession`. */
  readonly held: number;
  readonly seen: number | null;
  readonly dirs: readonly AbsPath[];
}

/** A number for processes that belong together. */
export function newMark(): number {
  return parseInt(secretHex(5), 16) + 1;
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
      ...{ ...place, name, held, mark: this.mark },
      ...{ seen: seen?.fd ?? null, dirs: seen?.dirs ?? [] },
    };
    const pidfd = openProcess(host.pid);
    if (pidfd < 0) return;
    const watcher = watchFor(order, {
      pidfd,
      self: host.self,
      keepsErrors: host.env[Var.quiet] === undefined &&
        host.isTerminal("stderr"),
    });
    closeDescriptor(pidfd);
    // After the watcher, which is not of the session. Without the mark its last process could not be found.
    if (watcher !== undefined && markSelf(this.mark) < 0) watcher.cancel();
  }

  /** Looks at what has changed, in a process that stays. */
  async end(): Promise<EndedSession> {
    const { endSession } = await import("./sandbox_ended.ts");
    return await endSession(this.#session);
  }
}

/** Starts a process that runs the hidden command when the other has ended. */
export function watchFor(
  order: EndOrder,
  { pidfd, self, keepsErrors }: {
    readonly pidfd: number;
    readonly self: AbsPath;
    readonly keepsErrors: boolean;
  },
): ReturnType<typeof watchEnd> {
  const { held, seen } = order;
  return watchEnd({
    pidfd,
    program: {
      path: self,
      args: [ENDED_COMMAND, JSON.stringify(order)],
      env: { PATH: "/usr/bin:/bin" },
    },
    hands: seen === null ? [held] : [held, seen],
    keepsErrors,
  });
}
