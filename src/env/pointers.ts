/** What names an env from outside: pins, variables, `default_env`, running agents. */
import { type Dirs, PIN_FILE } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import { type AbsPath, ancestors, join } from "../base/paths.ts";
import { listWords, quote } from "../base/text.ts";
import { lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { readConfig } from "./config.ts";
import { openEnv } from "./open.ts";
import { findPin, readPin } from "./pin.ts";
import { refFromText } from "./resolve.ts";
import { liveRuns, type Run } from "./runs.ts";
import type { EnvRef } from "./types.ts";

/** One thing that names an env. */
export interface Pointer {
  readonly kind: "default_env" | "pin" | "manifest" | "variable";
  /** The file or the variable. */
  readonly where: string;
}

/** What is known to name the env of `slotName`: `default_env`, pins in and above the cwd, this shell's variables. Throws `CONFIG_INVALID`. */
export function findPointers(
  slotName: string,
  host: Host,
  dirs: Dirs,
): Pointer[] {
  const found: Pointer[] = [];
  if (readConfig(dirs).defaultEnv === slotName) {
    found.push({ kind: "default_env", where: dirs.config });
  }
  for (const name of [Var.override, Var.env, Var.shell]) {
    const value = host.env[name];
    if (!value) continue;
    const slot = attempt(() => slotOf(refFromText(value, dirs), host, dirs));
    if (slot === slotName) found.push({ kind: "variable", where: `$${name}` });
  }
  const dirsAbove = attempt(() => ancestors(host.cwd())) ?? [];
  for (const dir of dirsAbove) {
    if (isPinnedTo(slotName, join(dir, PIN_FILE))) {
      found.push({ kind: "pin", where: join(dir, PIN_FILE) });
    }
  }
  const pin = attempt(() => findPin(host.cwd()).pin);
  if (pin?.kind === "project manifest") {
    const ref: EnvRef = { kind: "project", manifest: pin.file };
    if (attempt(() => slotOf(ref, host, dirs)) === slotName) {
      found.push({ kind: "manifest", where: pin.file });
    }
  }
  return found;
}

/** Throws `ENV_BUSY` while an agent runs in the env. */
export function requireIdle(
  slotName: string,
  action: string,
  dirs: Dirs,
): void {
  const runs = liveRuns(dirs).filter((run) => run.slotName === slotName);
  if (runs.length === 0) return;
  const list = listWords(
    runs.map((run) => `${programOf(run)} (process ${run.pid})`),
  );
  throw new AppError(
    "ENV_BUSY",
    `Cannot ${action} environment ${quote(slotName)}: ${list} runs in it`,
    { hint: "Quit it first" },
  );
}

/** The agent, or what `exec` runs instead of one. */
export function programOf(run: Pick<Run, "agent">): string {
  return run.agent === "none" ? "a program" : run.agent;
}

function isPinnedTo(slotName: string, file: AbsPath): boolean {
  if (lstat(file) === undefined) return false;
  return attempt(() => readPin(file)) === slotName;
}

function slotOf(ref: EnvRef, host: Host, dirs: Dirs): string | undefined {
  if (ref.kind === "named") return ref.name;
  const env = openEnv(ref, host, dirs);
  return env.kind === "env" ? env.slotName : undefined;
}

/** The result, or undefined where something broken stands in the way: it names nothing. */
function attempt<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
