/** What a launch inside of a sandbox needs to know of the launch that it is in. */
import { type AbsPath, join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { Variables } from "./environment.ts";
import type { PlannedFile } from "./types.ts";

/** Name of the file in the launch's own directory. */
export const INHERIT_FILE = "inherit.json";

/** A launch as those inside of it see it. No secrets. */
export interface Inherited {
  /** What `AENV` says. */
  readonly env: string;
  readonly label: string;
  /** Which agent it is; Claude Code unless given. */
  readonly name?: "claude" | "codex";
  /** The agent's program; undefined when there is none. */
  readonly agent: AbsPath | undefined;
  /** Arguments that isolate the agent. */
  readonly args: readonly string[];
  /** Variables that isolate it. */
  readonly set: Variables;
}

/** The file of a launch. */
export function inheritFile(
  { env, runDir, own, set, agent, name }: {
    readonly env: OpenEnv;
    readonly runDir: AbsPath;
    readonly own: readonly string[];
    readonly set: Variables;
    readonly agent: AbsPath | undefined;
    readonly name?: "claude" | "codex";
  },
): PlannedFile {
  const { breadcrumb, label } = env;
  const inherited: Inherited = {
    env: breadcrumb,
    label,
    ...(name === undefined ? {} : { name }),
    agent,
    args: own,
    set,
  };
  const content = JSON.stringify(inherited, undefined, 2) + "\n";
  return { path: join(runDir, INHERIT_FILE), content };
}
