/** Values that a command of the manifest prints: another program's secrets stay where they are. */
import { AppError } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import type { AbsPath } from "../base/paths.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote, shellWord } from "../base/text.ts";
import { type CommandResult, runCommand } from "../os/command.ts";
import type { Host } from "../os/host.ts";
import { withoutLineEnd } from "./line_end.ts";
import { MAX_VALUE_BYTES, SecretValue } from "./value.ts";

/** The shell that runs it; the command is its argument, the key is in a variable: a key is never part of a command. */
const SHELL = "/bin/sh";
/** Such programs may ask a person first. */
const TIMEOUT_MS = 120_000;

/** The values that these commands print, by key. See `withoutLineEnd` for their line ends. Throws `SECRET_COMMAND_FAILED`. */
export async function runSecretCommands(
  commands: ReadonlyMap<SecretKey, string>,
  { host, cwd }: { readonly host: Host; readonly cwd: AbsPath },
): Promise<Map<SecretKey, SecretValue>> {
  const values = new Map<SecretKey, SecretValue>();
  const [first, ...rest] = commands;
  if (first === undefined) return values;
  const run = async ([key, command]: readonly [SecretKey, string]) => {
    values.set(key, await runOne(key, command, { host, cwd }));
  };
  // The first may have to be unlocked by a person; the others find that done and need not wait for each other.
  await run(first);
  await Promise.all(rest.map(run));
  return values;
}

async function runOne(
  key: SecretKey,
  command: string,
  { host, cwd }: { readonly host: Host; readonly cwd: AbsPath },
): Promise<SecretValue> {
  const result = await runCommand(SHELL, ["-c", command], {
    env: { ...host.env, [Var.secretKey]: key },
    cwd,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_VALUE_BYTES + 2,
  });
  const problem = problemOf(result);
  if (problem === undefined) {
    return new SecretValue(withoutLineEnd(result.stdoutBytes));
  }
  throw new AppError(
    "SECRET_COMMAND_FAILED",
    `Cannot read secret ${quote(key)}: its command ${problem}`,
    { hint: `Try it: ${Var.secretKey}=${key} sh -c ${shellWord(command)}` },
  );
}

function problemOf(result: CommandResult): string | undefined {
  if (result.ended === "timeout") {
    return `did not end within ${TIMEOUT_MS / 1000} seconds`;
  }
  if (result.ended === "output") {
    return `printed more than ${MAX_VALUE_BYTES} bytes`;
  }
  if (result.code !== 0) {
    const line = result.stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
    const state = `ended with exit code ${result.code}`;
    return line === "" ? state : `${state}: ${line}`;
  }
  return withoutLineEnd(result.stdoutBytes).length === 0
    ? "printed nothing"
    : undefined;
}
