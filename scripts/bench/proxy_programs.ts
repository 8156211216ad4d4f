/** What a proxy costs programs at their usual work: a clone, and many packages. */

import { join } from "node:path";
import { capture, ScriptError } from "../support/script.ts";

/** What a program needs to reach the server, with and without the proxy. */
export interface Reached {
  /** Port of the server that speaks TLS. */
  readonly https: number;
  readonly caFile: string;
  /** The variables of the proxy. */
  readonly env: Readonly<Record<string, string>>;
  /** The directory that the server shows. */
  readonly shown: string;
  /** A directory for what programs write. */
  readonly scratch: string;
}

/** One program's work: does it and returns how many bytes that was. */
export type Work = (env: Readonly<Record<string, string>>) => Promise<number>;

const PACKAGES = 200;
const PACKAGE_BYTES = 1_000_000;
/** Files that do not compress, as pictures and archives in a repository. */
const FILES = 100;
const FILE_BYTES = 1_500_000;
/** What the system fills with random bytes at once. */
const RANDOM_BYTES = 65536;

/** Variables of a program that is to use the proxy, or not to. */
export function variables(
  { env }: Reached,
  way: "bare" | "through",
): Record<string, string> {
  const none = way === "bare" ? "*" : "";
  return { ...env, NO_PROXY: none, no_proxy: none };
}

/** Packages over eight connections, as npm loads them. */
export function loadPackages({ https, caFile }: Reached): Work {
  const url = `https://localhost:${https}/${PACKAGE_BYTES}?[1-${PACKAGES}]`;
  const parallel = ["-Z", "--parallel-max", "8", "--no-progress-meter"];
  const args = ["-f", ...parallel, "--cacert", caFile, "-o", "/dev/null", url];
  return async (env) => {
    await run("curl", args, env);
    return PACKAGES * PACKAGE_BYTES;
  };
}

/** Makes a repository that the server shows, and returns how to clone it. */
export async function cloneRepository(reached: Reached): Promise<Work> {
  const { https, caFile, shown, scratch } = reached;
  const source = join(scratch, "source");
  const env = {
    HOME: scratch,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_SSL_CAINFO: caFile,
    GIT_TERMINAL_PROMPT: "0",
  };
  await run("git", ["init", "--quiet", source], env);
  for (let count = 0; count < FILES; count++) {
    await Deno.writeFile(join(source, `${count}`), randomBytes(FILE_BYTES));
  }
  const who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  const inSource = ["-C", source, ...who];
  await run("git", [...inSource, "add", "."], env);
  await run("git", [...inSource, "commit", "--quiet", "-m", "files"], env);
  const bare = join(shown, "files.git");
  await run("git", ["clone", "--quiet", "--bare", source, bare], env);
  await run("git", ["-C", bare, "repack", "--quiet", "-a", "-d"], env);
  await run("git", ["-C", bare, "update-server-info"], env);
  const url = `https://localhost:${https}/files.git`;
  const target = join(scratch, "clone.git");
  return async (more) => {
    const clone = ["clone", "--quiet", "--bare", url, target];
    await run("git", clone, { ...env, ...more });
    await Deno.remove(target, { recursive: true });
    return FILES * FILE_BYTES;
  };
}

function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += RANDOM_BYTES) {
    crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES));
  }
  return bytes;
}

async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const done = await capture(program, args, { env });
  if (!done.success) throw new ScriptError(`Cannot bench: ${done.stderr}`);
}
