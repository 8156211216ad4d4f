/**
 * Starts MCP servers beside the agent, one for each client. A server gets the client's connections themselves as its standard
 * input and output: no byte of the conversation passes through this process.
 */
import { AppError } from "../base/errors.ts";
import { removeFile } from "../os/fs.ts";
import { Guardian } from "../os/guardian.ts";
import { closeDescriptor, Poller } from "../os/poller.ts";
import { sleep } from "../os/process.ts";
import {
  acceptConnection,
  listenAt,
  type Peer,
  peerOf,
} from "../os/unix_socket.ts";
import type {
  BrokeredServer,
  BrokerOptions,
  BrokerTools,
} from "./broker_types.ts";
import { ServerLog } from "./server_log.ts";
import { ServerSession } from "./server_session.ts";

/** Most clients of one server at a time: whoever can connect can make us start a program. */
export const MAX_SESSIONS = 64;
const PAUSE_MS = 100;
/** Most clients that have made one of their two connections. */
const MAX_WAITING = 256;

/** The servers of one launch. `stop` it at the end. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #tools: BrokerTools;
  readonly #desks: readonly Desk[];

  /** Listens on every server's socket; their directory must be closed to others. Throws `PATH_INVALID`, `IO`. */
  constructor(options: BrokerOptions) {
    const sockets = options.servers.map(({ socket }) => socket);
    const poller = new Poller();
    const guardian = new Guardian(options.children, sockets);
    this.#options = options;
    this.#tools = { poller, guardian, start: options.start };
    this.#desks = options.servers.map((server) =>
      new Desk(server, this.#tools, {
        peerOf: (fd) => this.#clientOf(fd, server),
        onStart: () => options.onStart?.(server),
      })
    );
  }

  /** Ends all servers and removes the sockets. */
  async stop(): Promise<void> {
    await Promise.all(this.#desks.map((desk) => desk.stop()));
    this.#tools.guardian[Symbol.dispose]();
    this.#tools.poller[Symbol.dispose]();
    await this.#tools.poller.finished();
  }

  /** Who connected; undefined when they may not. */
  #clientOf(connection: number, { socket }: BrokeredServer): Peer | undefined {
    const seen = peerOf(connection);
    const { whoIs } = this.#options;
    const peer = seen && whoIs ? whoIs(seen, socket) : seen;
    return peer !== undefined && this.#mayAsk(peer) ? peer : undefined;
  }

  #mayAsk(peer: Peer): boolean {
    const servers = new Set(this.#desks.flatMap((desk) => desk.processes()));
    return this.#options.mayAsk(peer, servers);
  }
}

/** A client's connections. */
interface Ends {
  readonly input: number;
  readonly output: number;
}

function closeEnds({ input, output }: Ends): void {
  closeDescriptor(input);
  closeDescriptor(output);
}

/** Where the clients of one server come to. */
class Desk {
  readonly #server: BrokeredServer;
  readonly #tools: BrokerTools;
  readonly #peerOf: (connection: number) => Peer | undefined;
  readonly #onStart: () => void;
  readonly #listener: number;
  readonly #log: ServerLog;
  /** First connections by process, for the answers: they stay open as long as the client lives. The second one of a process is its input. */
  readonly #waiting = new Map<number, number>();
  readonly #sessions = new Set<ServerSession>();
  readonly #closed = new AbortController();
  /** Clients whose server has something to look up. */
  #preparing = 0;

  constructor(
    server: BrokeredServer,
    tools: BrokerTools,
    { peerOf, onStart }: {
      readonly peerOf: (connection: number) => Peer | undefined;
      readonly onStart: () => void;
    },
  ) {
    this.#server = server;
    this.#tools = tools;
    this.#peerOf = peerOf;
    this.#onStart = onStart;
    this.#log = new ServerLog(server.log);
    this.#listener = listenAt(server.socket);
    this.#listen();
  }

  /** The first process of each session. */
  processes(): number[] {
    return [...this.#sessions].flatMap(({ pid }) => pid ?? []);
  }

  async stop(): Promise<void> {
    this.#closed.abort();
    this.#tools.poller.remove(this.#listener);
    closeDescriptor(this.#listener);
    removeFile(this.#server.socket);
    for (const pid of [...this.#waiting.keys()]) this.#forget(pid);
    await Promise.all([...this.#sessions].map((session) => session.stop()));
    this.#log[Symbol.dispose]();
  }

  #listen(): void {
    const onNews = () => this.#accept();
    this.#tools.poller.add(this.#listener, "data", onNews);
  }

  async #pause(): Promise<void> {
    this.#tools.poller.remove(this.#listener);
    await sleep(PAUSE_MS, this.#closed.signal);
    if (!this.#closed.signal.aborted) this.#listen();
  }

  #accept(): void {
    const connection = acceptConnection(this.#listener);
    if (connection === undefined) {
      // Too many open files: whoever waits would be told of again at once.
      void this.#pause();
      return;
    }
    const peer = this.#peerOf(connection);
    if (peer === undefined) {
      this.#log.add("aenv: somebody who is not the agent wanted the server\n");
      closeDescriptor(connection);
      return;
    }
    const first = this.#take(peer.pid);
    if (first === undefined) this.#wait(peer.pid, connection);
    else this.#serve({ input: connection, output: first });
  }

  #wait(pid: number, connection: number): void {
    if (this.#waiting.size >= MAX_WAITING) {
      closeDescriptor(connection);
      return;
    }
    this.#waiting.set(pid, connection);
    this.#tools.poller.add(connection, "end", () => this.#forget(pid));
  }

  #forget(pid: number): void {
    const connection = this.#take(pid);
    if (connection !== undefined) closeDescriptor(connection);
  }

  #take(pid: number): number | undefined {
    const connection = this.#waiting.get(pid);
    if (connection === undefined) return undefined;
    this.#waiting.delete(pid);
    this.#tools.poller.remove(connection);
    return connection;
  }

  #serve(ends: Ends): void {
    if (this.#sessions.size + this.#preparing >= MAX_SESSIONS) {
      this.#log.add("aenv: the server has too many clients\n");
      closeEnds(ends);
    } else if (this.#server.ready === undefined) this.#begin(ends);
    else void this.#prepare(this.#server.ready, ends);
  }

  async #prepare(ready: () => Promise<void>, ends: Ends): Promise<void> {
    this.#preparing += 1;
    try {
      await ready();
      if (this.#closed.signal.aborted) closeEnds(ends);
      else this.#begin(ends);
    } catch (error) {
      closeEnds(ends);
      if (!(error instanceof AppError)) throw error;
      this.#log.add(`aenv: ${error.message}\n`);
    } finally {
      this.#preparing -= 1;
    }
  }

  #begin(ends: Ends): void {
    const session = new ServerSession(
      { server: this.#server, log: this.#log, ...ends },
      this.#tools,
    );
    this.#sessions.add(session);
    if (session.pid !== undefined) this.#onStart();
    void session.ended.then(() => this.#sessions.delete(session));
  }
}
