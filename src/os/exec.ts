/** Becoming another program. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { cString, cStrings, errno, libc } from "./libc.ts";

const SIGPIPE = 13;
const SIG_DFL = 0n;

/** Words for the `errno` values of execve(2); the numbers are alike on Linux and macOS. */
const STATES: Readonly<Record<number, string>> = {
  2: "it, or the interpreter it names, does not exist",
  7: "its arguments and environment are too long",
  8: "it is not a program",
  12: "not enough memory",
  13: "permission denied",
  26: "it is being written",
};

/** A program to start. */
export interface Program {
  /** Absolute path. */
  readonly path: string;
  /** Arguments without argv[0]. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** argv[0]; `path` unless given. */
  readonly argv0?: string;
}

/**
 * Replaces this process by `program`: same process id, terminal, descriptors 0 to 2. Returns only by throwing
 * `AGENT_NOT_STARTED`. On Windows it starts a child, waits, and exits with its code.
 */
export function becomeProgram(program: Program): never {
  if (Deno.build.os === "windows") runAsChild(program);
  const path = cString(program.path);
  const argv = cStrings([program.argv0 ?? program.path, ...program.args]);
  const env = cStrings(
    Object.entries(program.env).map(([name, value]) => `${name}=${value}`),
  );
  // Rust's runtime ignores SIGPIPE and an ignored signal survives execve: `claude | head` would not end.
  libc().signal(SIGPIPE, SIG_DFL);
  libc().execve(path, argv.pointer, env.pointer);
  throw startFailure(program.path, errno(), [argv.keep, env.keep]);
}

/** The error for a program that the system refused to run with this `errno`. */
export function startFailure(
  path: string,
  code: number,
  cause?: unknown,
): AppError {
  const state = STATES[code] ?? `error ${code}`;
  const message = `Cannot run ${quote(path)}: ${state}`;
  return new AppError("AGENT_NOT_STARTED", message, { cause });
}

function runAsChild(program: Program): never {
  const command = new Deno.Command(program.path, {
    args: [...program.args],
    env: { ...program.env },
    clearEnv: true,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  Deno.exit(command.outputSync().code);
}
