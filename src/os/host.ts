/** The world as a value: what a use case may know of the process it runs in. Files are real; see fs.ts. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, parseAbsPath } from "../base/paths.ts";
import { redact } from "../base/redact.ts";
import { osCode } from "./io_error.ts";

/** Everything a use case may ask of its process. Tests make one with {@link hostWith}. */
export interface Host {
  /** Command line without the program's name. */
  readonly args: readonly string[];
  /** The environment as it was at the start. */
  readonly env: Readonly<Record<string, string>>;
  readonly os: "linux" | "darwin" | "windows";
  readonly pid: number;
  /** Process id of whoever started this one. */
  readonly parent: number;
  /** Effective user id; undefined on Windows. */
  readonly uid: number | undefined;
  /** This program's own file. */
  readonly self: AbsPath;
  /** The user's home directory. Throws `HOME_UNSET`. */
  home(): AbsPath;
  /** The current directory. Throws `CWD_GONE`. */
  cwd(): AbsPath;
  /** Whether the descriptor is a terminal. */
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /** Writes a notice for the user to standard error, credentials masked. */
  notice(text: string): void;
}

/** The host of this process. */
export function realHost(): Host {
  return hostWith({ env: Deno.env.toObject() });
}

/** A host with some parts replaced. */
export function hostWith(parts: Partial<Host> & Pick<Host, "env">): Host {
  const os = systemName();
  return {
    args: Deno.args,
    os,
    pid: Deno.pid,
    parent: Deno.ppid,
    uid: Deno.uid() ?? undefined,
    self: Deno.execPath() as AbsPath,
    home: () => homeFrom(parts.env, parts.os ?? os),
    cwd: currentDirectory,
    isTerminal: (stream) => Deno[stream].isTerminal(),
    notice: (text) => writeAll(Deno.stderr, redact(text) + "\n"),
    ...parts,
  };
}

function systemName(): Host["os"] {
  const os = Deno.build.os;
  return os === "darwin" || os === "windows" ? os : "linux";
}

function homeFrom(
  env: Readonly<Record<string, string>>,
  os: Host["os"],
): AbsPath {
  const name = os === "windows" ? "USERPROFILE" : "HOME";
  const value = env[name] ?? "";
  if (value === "") {
    throw new AppError(
      "HOME_UNSET",
      `Cannot find your home directory: ${name} is not set`,
      {
        hint: `Set it: export ${name}=…`,
      },
    );
  }
  return parseAbsPath(value, `$${name}`);
}

function currentDirectory(): AbsPath {
  try {
    return Deno.cwd() as AbsPath;
  } catch (error) {
    if (osCode(error) === undefined) throw error;
    throw new AppError(
      "CWD_GONE",
      "Cannot use the current directory: it no longer exists",
      {
        hint: "Go to a directory that exists: cd ~",
        cause: error,
      },
    );
  }
}

/** Writes the whole text to a descriptor. */
export function writeAll(
  stream: { writeSync(data: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  let done = 0;
  while (done < bytes.length) done += stream.writeSync(bytes.subarray(done));
}

/** Version of the runtime inside this program. */
export function runtimeVersion(): string {
  return Deno.version.deno;
}
