/** The beginning of a launch, as far as protected files are concerned: mostly all is as it was, and that is quickly seen. */
import type { AbsPath } from "../base/paths.ts";
import { watchDirs } from "../os/dir_watch.ts";
import { closeAtOnce } from "../os/single_calls.ts";
import type { Change, Watched } from "./protect.ts";
import { type Found, recallLooks, watchedText } from "./protect_looks.ts";
import {
  type BegunSession,
  type OpenedSession,
  openSession,
} from "./protect_open.ts";
import { looksPath, type ProtectPlace } from "./protect_place.ts";
import type { ProtectedPath } from "./types.ts";

/** What was found before a launch. */
export interface Begun {
  /** Behind a session whose end nobody saw, or that nobody has looked at: then there is no session, and the launch must not go on. */
  readonly changes: readonly Change[];
  /** What earlier sessions changed and put back, which nobody was told yet. */
  readonly touched: readonly AbsPath[];
  readonly session: BegunSession | undefined;
}

/** Before a launch: either something has changed, or the session is written down and the protected paths are as they should be from now on. */
export async function beginProtected(
  place: ProtectPlace,
  paths: readonly ProtectedPath[],
  name: string,
): Promise<Begun> {
  const watched = paths.map(({ path, tree, why, harmless }): Watched => ({
    ...{ path, tree, why: why.text },
    ...(harmless ? { harmless } : {}),
  }));
  // Before anything is looked at: whoever changes the record from now on sees this session.
  const opened = openSession(place, name, looksPath(place));
  const { held } = opened;
  const others = async () => await othersRun(place, name);
  const quick = await beginQuickly(watched, opened, others);
  const found = quick ?? await beginSlowly(place, watched, name);
  const { changes, touched, dirs } = found;
  if (changes.length > 0) {
    if (held !== undefined) closeAtOnce(held);
    const { closeSession } = await import("./protect_sessions.ts");
    closeSession(place, name);
    return { changes, touched: [], session: undefined };
  }
  const fd = watchDirs(dirs);
  const seen = fd === undefined ? undefined : { fd, dirs };
  return { changes, touched, session: { place, name, held, seen } };
}

/** Undefined unless everything is as it was, and nobody has to be asked. Needs no lock: see `beginAnew`. */
async function beginQuickly(
  watched: readonly Watched[],
  { looks, isAlone }: OpenedSession,
  othersRun: () => Promise<boolean>,
): Promise<Found | undefined> {
  const dirs = looks && recallLooks(looks, watchedText(watched));
  return dirs && (isAlone || await othersRun())
    ? { changes: [], touched: [], dirs }
    : undefined;
}

async function othersRun(place: ProtectPlace, name: string): Promise<boolean> {
  const { isRunning, sessionsOf } = await import("./protect_sessions.ts");
  return sessionsOf(place).every((other) =>
    other.name === name || isRunning(other)
  );
}

async function beginSlowly(
  place: ProtectPlace,
  watched: readonly Watched[],
  name: string,
): Promise<Found> {
  const { beginAnew } = await import("./protect_record.ts");
  return await beginAnew(place, watched, name);
}
