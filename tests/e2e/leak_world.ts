/** What the leak tests share: one launch of the real agent in an env, below a dirty HOME. */

import { Aenv } from "../support/aenv.ts";
import type { ClaudeProgram } from "../support/agents.ts";
import { type Evidence, gatherEvidence } from "../support/canaries.ts";
import { type DeclaredEnv, writeDeclaredEnv } from "../support/declared_env.ts";
import { type DirtyHome, PROJECT_FILE } from "../support/dirty_home.ts";
import type { Finished } from "../support/process.ts";
import { StubApi } from "../support/stub_api.ts";

/** Arguments of one unattended turn. */
export const PROMPT = [
  "-p",
  "hello",
  "--output-format",
  "stream-json",
  "--verbose",
  "--allowedTools=Bash,Read",
];

/** The Bash tool's environment goes to this file in `marks`. */
export const BASH_DUMP = "bash-environment";

/** The name of the env that the tests make. */
export const ENV_NAME = "leak";

/** Ways of configuring an agent that a version does not have yet. */
export const UNKNOWN_TO: Readonly<Record<string, readonly string[]>> = {
  "2.1.197": ["caller-plugin-dirs"],
};

/** How an env is launched. */
export interface LaunchOptions {
  readonly agent: ClaudeProgram;
  readonly isolation: "private" | "overlay";
  readonly projectConfig: "load" | "ignore";
  /** The stub that the dirty HOME was made for. */
  readonly stub: StubApi;
  /** Other than the project. */
  readonly cwd?: string;
  /** HOME under another name. */
  readonly home?: string;
}

/** What one launch did. */
export interface Launch {
  readonly declared: DeclaredEnv;
  readonly evidence: Evidence;
  readonly finished: Finished;
  /** Authorization headers of the requests to the model. */
  readonly bearers: readonly (string | undefined)[];
}

/** A stub whose model reads the file in `cwd`, a directory of the project below `root`, then dumps the environment of its Bash tool. */
export function stubFor(root: string, cwd = ""): StubApi {
  const path = `${root}/home/work/project/${cwd}/${PROJECT_FILE}`;
  return new StubApi([
    { tool: "Read", input: { "file_path": path } },
    { bash: `env > "${root}/marks/${BASH_DUMP}"` },
  ]);
}

/** Makes an env and starts the agent in it through the shim. */
export async function launchInEnv(
  dirty: DirtyHome,
  options: LaunchOptions,
): Promise<Launch> {
  const { agent, isolation, projectConfig, stub } = options;
  const { marks } = dirty;
  const aenv = new Aenv({
    home: options.home ?? dirty.home,
    cwd: options.cwd ?? dirty.project,
    agent,
    env: { ...dirty.callerEnv, ANTHROPIC_BASE_URL: stub.url },
  });
  await aenv.must(["init", "--no-default"]);
  await aenv.must(["new", ENV_NAME]);
  const slot = `${aenv.root}/envs/${ENV_NAME}`;
  const env = { name: ENV_NAME, isolation, projectConfig, marks };
  const declared = writeDeclaredEnv(slot, env);
  const finished = await aenv.claude(ENV_NAME, PROMPT);
  const bearers = stub.modelRequests().map(({ headers }) =>
    headers["authorization"]
  );
  const evidence = gatherEvidence(stub, marks);
  return { declared, evidence, finished, bearers: [...new Set(bearers)] };
}
