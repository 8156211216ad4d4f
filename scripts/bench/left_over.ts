/** What of aenv stays in memory while an agent runs that it started. Linux only: reads /proc. */

import { dirname } from "node:path";
import { type Arena, ENVIRONMENTS } from "./arena.ts";

/** What was seen while the agent was waiting for input. */
export interface LeftOver {
  /** True when the process that was started as the shim is now the agent. */
  readonly isAgent: boolean;
  /** Resident memory of all processes that run the aenv program, in bytes. */
  readonly aenvBytes: number;
  readonly aenvProcesses: number;
}

const DEADLINE_MS = 20_000;
const POLL_MS = 20;

/** Starts the agent through the shim so that it waits for input, looks, and ends it. */
export async function measureLeftOver(
  arena: Arena,
  mode: keyof typeof ENVIRONMENTS,
): Promise<LeftOver> {
  const child = new Deno.Command(arena.shim, {
    args: [
      "--print",
      "--verbose",
      "--input-format=stream-json",
      "--output-format=stream-json",
    ],
    env: { ...arena.env, AENV: ENVIRONMENTS[mode] },
    clearEnv: true,
    cwd: arena.project,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    return await look(arena, child.pid);
  } finally {
    child.kill("SIGKILL");
    await child.stdin.abort();
    await child.status;
  }
}

/** Waits until the process is the agent, or gives up and says what it is. */
async function look(arena: Arena, pid: number): Promise<LeftOver> {
  const agent = await Deno.realPath(arena.agent);
  const end = performance.now() + DEADLINE_MS;
  let isAgent = false;
  while (!isAgent && performance.now() < end) {
    isAgent = await programOf(pid) === agent;
    if (!isAgent) await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  // Whatever init made of the program (links, copies), it lies in one of these.
  const places = [dirname(await Deno.realPath(arena.aenv)), arena.root];
  const ours = await processesOf((program) =>
    places.some((place) => program.startsWith(place + "/"))
  );
  let aenvBytes = 0;
  for (const process of ours) aenvBytes += await residentBytes(process);
  return { isAgent, aenvBytes, aenvProcesses: ours.length };
}

/** Waits until nothing of aenv runs any more: who looks at an ended session does so after it. */
export async function untilQuiet({ aenv }: Arena): Promise<void> {
  const program = await Deno.realPath(aenv);
  const end = performance.now() + DEADLINE_MS;
  while ((await processesOf((path) => path === program)).length > 0) {
    if (performance.now() > end) throw new Error("aenv goes on running");
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

/** Path of the program that a process runs; undefined when it is gone or not ours to see. */
async function programOf(pid: number): Promise<string | undefined> {
  try {
    return await Deno.readLink(`/proc/${pid}/exe`);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function processesOf(
  isOurs: (program: string) => boolean,
): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    const program = pid > 0 ? await programOf(pid) : undefined;
    if (program !== undefined && isOurs(program)) found.push(pid);
  }
  return found;
}

async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied ||
    (error instanceof Error && "code" in error && error.code === "ESRCH");
}
