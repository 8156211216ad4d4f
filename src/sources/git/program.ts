/** Runs git, and says in words why it failed. */
import { AppError, type ErrorCode } from "../../base/errors.ts";
import {
  isAbsolutePath,
  join,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
} from "../../base/paths.ts";
import { redact } from "../../base/redact.ts";
import { quote } from "../../base/text.ts";
import { type CommandResult, runCommand } from "../../os/command.ts";
import { isExecutable } from "../../os/fs.ts";
import { remember, type SourceContext } from "../source.ts";
import { quoteUrl } from "../url.ts";
import {
  gitEnvironment,
  type GitSetting,
  lookupEnvironment,
  userSettings,
} from "./environment.ts";

/** How one git command runs. */
export interface GitOptions {
  /** The address it talks to; undefined when it works on the disk alone. */
  readonly url?: string;
  readonly input?: string;
  readonly watch?: (() => void) | undefined;
  /** Variables on top. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The oldest git that can be kept from reading the user's files: `GIT_CONFIG_GLOBAL`. */
const OLDEST = [2, 32] as const;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

interface Program {
  readonly path: string;
  readonly settings: readonly GitSetting[];
}

/** Runs `git` with these arguments, whatever its exit code. Throws `NOT_SUPPORTED` without git, `SOURCE_UNREACHABLE` when it takes too long. */
export async function git(
  args: readonly string[],
  context: SourceContext,
  options: GitOptions = {},
): Promise<CommandResult> {
  const program = await remember(context, "git", () => findGit(context));
  const { limits, host } = context;
  const result = await runCommand(program.path, args, {
    env: {
      ...gitEnvironment(host.env, program.settings, {
        transports: transportsFor(options.url),
      }),
      ...options.env,
    },
    cwd: context.temp,
    timeoutMs: limits.timeMs,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    signal: context.signal,
    watch: options.watch,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (result.ended === undefined) return result;
  const state = result.ended === "timeout"
    ? `git takes more than ${limits.timeMs / 1000} s`
    : "git has too much to say";
  throw new AppError(
    "SOURCE_UNREACHABLE",
    `Cannot fetch ${quoteUrl(options.url ?? "a repository")}: ${state}`,
  );
}

/** The output of a git command that must succeed. Throws as {@link git}, and what {@link gitFailure} makes of its words. */
export async function gitOutput(
  args: readonly string[],
  context: SourceContext,
  options: GitOptions = {},
): Promise<string> {
  const result = await git(args, context, options);
  if (result.code === 0) return result.stdout;
  throw gitFailure(result, options.url ?? "");
}

/** A local repository is used only when it was asked for: an address from the network must not lead to one. */
function transportsFor(url: string | undefined): string[] {
  return url?.startsWith("file:") ? ["file"] : ["https", "ssh"];
}

async function findGit(context: SourceContext): Promise<Program> {
  const { env } = context.host;
  const names = context.host.os === "windows" ? ["git.exe"] : ["git"];
  const path = (env["PATH"] ?? "").split(PATH_LIST_SEPARATOR)
    .filter(isAbsolutePath)
    .flatMap((dir) =>
      names.map((name) => join(parseAbsPath(dir, "a directory of PATH"), name))
    )
    .find(isExecutable);
  if (path === undefined) {
    throw new AppError(
      "NOT_SUPPORTED",
      'Cannot run "git": it is not on PATH',
      { hint: "Install git" },
    );
  }
  const common = {
    env: lookupEnvironment(env),
    cwd: context.temp,
    timeoutMs: 20_000,
    maxOutputBytes: 1024 * 1024,
    signal: context.signal,
  };
  const { stdout: version } = await runCommand(path, ["version"], common);
  refuseOld(version);
  const listing = await runCommand(path, [
    "config",
    "--list",
    "--includes",
    "-z",
  ], {
    ...common,
    // A repository that our directory happens to lie in has no say.
    env: { ...common.env, GIT_CEILING_DIRECTORIES: join(context.temp, "..") },
  });
  return { path, settings: userSettings(listing.stdout) };
}

function refuseOld(version: string): void {
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(version) ?? [];
  const isOld = Number(major) < OLDEST[0] ||
    (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (!isOld && major !== undefined) return;
  throw new AppError(
    "NOT_SUPPORTED",
    `Cannot use ${quote(version.trim())}: at least git ${
      OLDEST.join(".")
    } is needed`,
    { hint: "Update git" },
  );
}

/** What git writes, by what it means. The first that matches counts. */
const FAILURES: readonly {
  readonly words: RegExp;
  readonly code: ErrorCode;
  readonly state: string;
  readonly hint: string;
}[] = [
  {
    words:
      /transport '[^']*' not allowed|protocol .* is not supported|remote helper/,
    code: "SOURCE_REFUSED",
    state:
      "only https and ssh may be used, also where git rewrites the address",
    hint: "See the url.<base>.insteadOf settings: git config --list",
  },
  {
    words: /dubious ownership/,
    code: "SOURCE_DENIED",
    state: "the repository belongs to somebody else",
    hint: "If you trust it: git config --global --add safe.directory PATH",
  },
  {
    words: /Host key verification failed/,
    code: "SOURCE_DENIED",
    state: "the server's ssh key is not known",
    hint: "Connect once by hand and compare the key: ssh -T git@HOST",
  },
  {
    words:
      /could not read (Username|Password)|Authentication failed|Permission denied|terminal prompts disabled|returned error: 40[13]|Invalid username or/,
    code: "SOURCE_DENIED",
    state: "it does not exist, or it wants a login that git does not have",
    hint:
      "Let git know the login: a credential helper for https, an agent with your key for ssh",
  },
  {
    words:
      /not found|does not appear to be a git repository|does not exist|No such file|returned error: 404|not valid: is this a git repository/,
    code: "SOURCE_NOT_FOUND",
    state: "there is no such repository, or not for you",
    hint: "Check the address",
  },
  {
    words: /certificate|SSL|TLS/,
    code: "SOURCE_UNREACHABLE",
    state: "its certificate is not trusted",
    hint:
      "Name your certificate authority's file: git config --global http.sslCAInfo /path/to/ca.pem",
  },
  {
    words:
      /Could not resolve|Failed to connect|Connection (refused|timed out|reset)|unable to access|Could not read from remote/,
    code: "SOURCE_UNREACHABLE",
    state: "the server does not answer",
    hint: "Check the address, the network and the proxy",
  },
];

/** A failed git command as an error for people. */
export function gitFailure(result: CommandResult, url: string): AppError {
  const text = result.stderr;
  const known = FAILURES.find(({ words }) => words.test(text));
  const line = text.trim().split("\n").findLast((l) =>
    /^(fatal|error|remote):/.test(l)
  );
  const said = redact((line ?? "it gave no reason").replace(/^\w+: /, ""));
  return new AppError(
    known?.code ?? "SOURCE_UNREACHABLE",
    `Cannot fetch ${quoteUrl(url)} with git: ${known?.state ?? quote(said)}`,
    { hint: known?.hint, cause: new Error(redact(text)) },
  );
}
