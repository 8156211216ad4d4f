/** The claims of a confined launch, tried from the agent's sandbox and from those of its servers. */
import type { Dirs } from "../base/dirs.ts";
import type { OpenEnv } from "../env/mod.ts";
import type {
  LaunchPlan,
  ObservedSandbox,
  PlannedSandbox,
} from "../launch/mod.ts";
import type { Host } from "../os/host.ts";
import {
  type Attempt,
  ATTEMPT_COMMAND,
  parseTried,
  type Tried,
} from "./attempts.ts";
import type { Seen } from "./observe.ts";
import {
  agentAttempts,
  claimRows,
  type Outsider,
  serverAttempts,
} from "./sandbox_claims.ts";
import type { Row } from "./types.ts";

/** Milliseconds for the attempts of one server. */
const TIMEOUT = 60_000;

/** What the claims are about. */
export interface ClaimedLaunch {
  readonly env: OpenEnv;
  readonly host: Host;
  readonly dirs: Dirs;
  readonly plan: LaunchPlan;
  readonly within: ObservedSandbox | undefined;
}

/** The claims of one launch. Linux. */
export class SandboxClaims {
  /** The command that tries them, for a hook of the agent. */
  readonly command: readonly string[];
  readonly #launch: ClaimedLaunch;
  readonly #sandbox: PlannedSandbox;
  readonly #attempts: readonly Attempt[];
  readonly #launcher: Outsider;
  /** A process in the domain of each server. */
  readonly #servers: readonly Outsider[];

  private constructor(launch: ClaimedLaunch, sandbox: PlannedSandbox) {
    const { env, host, dirs, within } = launch;
    this.#launch = launch;
    this.#sandbox = sandbox;
    this.#launcher = { pid: host.pid, name: "the launcher" };
    this.#servers = (within?.servers ?? []).map((name) => ({
      pid: within!.hold(name),
      name: `MCP server ${name}`,
    }));
    const place = {
      sandbox,
      home: host.home(),
      root: dirs.root,
      manifest: env.manifestReal,
      launcher: this.#launcher,
    };
    this.#attempts = agentAttempts(place, this.#servers);
    this.command = commandOf(host, this.#attempts);
  }

  /** Undefined where nothing is confined, or no process shows what it holds. */
  static of(launch: ClaimedLaunch): SandboxClaims | undefined {
    const { sandbox } = launch.plan;
    return sandbox === undefined || launch.host.os !== "linux"
      ? undefined
      : new SandboxClaims(launch, sandbox);
  }

  /** What came of them: one row for each claim. Tries those of the servers now. */
  async rows({ tried }: Pick<Seen, "tried">): Promise<Row[]> {
    const { within } = this.#launch;
    const own = within?.servers ?? [];
    const parts = await Promise.all(own.map((name) => this.#fromServer(name)));
    const attempts = parts.flatMap((part) => part.attempts);
    return claimRows(this.#sandbox, {
      servers: own,
      attempts: [...this.#attempts, ...attempts],
      tried: tried && [...tried, ...parts.flatMap((part) => part.tried)],
    });
  }

  async #fromServer(name: string): Promise<{
    readonly attempts: readonly Attempt[];
    readonly tried: readonly Tried[];
  }> {
    const { host, within } = this.#launch;
    const others = this.#servers.filter((other) =>
      other.name !== `MCP server ${name}`
    );
    const agent = { pid: within!.hold(), name: "the agent" };
    const attempts = serverAttempts(name, [agent, this.#launcher, ...others]);
    const [path, ...args] = commandOf(host, attempts);
    const program = { path: path!, args, env: {}, timeout: TIMEOUT };
    const { stdout } = await within!.run(program, name);
    return { attempts, tried: parseTried(stdout) ?? [] };
  }
}

function commandOf(
  { self }: Pick<Host, "self">,
  attempts: readonly Attempt[],
): readonly string[] {
  return [self, ATTEMPT_COMMAND, JSON.stringify(attempts)];
}
