/** The role of a relay to a server that runs beside the agent, where the system has no Perl. */
import { relayTo } from "./os/unix_relay.ts";

/** Joins standard input and output to the socket at `path`; returns the exit code. */
export async function runRelay(path: string): Promise<number> {
  return await relayTo(path);
}
