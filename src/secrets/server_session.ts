/** One server at work for one client: from its start to the end of the last of its processes. */
import { AppError } from "../base/errors.ts";
import type { Child } from "../os/children.ts";
import { makePipe } from "../os/c_process.ts";
import { closeDescriptor, readSome } from "../os/poller.ts";
import { sleep } from "../os/process.ts";
import { endGroup } from "../os/process_group.ts";
import { endConnection } from "../os/unix_socket.ts";
import type { BrokeredServer, BrokerTools } from "./broker_types.ts";
import { LogInput, type ServerLog } from "./server_log.ts";

/** How long a server may work on after its client has said all, milliseconds: it may have answers to give. */
const AFTER_INPUT_MS = 5000;
/** How long it may go on when nobody hears it any more. */
const AFTER_CLIENT_MS = 1000;
/** Between asking it to end and killing it. */
const GRACE_MS = 1000;
/** The same when the launch is over: the agent itself gives its servers half a second. */
const LAST_GRACE_MS = 500;

const LAST_WORDS_MS = 200;

const BLOCK_BYTES = 64 * 1024;

/** What a session is about. */
export interface SessionInput {
  readonly server: BrokeredServer;
  readonly log: ServerLog;
  /** The client's connections, which are closed here. */
  readonly input: number;
  readonly output: number;
}

/** One server process with all it starts in its session. */
export class ServerSession {
  /** Settled when nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #tools: BrokerTools;
  readonly #log: LogInput;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #open = new Set<number>();
  readonly #output: number;
  readonly #over = new AbortController();
  readonly #errorsEnded = new AbortController();
  #child: Child | undefined;
  #ending: Promise<void> | undefined;

  /** Starts the server. One that cannot be started leaves the reason in the log, and the client sees it end. */
  constructor(session: SessionInput, tools: BrokerTools) {
    this.#tools = tools;
    this.#log = new LogInput(session.log);
    this.#output = session.output;
    const { from, into } = makePipe();
    for (const fd of [session.input, session.output, from]) this.#open.add(fd);
    try {
      this.#child = tools.start({
        ...session.server.program(),
        stdio: [session.input, session.output, into],
        ownSession: true,
      }, session.server);
      tools.guardian.add(this.#child.pid);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      session.log.add(`aenv: ${error.message}\n`);
    } finally {
      closeDescriptor(into);
    }
    this.#watch(session, from);
    this.ended = this.#runToEnd();
  }

  /** Its first process; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Ends it now. */
  async stop(): Promise<void> {
    if (this.#open.has(this.#output)) endConnection(this.#output);
    await this.#end(LAST_GRACE_MS);
    await this.ended;
  }

  #watch({ input, output }: SessionInput, errors: number): void {
    const { poller } = this.#tools;
    poller.add(errors, "data", () => this.#readErrors(errors));
    poller.add(input, "end", () => this.#onEnd(input, AFTER_INPUT_MS));
    poller.add(output, "end", () => this.#onEnd(output, AFTER_CLIENT_MS));
  }

  async #runToEnd(): Promise<void> {
    await this.#child?.ended;
    // What it started may still hold the connection, as no agent would wait for.
    if (this.#open.has(this.#output)) endConnection(this.#output);
    await this.#end(GRACE_MS);
    await this.#heardErrors();
    this.#over.abort();
    for (const fd of [...this.#open]) this.#close(fd);
    this.#log.end();
    if (this.pid !== undefined) this.#tools.guardian.drop(this.pid);
  }

  #readErrors(errors: number): void {
    const count = readSome(errors, this.#block);
    this.#log.add(this.#block.subarray(0, count));
    if (count > 0) return;
    this.#close(errors);
    this.#errorsEnded.abort();
  }

  /** Waits for its last words. A process that has left the group may hold the pipe for as long as it likes. */
  async #heardErrors(): Promise<void> {
    if (this.pid === undefined) return;
    await sleep(LAST_WORDS_MS, this.#errorsEnded.signal);
  }

  async #onEnd(end: number, patience: number): Promise<void> {
    this.#close(end);
    await sleep(patience, this.#over.signal);
    await this.#end(GRACE_MS);
  }

  #end(graceMs: number): Promise<void> {
    if (this.pid === undefined) return Promise.resolve();
    this.#ending ??= endGroup(this.pid, graceMs);
    return this.#ending;
  }

  #close(fd: number): void {
    if (!this.#open.delete(fd)) return;
    this.#tools.poller.remove(fd);
    closeDescriptor(fd);
  }
}
