/**
 * Runs confined programs for the tests, as the user that it was started as: one request a line on standard input, one answer
 * a line on standard output.
 */
import type { AbsPath } from "../../src/base/paths.ts";
import { closeDescriptor } from "../../src/os/fds.ts";
import { cString } from "../../src/os/libc.ts";
import { syscall } from "../../src/os/syscall.ts";
import { startConfined } from "../../src/sandbox/exec.ts";
import {
  readKernelFacts,
  readSupervisorFacts,
} from "../../src/sandbox/exec_facts.ts";
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import { mediate } from "../../src/sandbox/mediate.ts";
import type { SandboxPolicy } from "../../src/sandbox/types.ts";

/** What to run, and under what. */
export interface Request {
  readonly policy: SandboxPolicy;
  readonly supervised: boolean;
  /** The version of Landlock to make do with. */
  readonly landlockAbi: number;
  /** Whether to do without namespaces. */
  readonly noNamespaces: boolean;
  readonly program: AbsPath;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly ownSession: boolean;
}

/** What became of it. */
export interface Answer {
  /** Exit code; 128+n after signal n; -1 when it was not started. */
  readonly code: number;
  readonly output: string;
  readonly errors: string;
  /** What was asked of the mediator: `yes 127.0.0.1:80`, `EACCES /run/x`. */
  readonly asked: readonly string[];
}

const WNOHANG = 1;
const CREATE = 0o102;

async function run(request: Request): Promise<Answer> {
  const dir = Deno.makeTempDirSync();
  const files = ["out", "err"].map((name) => `${dir}/${name}`);
  const [input, output, errors] = ["/dev/null", ...files].map((path, i) =>
    syscall("openat", -100, cString(path), (i && CREATE) | 0o2000000, 0o600)
  ) as [number, number, number];
  const asked = new Set<string>();
  try {
    const code = await start(request, [input, output, errors], asked);
    const [out, err] = files.map((path) => Deno.readTextFileSync(path));
    return { code, output: out!, errors: err!, asked: [...asked] };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: -1, output: "", errors: message, asked: [] };
  } finally {
    [input, output, errors].forEach(closeDescriptor);
    Deno.removeSync(dir, { recursive: true });
  }
}

async function start(
  request: Request,
  stdio: readonly [number, number, number],
  asked: Set<string>,
): Promise<number> {
  Deno.chdir(request.cwd);
  const kernel = readKernelFacts();
  const supervisor = request.supervised ? readSupervisorFacts() : undefined;
  const landlockAbi = Math.min(kernel.landlockAbi, request.landlockAbi);
  const enforcement = planEnforcement(
    request.policy,
    { ...kernel, landlockAbi },
    {
      supervisor: supervisor && request.noNamespaces
        ? { ...supervisor, noNamespaces: "the test says so" }
        : supervisor,
    },
  );
  const { program, args, env, ownSession } = request;
  const mark = 0x5e000000 + Math.floor(Math.random() * 0xffffff);
  const options = { stdio, ownSession, mark };
  const child = startConfined(
    enforcement,
    { path: program, args, env },
    options,
  );
  const mediated = child.listener === undefined
    ? undefined
    : mediate(child.listener, enforcement.mediation!, {
      mark,
      report: ({ to, decision }) => asked.add(`${decision} ${to}`),
    });
  const code = await ended(child.pid);
  // What it left behind may go on asking; the tests that do so end it.
  await Promise.race([mediated, new Promise((done) => setTimeout(done, 50))]);
  return code;
}

async function ended(pid: number): Promise<number> {
  const status = new Int32Array(1);
  const bytes = new Uint8Array(status.buffer);
  while (syscall("wait4", pid, bytes, WNOHANG, 0) === 0) {
    await new Promise((done) => setTimeout(done, 2));
  }
  const signal = status[0]! & 0x7f;
  return signal === 0 ? status[0]! >> 8 & 0xff : 128 + signal;
}

/** Requests one after the other. */
async function serve(): Promise<void> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of Deno.stdin.readable) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      const answer = JSON.stringify(await run(JSON.parse(line)));
      Deno.stdout.writeSync(new TextEncoder().encode(`${answer}\n`));
    }
  }
  Deno.exit(0);
}

if (import.meta.main) await serve();
