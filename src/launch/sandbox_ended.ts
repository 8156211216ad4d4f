/** The end of a confined launch: what it did to protected files. */
import { AuditLog, SessionLog } from "../audit/mod.ts";
import { relative } from "../base/paths.ts";
import { discard } from "../os/discard.ts";
import { closeDescriptor } from "../os/fds.ts";
import type { Host } from "../os/host.ts";
import { findMarked } from "../os/marked.ts";
import { openProcess } from "../os/pidfd.ts";
import { markOf } from "../os/process_marks.ts";
import {
  type BegunSession,
  type Ended,
  endProtected,
  noteGoingOn,
} from "../sandbox/mod.ts";
import { changedNames, touchedLine } from "./sandbox_changed.ts";
import { tellRefusedTools } from "./audit_told.ts";
import { type EndedSession, type EndOrder, watchFor } from "./sandbox_watch.ts";

/** Ends a session. */
export async function endSession(
  session: BegunSession,
): Promise<EndedSession> {
  const ended = await endProtected(session);
  return { changes: ended.changes, lines: endLines(ended, session) };
}

function endLines(
  { changes, touched, isPartial }: Ended,
  { place: { project } }: BegunSession,
): string[] {
  return [
    ...(changes.length === 0 ? [] : [
      `protected files were changed: ${
        changedNames(changes, project)
      }; before the next start, look at them: aenv sandbox review`,
    ]),
    ...(touched.length === 0 ? [] : [touchedLine(touched, project)]),
    ...(isPartial
      ? [
        "more was made and removed beside protected files than could be watched",
      ]
      : []),
  ];
}

/** The hidden command: runs when the agent has ended, outside of the sandbox. Nothing is told of a session that goes on. */
export async function runEnded(text: string, host: Host): Promise<void> {
  const order = JSON.parse(text) as EndOrder;
  const { dir, project, name, held, seen, dirs, runDir } = order;
  if (goesOn(order, host)) return;
  const { changes, lines } = await endSession({
    place: { dir, project },
    name,
    held,
    seen: seen === null ? undefined : { fd: seen, dirs },
  });
  note(order, changes);
  // The shell's prompt may stand there by now.
  if (lines.length > 0 && host.isTerminal("stderr")) host.notice("");
  for (const line of lines) host.notice(`aenv: ${line}`);
  // Otherwise the next launch would, while somebody waits for it.
  discard(runDir);
}

function note(
  { env, audit, name, project, claude, codex, since }: EndOrder,
  changes: EndedSession["changes"],
): void {
  const log = new SessionLog(new AuditLog(audit), { env, session: name });
  if (changes.length > 0) {
    const paths = changes.map(({ path }) => relative(project, path));
    log.tell({ event: "files-changed", project, paths }, "agent");
  }
  tellRefusedTools({ claude, codex, since }, log);
  log.end();
  log.add({ event: "launch-end" });
}

/** Whether something that the agent started lives on; then its end is waited for. */
function goesOn(order: EndOrder, host: Host): boolean {
  const pid = findMarked(order.mark);
  if (pid === undefined) return false;
  // Nobody has seen the end of it then.
  if (pid === "unsure") return true;
  const pidfd = openProcess(pid);
  // It has just ended: who is left is asked again, by a process that waits for this one.
  const isThere = pidfd >= 0 && markOf(pid) === order.mark;
  const waitsFor = isThere ? pidfd : openProcess(host.pid);
  noteGoingOn(order, order.name);
  watchFor(order, {
    ...{ pidfd: waitsFor, self: host.self },
    keepsErrors: host.isTerminal("stderr"),
  });
  closeDescriptor(waitsFor);
  return true;
}
