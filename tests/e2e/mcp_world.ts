/** Envs whose MCP servers need a secret, the agent in them, and a search for the value. */

import type { ClaudeProgram } from "../support/agents.ts";
import { repositoryRoot } from "../support/agents.ts";
import { waitFor } from "../support/process.ts";
import type { Step } from "../support/stub_api.ts";
import { World } from "./agent_world.ts";

/** The key that the envs of these tests refer to. */
export const KEY = "api-token";

/** The command line of a real server over stdio. */
export function everythingServer(): { command: string; args: string[] } {
  const directory = `${repositoryRoot()}/.cache/servers/node_modules`;
  const server = `${directory}/@modelcontextprotocol/server-everything`;
  return { command: "node", args: [`${server}/dist/index.js`, "stdio"] };
}

/** See `World.project`: also a confined agent may write there. */
function projectIn(root: string): string {
  return `${root}/home/work/project`;
}

/** What {@link McpWorld.open} takes. */
export interface McpWorldOptions {
  readonly agent?: ClaudeProgram;
  /** What the model does before and after the agent waits for {@link Session.goOn}. */
  readonly before?: readonly Step[];
  readonly after?: readonly Step[];
  /** What it does in the place of all that; the agent does not wait then. */
  readonly steps?: (world: { readonly root: string }) => readonly Step[];
}

/** A world with a secret in the file backend. Use with `await using`. */
export class McpWorld implements AsyncDisposable {
  readonly world: World;
  /** The value of the secret `KEY`: nothing else looks like it. */
  readonly value = `sesame-${crypto.randomUUID()}`;

  private constructor(world: World) {
    this.world = world;
  }

  static async open(options: McpWorldOptions = {}): Promise<McpWorld> {
    const { agent, before = [], after = [] } = options;
    const world = await World.open({
      ...(agent === undefined ? {} : { agent }),
      steps: options.steps ?? (({ root }) => [
        ...before,
        {
          bash: `cd '${
            projectIn(root)
          }'; touch here; until [ -e go ]; do sleep 0.05; done`,
        },
        ...after,
      ]),
    });
    Deno.mkdirSync(`${world.root}/tmp`);
    const mcp = new McpWorld(world);
    await world.aenv.must(["secrets", "add", KEY, "-E", "private", "-"], {
      env: mcp.env,
      stdin: mcp.value,
    });
    return mcp;
  }

  /** The environment in which the agent of the env `private` is started. */
  get env(): Readonly<Record<string, string>> {
    return {
      ...this.world.envOf("private"),
      AENV_SECRET_BACKEND: "file",
      // All that is written during a run lies below the world's root.
      TMPDIR: `${this.world.root}/tmp`,
    };
  }

  /** Writes the manifest of both envs: `lines` follow `[env]`. */
  declare(lines: string): void {
    this.world.writeEnv("private", `isolation = "private"\n${lines}`);
  }

  /** Starts the agent and waits until it waits. */
  async start(
    options: { readonly args?: readonly string[] } = {},
  ): Promise<Session> {
    const session = new Session(this, options.args ?? []);
    await session.waits();
    return session;
  }

  /** Files below the world's root that hold the value in some form. The one where it is kept must be among them, and is left out. */
  filesWithValue(): string[] {
    const kept = `${this.world.aenv.root}/secrets/values.json`;
    const found = filesBelow(this.world.root).filter((path) =>
      holds(Deno.readFileSync(path), this.value)
    );
    if (!found.includes(kept)) throw new Error("The search finds nothing");
    return found.filter((path) => path !== kept);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // After a test that failed half way.
    for (const pid of processesOf(this.world.root)) {
      if (pid !== Deno.pid) endProcess(pid);
    }
    await this.world[Symbol.asyncDispose]();
  }
}

/** One run of the agent. */
export class Session {
  readonly child: Deno.ChildProcess;
  readonly output: Promise<Deno.CommandOutput>;
  readonly #mcp: McpWorld;

  /** `as`: a command that starts what follows it, as somebody else. */
  constructor(
    mcp: McpWorld,
    args: readonly string[],
    as: readonly string[] = [],
  ) {
    const { world } = mcp;
    this.#mcp = mcp;
    const [program, ...words] = [...as, world.programOf("private")];
    this.child = new Deno.Command(program!, {
      args: [
        ...words,
        ...["-p", "hello", "--output-format", "stream-json", "--verbose"],
        "--allowedTools=Bash,mcp__all,mcp__web,mcp__old,mcp__gh",
        ...args,
      ],
      env: { ...mcp.env },
      clearEnv: true,
      cwd: world.project,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.output = this.child.output();
  }

  /** Settled when the agent waits for {@link goOn}. Throws with its output when it ends instead. */
  async waits(): Promise<void> {
    let ended: Deno.CommandOutput | undefined;
    void this.output.then((output) => ended = output);
    await waitFor("the agent's command", () => {
      if (ended) throw new Error(`It ended: ${textOf(ended)}`);
      return isThere(`${this.#mcp.world.project}/here`) || undefined;
    }, 60_000);
  }

  /** Lets the agent go on. */
  goOn(): void {
    Deno.writeTextFileSync(`${this.#mcp.world.project}/go`, "");
  }

  /** The supervisor's only child on its terminal: the agent. */
  agent(): number {
    const agents = childrenOf(this.child.pid).filter((pid) =>
      sessionOf(pid) === sessionOf(this.child.pid)
    );
    if (agents.length !== 1) throw new Error(`${agents.length} agents`);
    return agents[0]!;
  }

  /** Processes that the supervisor has started beside the agent, with all that those started. */
  beside(): number[] {
    const agent = this.agent();
    return childrenOf(this.child.pid).filter((pid) => pid !== agent)
      .flatMap((pid) => [pid, ...descendantsOf(pid)]);
  }

  /** Waits for the end; the texts that the agent's tools gave. */
  async finish(): Promise<{
    readonly code: number;
    readonly results: readonly string[];
    readonly stderr: string;
    readonly stdout: string;
  }> {
    const output = await this.output;
    const stdout = new TextDecoder().decode(output.stdout);
    return {
      code: output.code,
      results: toolResults(stdout),
      stderr: new TextDecoder().decode(output.stderr),
      stdout,
    };
  }
}

function textOf({ stdout, stderr }: Deno.CommandOutput): string {
  return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes))
    .join("\n");
}

function toolResults(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line.includes('"tool_result"'))
    .flatMap((line) => JSON.parse(line).message.content)
    .map(({ content }) =>
      typeof content === "string"
        ? content
        : content.map(({ text }: { text: string }) => text).join("")
    );
}

/** Whether the environment or the arguments of a process hold the value. */
export function showsValue(pid: number, value: string): boolean {
  return ["environ", "cmdline"].some((file) => {
    const bytes = readProc(pid, file);
    return bytes !== undefined && holds(bytes, value);
  });
}

/** All that a process has started, and what those have, as far as nobody was orphaned. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Processes that run, by who started them. */
function childrenOf(pid: number): number[] {
  return allProcesses().filter((each) => Number(statOf(each)?.[1]) === pid);
}

function sessionOf(pid: number): string | undefined {
  return statOf(pid)?.[3];
}

/** Ids of the processes that run: those that have ended and are not asked for are left out. */
export function allProcesses(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((pid) => pid > 0 && isRunning(pid));
}

/** Whether a process still runs. */
export function isRunning(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && !/[ZX]/.test(state);
}

/** Processes with a text in their arguments or environment: they belong to a world whose directory it is. */
export function processesOf(root: string): number[] {
  return allProcesses().filter((pid) => {
    try {
      return showsValue(pid, root);
    } catch (error) {
      // Somebody else's.
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      return false;
    }
  });
}

function statOf(pid: number): string[] | undefined {
  const bytes = readProc(pid, "stat");
  const line = bytes && new TextDecoder("latin1").decode(bytes);
  return line?.slice(line.lastIndexOf(")") + 2).split(" ");
}

function readProc(pid: number, file: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(`/proc/${pid}/${file}`);
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      /\(os error 3\)/.test(String(error));
    if (isGone) return undefined;
    throw error;
  }
}

/** The arguments of a process; empty when it has ended. */
export function argumentsOf(pid: number): string {
  return new TextDecoder("latin1").decode(readProc(pid, "cmdline"));
}

function holds(bytes: Uint8Array, value: string): boolean {
  const text = new TextDecoder("latin1").decode(bytes);
  return [value, btoa(value).replace(/=+$/, ""), encodeURIComponent(value)]
    .some((form) => text.includes(form));
}

function filesBelow(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) return filesBelow(path);
    return entry.isFile ? [path] : [];
  });
}

/** Whether something is at a path. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

/** Ends a process that may be ending by itself. */
function endProcess(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
