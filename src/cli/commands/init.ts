import { BUILD_INFO } from "../../base/build_info.ts";
import { Var } from "../../base/env_vars.ts";
import { AppError } from "../../base/errors.ts";
import { tilde } from "../../base/paths.ts";
import {
  claudeShim,
  hostDirs,
  initHere,
  initHome,
  type InitResult,
  shimPath,
} from "../../env/mod.ts";
import { findClaude, INSTALL_CLAUDE } from "../../launch/mod.ts";
import { isFile } from "../../os/fs.ts";
import type { Host } from "../../os/host.ts";
import { detectShell, rcLine, type Shell } from "../../shell/mod.ts";
import type { Command, Input, Outcome } from "../command.ts";
import { confinedLines } from "../confined_lines.ts";
import { leftOutLines } from "../left_out.ts";

/** `aenv init`. */
export const command: Command = {
  words: {
    options: [
      {
        flags: "--no-default",
        summary: 'Do not make the environment "default" from ~/.claude',
      },
      {
        flags: "--here [name]",
        summary: "Make a project environment in this directory instead",
      },
      {
        flags: "--no-sandbox",
        summary: "With --here: one in which the agent is not confined",
      },
    ],
    examples: ["aenv init", "aenv init --here", "aenv init --here my-project"],
  },
  run(input, host) {
    const here = input.options["here"];
    const sandbox = input.options["sandbox"] !== false;
    if (here !== undefined) return runHere({ here, sandbox }, host);
    if (sandbox) return runHome(input, host);
    throw new AppError(
      "USAGE",
      'Cannot use "--no-sandbox" without "--here": the environment default is not confined anyway',
      { hint: "Leave it out: aenv init" },
    );
  },
};

async function runHere(
  { here, sandbox }: {
    readonly here: string | boolean;
    readonly sandbox: boolean;
  },
  host: Host,
): Promise<Outcome> {
  const name = typeof here === "string" ? here : undefined;
  const made = await initHere({ name, sandbox }, host);
  return {
    data: {
      ...made,
      confined: sandbox,
      attributes: made.attributes ?? null,
      shadowedBy: made.shadowedBy ?? null,
    },
    text: () =>
      [
        `made project environment ${made.name}: ${made.manifest}`,
        ...(made.attributes ? [`added to ${made.attributes}`] : []),
        ...(made.shadowedBy
          ? [`${made.shadowedBy} wins over it: rm ${made.shadowedBy}`]
          : []),
        ...confinedLines(sandbox, {
          option: made.shadowedBy ? " -E ./" : "",
          host,
        }),
      ].join("\n"),
  };
}

async function runHome(input: Input, host: Host): Promise<Outcome> {
  // Run from source, this program is Deno itself: a link to it would not be us.
  const isBuilt = BUILD_INFO.version !== "dev";
  const result = await initHome({
    program: isBuilt ? host.self : undefined,
    makeDefault: input.options["default"] !== false,
  }, host);
  const claude = realClaude(host);
  const shell = detectShell(host.env);
  const { defaultEnv } = result;
  return {
    data: {
      home: result.home,
      shims: result.shims,
      madeShims: result.madeShims,
      claude: claude ?? null,
      default: { ...defaultEnv, from: defaultEnv.from ?? null },
      shell: shell ?? null,
    },
    text: () =>
      [
        `home    ${result.home}`,
        isBuilt
          ? `shim    ${claudeShim(host, hostDirs(host))}`
          : "shim    none: this aenv runs from source; build it (deno task build) and run the program's own init",
        claude === undefined
          ? `claude  none on PATH; install it: ${INSTALL_CLAUDE}`
          : `claude  ${claude}`,
        ...defaultLines(result, host),
        ...(isBuilt ? nextSteps(result, { shell, host }) : []),
      ].join("\n"),
  };
}

function realClaude(host: Host): string | undefined {
  try {
    return findClaude(host, hostDirs(host));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "AGENT_NOT_FOUND") {
      throw error;
    }
    return undefined;
  }
}

function defaultLines({ defaultEnv }: InitResult, host: Host): string[] {
  const { state, from, leftOut } = defaultEnv;
  if (state === "skipped" || state === "exists") return [];
  const source = from === undefined
    ? "empty: there is no configuration to copy"
    : `a copy of ${tilde(from, host.env["HOME"] ?? "")}, which stays as it is`;
  return [`made environment default: ${source}`, ...leftOutLines(leftOut)];
}

function nextSteps(
  { defaultEnv, home }: InitResult,
  { shell, host }: { shell: Shell | undefined; host: Host },
): string[] {
  // The shim stays where it is when the program moves: init links it anew.
  const shim = shimPath("aenv", host, hostDirs(host));
  const lines = RC_FILES.filter(([name]) =>
    shell === undefined || name === shell
  ).map(([name]) => `  ${rcFile(name, host)}: ${rcLine(name, shim)}`);
  return [
    "",
    "Next, add this line to your shell's start-up file, and open a new shell:",
    ...lines,
    ...(host.env[Var.home]
      ? [`  (behind the line that sets ${Var.home}=${home})`]
      : []),
    ...(defaultEnv.state === "skipped" ? [] : [
      "To use the environment default wherever nothing else is chosen:",
      "  aenv use --global default",
    ]),
  ];
}

const RC_FILES: readonly (readonly [Shell, string])[] = [
  ["bash", ".bashrc"],
  ["zsh", ".zshrc"],
  ["fish", ".config/fish/config.fish"],
];

/** The start-up file; for bash the login file where that is the only one there. */
function rcFile(shell: Shell, host: Host): string {
  const home = host.env["HOME"] ?? "";
  const isLoginOnly = shell === "bash" && isFile(`${home}/.bash_profile`) &&
    !isFile(`${home}/.bashrc`);
  const name = new Map(RC_FILES).get(shell);
  return isLoginOnly ? "~/.bash_profile" : `~/${name}`;
}
