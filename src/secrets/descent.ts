/** Who may ask for a server: as far as the kernel tells, the agent and what it started. */
import { parentOf } from "../os/process.ts";
import type { Peer } from "../os/unix_socket.ts";

/** More generations than this are no honest family. */
const MAX_GENERATIONS = 1000;

/**
 * Whether a client runs as this user and descends from the process `root`, but not through one of `except`: a server could
 * else ask for another one. A process that was left by its parent has no such descent any more.
 */
export function isDescendant(
  { pid, uid }: Peer,
  family: { readonly root: number; readonly uid: number | undefined },
  except: ReadonlySet<number>,
): boolean {
  if (uid !== family.uid) return false;
  let at: number | undefined = pid;
  for (let i = 0; at !== undefined && i < MAX_GENERATIONS; i++) {
    if (except.has(at)) return false;
    if (at === family.root) return pid !== family.root;
    at = at > 1 ? parentOf(at) : undefined;
  }
  return false;
}
