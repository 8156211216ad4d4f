/** Words of the broker. */
import type { AbsPath } from "../base/paths.ts";
import type { Child, ChildOptions, Children } from "../os/children.ts";
import type { Program } from "../os/exec.ts";
import type { Guardian } from "../os/guardian.ts";
import type { Poller } from "../os/poller.ts";
import type { Peer } from "../os/unix_socket.ts";

/** A server that waits to be asked for. */
export interface BrokeredServer {
  readonly name: string;
  /** Where its clients connect. */
  readonly socket: AbsPath;
  /** Where its standard error goes. */
  readonly log: AbsPath;
  /** Has to be waited for before each start, where there is something to look up. Throws what keeps the server from starting. */
  readonly ready?: () => Promise<void>;
  /** The program with its values, made anew for each start. Throws when it cannot be found. */
  readonly program: () => Program;
}

/** What a broker needs. */
export interface BrokerOptions {
  readonly servers: readonly BrokeredServer[];
  readonly children: Children;
  /** Starts the program of a server: the place to confine it. */
  readonly start: (options: ChildOptions, server: BrokeredServer) => Child;
  /** Whether whoever connected may have a server. `servers` are the processes that were started here. */
  readonly mayAsk: (peer: Peer, servers: ReadonlySet<number>) => boolean;
  /** Told of each start of a server: then it has its values. */
  readonly onStart?: (server: BrokeredServer) => void;
  /** Who really connected, where somebody else did it for them; undefined for nobody who may. */
  readonly whoIs?: (peer: Peer, socket: AbsPath) => Peer | undefined;
}

/** Everything that the sessions of one broker share. */
export interface BrokerTools extends Pick<BrokerOptions, "start"> {
  readonly poller: Poller;
  readonly guardian: Guardian;
}
