/** The compiled binary under test, with a home of its own. */

import { type ClaudeProgram, repositoryRoot } from "./agents.ts";
import { type Finished, run, type RunOptions } from "./process.ts";

/** Path of the binary: `$AENV_BIN`, else `dist/aenv`. Throws when it has not been built. */
export function aenvBinary(): string {
  const path = Deno.env.get("AENV_BIN") ?? `${repositoryRoot()}/dist/aenv`;
  try {
    Deno.statSync(path);
  } catch (error) {
    throw new Error(`Cannot test "${path}": run \`deno task build\` first`, {
      cause: error,
    });
  }
  return path;
}

/** Where an {@link Aenv} lives and what it finds on PATH. */
export interface AenvOptions {
  readonly home: string;
  readonly cwd: string;
  readonly agent: ClaudeProgram;
  /** Added to the environment of every call. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What one call may differ in. */
export type CallOptions = Partial<RunOptions>;

/** `aenv` and its shims, called with a clean environment. */
export class Aenv {
  /** `$AENV_HOME`. */
  readonly root: string;
  readonly #options: AenvOptions;

  constructor(options: AenvOptions) {
    this.#options = options;
    this.root = `${options.home}/.aenv`;
  }

  /** The environment of every call: HOME, AENV_HOME, and a PATH where the shims come first. */
  get env(): Readonly<Record<string, string>> {
    const { home, agent, env } = this.#options;
    return {
      ...bareEnv(home, agent),
      AENV_HOME: this.root,
      ...env,
      PATH: this.#path,
    };
  }

  get #path(): string {
    return `${this.root}/shims:${bareEnv("", this.#options.agent)["PATH"]}`;
  }

  /** Runs `aenv ARGS`. */
  run(args: readonly string[], options: CallOptions = {}): Promise<Finished> {
    return this.#call(aenvBinary(), args, options);
  }

  /** Runs `aenv ARGS`. Throws unless it succeeds. */
  async must(
    args: readonly string[],
    options: CallOptions = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code === 0) return stdout;
    throw new Error(`aenv ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  /** Runs the `claude` shim in the env named `name`. */
  claude(
    name: string,
    args: readonly string[],
    options: CallOptions = {},
  ): Promise<Finished> {
    const env = { ...this.env, AENV: name, ...options.env };
    return this.#call(`${this.root}/shims/claude`, args, { ...options, env });
  }

  #call(
    program: string,
    args: readonly string[],
    options: CallOptions,
  ): Promise<Finished> {
    return run(program, args, {
      env: this.env,
      cwd: this.#options.cwd,
      ...options,
    });
  }
}

/** An environment without aenv: HOME, a terminal type, and a PATH with the agent and the system's programs. */
export function bareEnv(
  home: string,
  agent: ClaudeProgram,
): Readonly<Record<string, string>> {
  const path = Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
  return {
    HOME: home,
    PATH: `${agent.directory}:${path}`,
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    // An agent under test neither updates itself nor phones home.
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  };
}
