/** Launches from inside a sandbox: they run in it, with what its launch has generated. */
import { claude, codex } from "../agents/mod.ts";
import { BREADCRUMBS, Var } from "../base/env_vars.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join, parseAbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { becomeProgram } from "../os/exec.ts";
import { readText, writeNew } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { secretHex } from "../os/random.ts";
import { readCallerSettings } from "./caller_settings.ts";
import { INHERIT_FILE, type Inherited } from "./inherit_file.ts";

/** Becomes the agent of the launch around this process. Throws `SANDBOX_REFUSED` for another env. */
export function inheritAgent(
  args: readonly string[],
  host: Host,
  option?: string,
): never {
  const { inherited, path } = inheritedAgent("claude", host, option);
  becomeProgram({
    path,
    args: agentArgs(args, inherited, host),
    env: agentVariables(inherited, host),
  });
}

/** As {@link inheritAgent}, for Codex. */
export function inheritCodex(
  args: readonly string[],
  host: Host,
  option?: string,
): never {
  const { inherited, path } = inheritedAgent("codex", host, option);
  codex.checkArguments(args);
  const { env } = host;
  const passing = Object.entries(env).filter(([name]) =>
    codex.passesToCodex(name)
  );
  const variables = { ...Object.fromEntries(passing), ...inherited.set };
  delete variables[Var.override];
  becomeProgram({
    path,
    args: [...inherited.args, ...args],
    env: { ...variables, [Var.launcher]: `${host.pid}` },
  });
}

function inheritedAgent(
  name: "claude" | "codex",
  host: Host,
  option: string | undefined,
): { inherited: Inherited; path: AbsPath } {
  const inherited = readInherited(host);
  checkSame(inherited, host, option);
  return { inherited, path: agentOf(inherited, name) };
}

/** The program of the agent that was asked for. Throws `AGENT_NOT_FOUND`, `SANDBOX_REFUSED` in the sandbox of another one. */
function agentOf(
  { agent, name: made = "claude" }: Inherited,
  name: "claude" | "codex",
): AbsPath {
  if (made !== name) {
    throw new AppError(
      "SANDBOX_REFUSED",
      `Cannot start ${quote(name)}: this sandbox was made for ${made}`,
      {
        hint: `Start it outside: aenv exec -- ${name}`,
        exitCode: ExitCode.refused,
      },
    );
  }
  if (agent !== undefined) return agent;
  throw new AppError(
    "AGENT_NOT_FOUND",
    `Cannot start ${quote(name)}: it was not there when the sandbox was made`,
    { hint: "Start the sandbox again" },
  );
}

/** Becomes a command in the sandbox around this process. Throws `SANDBOX_REFUSED` for another env. */
export function inheritCommand(
  { path, args, argv0 }: {
    readonly path: AbsPath;
    readonly args: readonly string[];
    readonly argv0: string;
  },
  host: Host,
  option?: string,
): never {
  checkSame(readInherited(host), host, option);
  becomeProgram({ path, args, argv0, env: host.env });
}

function readInherited(host: Host): Inherited {
  const dir = parseAbsPath(host.env[Var.sandbox]!, `$${Var.sandbox}`);
  const text = readText(join(dir, INHERIT_FILE));
  if (text !== undefined) return JSON.parse(text) as Inherited;
  throw new AppError(
    "SANDBOX_REFUSED",
    `Cannot start anything in the sandbox: the launch at ${
      quote(dir)
    } has ended`,
    { hint: "Start a new one outside", exitCode: ExitCode.refused },
  );
}

function checkSame(
  { env, label }: Inherited,
  host: Host,
  option: string | undefined,
): void {
  const wanted = option ?? (host.env[Var.override] || host.env[Var.env]);
  if (wanted === undefined || wanted === env || wanted === label) return;
  throw new AppError(
    "SANDBOX_REFUSED",
    `Cannot start environment ${quote(wanted)}: this is the sandbox of ${
      quote(label)
    }, which can only start its own`,
    { hint: "Start it outside", exitCode: ExitCode.refused },
  );
}

/** Our arguments, with the caller's settings and sources taken over as at any launch. */
function agentArgs(
  args: readonly string[],
  inherited: Inherited,
  host: Host,
): string[] {
  const user = claude.parseUserArgs(args);
  if (user.informational) return [...args];
  const own = inherited.args.map((arg) => {
    if (arg.startsWith("--setting-sources=")) {
      const sources = arg.slice(arg.indexOf("=") + 1).split(",");
      const narrowed = claude.narrowSources(sources, user.sources);
      return `--setting-sources=${narrowed.join(",")}`;
    }
    return arg.startsWith("--settings=") && user.settings.length > 0
      ? `--settings=${mergedSettings(arg, user, host)}`
      : arg;
  });
  return [...own, ...user.rest];
}

/** Writes the caller's settings under those of the launch. */
function mergedSettings(
  arg: string,
  user: claude.UserArgs,
  { env, cwd }: Host,
): AbsPath {
  const callers = readCallerSettings(user.settings, cwd());
  claude.validateSettings(callers);
  const path = parseAbsPath(arg.slice(arg.indexOf("=") + 1), "--settings");
  const ours = claude.asRecord(claude.readJsonObject(path));
  const dir = parseAbsPath(env["TMPDIR"] ?? "", "$TMPDIR");
  const file = join(dir, `settings-${secretHex(8)}.json`);
  writeNew(file, JSON.stringify(claude.mergeSettings(callers, ours)) + "\n");
  return file;
}

function agentVariables(
  { set }: Inherited,
  { env, pid }: Host,
): Record<string, string> {
  const passing = Object.entries(env).filter(([name]) =>
    claude.passesToClaude(name) || BREADCRUMBS.includes(name)
  );
  const out = { ...Object.fromEntries(passing), ...set };
  delete out[Var.override];
  return { ...out, [Var.launcher]: `${pid}` };
}
