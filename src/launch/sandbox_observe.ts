/** A confined launch beside which something stays, for somebody else who watches its agent: all is as in a launch but that the agent's output is read. */
import { claude } from "../agents/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { runDirFor } from "../env/mod.ts";
import { makePipe } from "../os/c_process.ts";
import { type Child, type ChildEnd, Children } from "../os/children.ts";
import { ensureDir, realPath } from "../os/fs.ts";
import type { Program } from "../os/exec.ts";
import { closeDescriptor, Poller, readSome } from "../os/poller.ts";
import type { RunResult } from "../os/process.ts";
import { sleep } from "../os/process.ts";
import type { Variables } from "./environment.ts";
import { LaunchAudit } from "./audit_session.ts";
import { SupervisedSandbox } from "./sandbox_supervise.ts";
import { type RunningServices, startServices } from "./service_run.ts";
import { type FilledServices, fillServices } from "./service_values.ts";
import type { LaunchPlan, PerformContext, PlannedSandbox } from "./types.ts";

/** Directory below the run directory in which the agent may write what is observed. */
const OBSERVED = "observed";
const BLOCK_BYTES = 64 * 1024;
const AFTER_KILL_MS = 2000;
const SIGKILL = 9;

/** A plan with a sandbox. */
export type ConfinedPlan = LaunchPlan & { readonly sandbox: PlannedSandbox };

/** How a program is run. */
export interface ObservedRun extends Program {
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
  /** Called when it has started. */
  readonly onStart?: (pid: number) => void;
}

/** Whether something has to stay beside the agent of this plan for its sandbox. */
export function needsSupervisor(plan: LaunchPlan): plan is ConfinedPlan {
  return plan.sandbox !== undefined &&
    (plan.sandbox.supervised !== undefined || plan.services.length > 0);
}

/** The domains, services and proxies of a launch. `stop` it at the end. */
export class ObservedSandbox {
  /** A directory in which what runs in the agent's domain may write. */
  readonly directory: AbsPath;
  /** Names of the servers that have a domain of their own. */
  readonly servers: readonly string[];
  readonly #plan: ConfinedPlan;
  readonly #children: Children;
  readonly #sandbox: SupervisedSandbox;
  readonly #services: RunningServices;

  private constructor(
    plan: ConfinedPlan,
    directory: AbsPath,
    parts: {
      readonly children: Children;
      readonly sandbox: SupervisedSandbox;
      readonly services: RunningServices;
    },
  ) {
    this.directory = directory;
    this.#plan = plan;
    this.servers = plan.services.filter(({ kind }) => kind === "stdio")
      .map(({ name }) => name);
    this.#children = parts.children;
    this.#sandbox = parts.sandbox;
    this.#services = parts.services;
  }

  /** Starts what stays beside the agent. Throws (exit 3) what keeps a launch from starting. */
  static async open(
    planned: ConfinedPlan,
    context: PerformContext,
  ): Promise<ObservedSandbox> {
    const filled = await fillServices(planned, context.env, context);
    const runDir = runDirFor(context.dirs, context.host);
    const directory = join(runDir, OBSERVED);
    ensureDir(directory);
    const plan = withWritable(planned, directory);
    const children = new Children();
    const audit = new LaunchAudit(plan, context, runDir);
    let sandbox: SupervisedSandbox | undefined;
    try {
      sandbox = await SupervisedSandbox.open(plan, context, {
        children,
        // What is tried here is no event of a session.
        audit: { proxy: () => {}, connect: () => {}, changed: () => {} },
      });
      const services = serve(plan, context, {
        ...{ filled, children, sandbox, audit },
      });
      return new ObservedSandbox(plan, directory, {
        ...{ children, sandbox, services },
      });
    } catch (error) {
      await sandbox?.end();
      children[Symbol.dispose]();
      throw error;
    }
  }

  /** The agent's variables when it may reach these ports on this machine, besides those of the launch. */
  admit(env: Variables, ports: readonly number[]): Variables {
    const all = [...this.#services.ports, ...ports];
    this.#sandbox.admitAgent(all);
    return this.#sandbox.variables(env, all);
  }

  /** Runs a program to its end in the domain of the agent, which was admitted, or of a server. */
  async run(
    { timeout, onStart, ...program }: ObservedRun,
    server?: string,
  ): Promise<RunResult> {
    const pipes = new Pipes();
    const child = pipes.start((stdio) =>
      this.#start({ ...program, stdio }, server)
    );
    onStart?.(child.pid);
    const over = new AbortController();
    const end = await Promise.race([
      child.ended,
      sleep(timeout, over.signal).then(() => undefined),
    ]);
    over.abort();
    if (end === undefined) child.send(SIGKILL);
    // What it started may hold the pipes for as long as it likes.
    const [stdout, stderr] = await pipes.texts(
      end === undefined ? AFTER_KILL_MS : timeout,
    );
    const code = exitCode(end ?? await child.ended);
    return { code, stdout, stderr, timedOut: end === undefined };
  }

  /** Starts a process in the agent's domain, or a server's, that does nothing; it ends with everything else. */
  hold(server?: string): number {
    const args = ["-c", "exec sleep 600"];
    const pipes = new Pipes();
    const child = pipes.start((stdio) =>
      this.#start({ path: "/bin/sh", args, env: {}, stdio }, server)
    );
    pipes.drop();
    return child.pid;
  }

  /** Ends everything; returns what to tell the user. */
  async stop(): Promise<string[]> {
    await this.#services.stop();
    const lines = await this.#sandbox.end();
    this.#children[Symbol.dispose]();
    return lines;
  }

  #start(
    program: Program & { readonly stdio: readonly [number, number, number] },
    server: string | undefined,
  ): Child {
    const { cwd, environment } = this.#plan;
    const env = server === undefined ? program.env : {
      ...claude.serverVariables(environment, cwd),
      ...program.env,
    };
    const options = { ...program, env, ownSession: true };
    return this.#sandbox.start(options, server);
  }
}

/** The plan with one more directory that the agent may write. */
function withWritable(plan: ConfinedPlan, directory: AbsPath): ConfinedPlan {
  const { policy } = plan.sandbox;
  const grants: typeof policy.grants = [...policy.grants, {
    path: realPath(directory) ?? directory,
    kind: "directory",
    access: "write",
    why: { source: "run", text: "what is observed" },
  }];
  return {
    ...plan,
    sandbox: { ...plan.sandbox, policy: { ...policy, grants } },
  };
}

function serve(
  plan: LaunchPlan,
  { host }: PerformContext,
  { filled, children, sandbox, audit }: {
    readonly filled: FilledServices;
    readonly children: Children;
    readonly sandbox: SupervisedSandbox;
    readonly audit: LaunchAudit;
  },
): RunningServices {
  return startServices(plan, filled, {
    ...{ host, children },
    start: (options, server) => sandbox.start(options, server),
    whoIs: sandbox.whoIs.bind(sandbox),
    onHandOut: (server) => audit.handOut(server),
  });
}

function exitCode(end: ChildEnd): number {
  return end.kind === "exited" ? end.code : 128 + end.signal;
}

/** An empty standard input, and pipes for what a program says. */
class Pipes {
  readonly #poller = new Poller();
  readonly #texts: Promise<string>[] = [];
  readonly #closed = new AbortController();

  /** Hands the program's ends over. */
  start(
    start: (stdio: readonly [number, number, number]) => Child,
  ): Child {
    const [input, output, errors] = [makePipe(), makePipe(), makePipe()];
    closeDescriptor(input.into);
    this.#texts.push(this.#read(output.from), this.#read(errors.from));
    try {
      return start([input.from, output.into, errors.into]);
    } finally {
      for (const fd of [input.from, output.into, errors.into]) {
        closeDescriptor(fd);
      }
    }
  }

  /** What it said, as far as it has come after so many milliseconds. */
  async texts(patienceMs: number): Promise<readonly [string, string]> {
    const over = new AbortController();
    void sleep(patienceMs, over.signal).then(() => this.#closed.abort());
    const [output, errors] = await Promise.all(this.#texts);
    over.abort();
    this.#poller[Symbol.dispose]();
    return [output!, errors!];
  }

  /** Listens no more. */
  drop(): void {
    this.#closed.abort();
    this.#poller[Symbol.dispose]();
  }

  #read(fd: number): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const decoder = new TextDecoder();
    const block = new Uint8Array(BLOCK_BYTES);
    let text = "";
    let isOpen = true;
    const end = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#poller.remove(fd);
      closeDescriptor(fd);
      resolve(text + decoder.decode());
    };
    this.#poller.add(fd, "data", () => {
      const count = readSome(fd, block);
      if (count === 0) end();
      else text += decoder.decode(block.subarray(0, count), { stream: true });
    });
    this.#closed.signal.addEventListener("abort", end);
    return promise;
  }
}
