/** Trying what must fail: a child is confined as a program would be, and makes the calls that nothing inside may make. */
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { cloneAndRun, type Step } from "../os/clone.ts";
import { closeDescriptor } from "../os/fds.ts";
import { secretHex } from "../os/random.ts";
import { sleep } from "../os/process.ts";
import { hasEnded } from "../os/process_marks.ts";
import { receiveDescriptor, socketPair } from "../os/socket_pair.ts";
import { ERRNO, errnoText } from "../os/syscall.ts";
import { unenforced } from "./exec_plan.ts";
import { prepareConfinement } from "./exec_steps.ts";
import type { Enforcement, KernelFacts, ProtectionId } from "./exec_types.ts";
import { mediate } from "./mediate.ts";
import { namespaceFlags } from "./mounts_steps.ts";
import { type Attempt, ProbeGround } from "./probe_attempts.ts";

/** What became of one attempt. */
export interface Probed {
  readonly id: ProtectionId;
  /** What was tried, for people: `read a file`. */
  readonly attempt: string;
  /** Whether it was refused, and in the way that is expected. */
  readonly ok: boolean;
  /** The error that it met; `succeeded` when it met none. */
  readonly found: string;
}

const POLL_MS = 1;
const TIMEOUT_MS = 5000;

/**
 * Confines a child and tries. `place` is a directory that the policy does not grant, where files and sockets to try are made
 * and removed. Throws `SANDBOX_UNENFORCED` when the child cannot be confined.
 */
export async function probe(
  enforcement: Enforcement,
  place: AbsPath,
): Promise<readonly Probed[]> {
  const directory = join(place, `probe-${secretHex(8)}`);
  using ground = new ProbeGround(directory);
  const attempts = ground.attempts(enforcement);
  const results = await tryAll(enforcement, attempts);
  return attempts.map(({ id, attempt, expected, steps }) => {
    // Earlier steps of an attempt prepare it, the last one is what must fail.
    const result = results.get(steps.at(-1)!)!;
    const ok = expected.some((name) =>
      name === result || -ERRNO[name as "EPERM"] === result
    );
    const found = result >= 0 ? "succeeded" : errnoText(result);
    return { id, attempt, ok, found };
  });
}

/** Throws `SANDBOX_UNENFORCED` when something that must fail did not. */
export function checkProbed(probed: readonly Probed[]): void {
  const failed = probed.filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  const words = failed.map(({ attempt, found }) =>
    `${quote(attempt)} was not refused (${found})`
  );
  throw unenforced(`in a trial ${words.join(", ")}`);
}

/** What the outcome of a probe depends on: while this text is the same, it need not be repeated. */
export function probeKey(
  kernel: KernelFacts,
  enforcement: Enforcement,
): string {
  const { landlock, seccomp, mediation, mounts } = enforcement;
  const { paths: _, ...rules } = landlock;
  return JSON.stringify([
    kernel,
    rules,
    seccomp,
    mediation !== undefined,
    mounts !== undefined,
  ]);
}

/** What each step of the attempts returned. */
async function tryAll(
  enforcement: Enforcement,
  attempts: readonly Attempt[],
): Promise<ReadonlyMap<Step, number>> {
  const ends = enforcement.mediation ? openPair() : undefined;
  const mark = parseInt(secretHex(4), 16) + 1;
  const confinement = prepareConfinement(enforcement, {
    mark,
    socket: ends?.[1],
  });
  const steps: Step[] = [
    ...confinement.steps,
    ...attempts.flatMap((attempt) => attempt.steps),
    { call: "exit_group", args: [0] },
  ];
  const child = cloneAndRun(steps, {
    ...(enforcement.mounts ? { namespaces: namespaceFlags() } : {}),
    waits: false,
    keep: [confinement.keep, attempts],
  });
  if (typeof child === "number") {
    throw unenforced(`no process can be started (${errnoText(child)})`);
  }
  try {
    await untilEnded(child.pid, { enforcement, mark, socket: ends?.[0] });
  } finally {
    confinement.close();
    ends?.forEach(closeDescriptor);
  }
  const failure = child.failure();
  if (failure) {
    const { step, result } = failure;
    throw unenforced(
      `the system refuses ${quote(step.call)} (${errnoText(result)})`,
    );
  }
  const results = child.results();
  return new Map(steps.map((step, i) => [step, results[i]!]));
}

function openPair(): readonly [number, number] {
  const ends = socketPair();
  if (typeof ends !== "number") return ends;
  throw unenforced(`there are no sockets (${errnoText(ends)})`);
}

interface Trial {
  readonly enforcement: Enforcement;
  readonly mark: number;
  /** Where the listener comes from. */
  readonly socket: number | undefined;
}

/** Waits for the child and answers what it asks meanwhile. */
async function untilEnded(
  pid: number,
  { enforcement, mark, socket }: Trial,
): Promise<void> {
  let mediated: Promise<void> | undefined;
  for (let waited = 0; !hasEnded(pid); waited += POLL_MS) {
    if (waited > TIMEOUT_MS) throw unenforced("a trial does not end");
    if (socket !== undefined && mediated === undefined) {
      const listener = receiveDescriptor(socket);
      const { mediation } = enforcement;
      if (listener >= 0) {
        mediated = mediate(listener, mediation!, { mark, report: () => {} });
      }
    }
    await sleep(POLL_MS);
  }
  await mediated;
}
