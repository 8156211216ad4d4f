import { AppError, ExitCode } from "../../base/errors.ts";
import { type AbsPath, isWithin, relative, tilde } from "../../base/paths.ts";
import { escapeControl, quote } from "../../base/text.ts";
import {
  activeEnv,
  auditEvent,
  hostDirs,
  type OpenEnv,
  requireNamed,
} from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import {
  acceptChanges,
  type Change,
  type ProtectState,
  protectStates,
  revertChanges,
  settleEnded,
} from "../../sandbox/mod.ts";
import {
  type Command,
  type Input,
  type Outcome,
  textOption,
} from "../command.ts";
import { changeLines } from "../sandbox_changes.ts";

/** `aenv sandbox review`. */
export const command: Command = {
  words: {
    options: [
      { flags: "--accept", summary: "Take the files as they are now" },
      { flags: "--revert", summary: "Put the files back as they were before" },
      {
        flags: "--project <dir>",
        summary: "One of several projects in which the environment ran",
      },
    ],
    env: true,
    examples: [
      "aenv sandbox review",
      "aenv sandbox review --revert",
      "aenv sandbox review --accept",
    ],
  },
  async run(input, host) {
    const { env } = activeEnv(host, textOption(input, "env"));
    const named = requireNamed(env, "review");
    const mode = modeOf(input);
    await settleEnded(named.slot.protect);
    const states = protectStates(named.slot.protect)
      .filter(({ changes }) => changes.length > 0);
    if (mode === undefined) return shown(states, host);
    return await settle(chosen(states, { input, host }), {
      env: named,
      mode,
      host,
    });
  },
};

function modeOf({ options }: Input): "accept" | "revert" | undefined {
  const [accept, revert] = [options["accept"], options["revert"]];
  if (!accept && !revert) return undefined;
  if (!accept || !revert) return accept ? "accept" : "revert";
  throw new AppError(
    "USAGE",
    'Cannot run "aenv sandbox review": "--accept" and "--revert" exclude each other',
    { hint: "See its words: aenv sandbox review --help" },
  );
}

/** Changes are there: exit code 1, so that scripts need not read. */
function shown(states: readonly ProtectState[], host: Host): Outcome {
  return {
    data: states,
    text: () =>
      states.flatMap(({ project, changes }) => [
        escapeControl(`${short(project, host)}:`),
        ...changeLines(changes, project),
      ]).join("\n"),
    exitCode: states.length === 0 ? ExitCode.ok : ExitCode.failed,
  };
}

/** The project that was named, or around the cwd, or the only one. */
function chosen(
  states: readonly ProtectState[],
  { input, host }: { readonly input: Input; readonly host: Host },
): ProtectState | undefined {
  const named = textOption(input, "project");
  const around = named ?? host.cwd();
  const found = states.find(({ project }) => isWithin(around, project));
  if (found !== undefined) return found;
  if (named === undefined && states.length < 2) return states[0];
  throw new AppError(
    "USAGE",
    named === undefined
      ? "Cannot choose a project: there are changes in several"
      : `Cannot find changes in ${quote(named)}: there are none`,
    { hint: "See them all: aenv sandbox review" },
  );
}

async function settle(
  state: ProtectState | undefined,
  { env, mode, host }: {
    readonly env: OpenEnv;
    readonly mode: "accept" | "revert";
    readonly host: Host;
  },
): Promise<Outcome> {
  if (state === undefined) {
    return { data: { changes: [] }, text: () => "nothing has changed" };
  }
  const place = { dir: env.slot.protect, project: state.project };
  if (mode === "accept") {
    const accepted = await acceptChanges(place);
    await audit("files-accepted", accepted, { env, place, host });
    return done(accepted, {
      ...{ project: state.project, word: "accepted", quarantine: undefined },
      host,
    });
  }
  const { reverted, left, quarantine } = await revertChanges(place);
  await audit("files-reverted", reverted, { env, place, host });
  if (left.length > 0) {
    const lines = changeLines(left, state.project).join("\n");
    host.notice(
      `aenv: look at these yourself, then aenv sandbox review --accept:\n${lines}`,
    );
  }
  const project = state.project;
  return done(reverted, { project, word: "put back", quarantine, host });
}

async function audit(
  event: "files-accepted" | "files-reverted",
  changes: readonly Change[],
  { env, place: { project }, host }: {
    readonly env: OpenEnv;
    readonly place: { readonly project: AbsPath };
    readonly host: Host;
  },
): Promise<void> {
  if (changes.length === 0) return;
  const paths = changes.map(({ path }) => relative(project, path));
  await auditEvent({ event, project, paths }, {
    ...{ dirs: hostDirs(host), env: env.label },
  });
}

function done(
  changes: readonly Change[],
  { project, word, quarantine, host }: {
    readonly project: AbsPath;
    readonly word: string;
    readonly quarantine: AbsPath | undefined;
    readonly host: Host;
  },
): Outcome {
  const kept = quarantine === undefined
    ? []
    : [escapeControl(`what was there is kept in ${short(quarantine, host)}`)];
  return {
    data: { project, changes, quarantine: quarantine ?? null },
    text: () =>
      [
        escapeControl(`${word} in ${short(project, host)}:`),
        ...changeLines(changes, project),
        ...kept,
      ].join("\n"),
  };
}

function short(path: string, host: Host): string {
  return tilde(path, host.env["HOME"] ?? "");
}
