/** Who sees to the end of a confined launch that nothing supervises: this program, started by a process of a few pages that waits. */
import type { AbsPath } from "../base/paths.ts";
import { watchEnd } from "../os/watcher.ts";
import type { Change } from "../sandbox/mod.ts";

/** The hidden command that sees to the end of a session. */
const ENDED_COMMAND = "__ended";

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
  /** The agents' own directories, and when the session began, in milliseconds since 1970. */
  readonly claude: AbsPath;
  readonly codex: AbsPath;
  readonly since: number;
  /** The launch's own directory. */
  readonly runDir: AbsPath;
  /** What marks everything that the session started. */
  readonly mark: number;
  /** Descriptors that it is given: see `BegunSession`. */
  readonly held: number;
  readonly seen: number | null;
  readonly dirs: readonly AbsPath[];
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
