/** What a reader of a report should know besides. */
import type { claude } from "../agents/mod.ts";
import { tilde } from "../base/paths.ts";
import { listWords } from "../base/text.ts";
import type { LaunchPlan } from "../launch/mod.ts";
import { join } from "../base/paths.ts";
import { lstat } from "../os/fs.ts";
import type { Sources } from "./sources.ts";
import type { Seen } from "./observe.ts";
import type { Baseline } from "./types.ts";

/** An organisation's files. */
const POLICY_FILES = [
  "managed-settings.json",
  "managed-settings.d",
  "managed-mcp.json",
  "CLAUDE.md",
  ".claude",
];

/** What the notes are about. */
export interface NotesInput {
  readonly plan: LaunchPlan;
  readonly sources: Sources;
  readonly user: claude.UserConfig;
  readonly baseline: Baseline;
  readonly seen: Seen;
  /** See `Declared`. */
  readonly switchedOff: readonly string[];
  /** The plan by which the model was asked, where it was another one. */
  readonly standIn: LaunchPlan | undefined;
}

/** Differences from a launch, policies that apply, and what could not be looked at. */
export function notesOf(input: NotesInput): string[] {
  const { plan, sources, baseline, seen, switchedOff } = input;
  const policy = POLICY_FILES.map((name) => join(sources.managed, name))
    .filter((path) => lstat(path) !== undefined);
  const off = switchedOff.filter((name) => listed(seen, name));
  const gone = baseline.tools.filter((name) =>
    !seen.observation.tools.includes(name)
  );
  return [
    ...plan.notes,
    ...policy.map((path) =>
      `policy ${path} of your organisation applies by design`
    ),
    ...differences(input),
    ...codexNotes(input),
    ...(input.standIn === undefined ? [] : [
      "for the request that --full reads, the agent could reach one address on this machine, the stand-in for the model; all else was tried without a network",
    ]),
    ...readable(input),
    ...(off.length === 0 ? [] : [
      `the agent lists these of directories above the project, switched off: ${
        off.join(", ")
      }`,
    ]),
    ...(gone.length === 0
      ? []
      : [`tools of the agent that are not offered here: ${gone.join(", ")}`]),
    ...seen.lacking.map((option) =>
      `this version of the agent has no ${option}: what it would show is not compared`
    ),
  ];
}

function listed({ observation }: Seen, name: string): boolean {
  const { skills, commands, agents } = observation;
  return [skills, commands, agents].some((names) => names.includes(name)) ||
    observation.listed.skills.some((row) => row.name === name);
}

/** Moving a server out from under the agent hides nothing from a process of the same user. */
function readable({ plan, sources }: NotesInput): string[] {
  if (sources.env.manifest.sandbox?.enabled) return [];
  const names = plan.services.filter(({ kind }) => kind === "stdio")
    .map(({ name }) => name);
  return names.length === 0 ? [] : [
    `the agent is not confined and runs as the same user: it can read the environment of ${
      listWords(names)
    }, with the secrets in it, below /proc`,
  ];
}

/** Whoever uses Codex in this env must not take the report for one about it. */
function codexNotes({ sources: { env: { slot } } }: NotesInput): string[] {
  const isUsed = [slot.codex, slot.codexSettings].some((path) =>
    lstat(path) !== undefined
  );
  return isUsed
    ? [
      "codex was not looked at: it does not tell what it has loaded; what it may do: aenv sandbox explain --agent codex",
    ]
    : [];
}

function differences({ plan, user, sources }: NotesInput): string[] {
  const parts = [
    "no login is used",
    "a stand-in on this machine answers for the model",
    "temporary files, logs and caches of the agent go elsewhere",
    ...(plan.isolation === "overlay"
      ? [
        `the agent works on a copy of the configuration in ${
          tilde(user.dir, sources.home)
        }`,
      ]
      : []),
    ...(plan.hook === undefined ? [] : ["the pre_activate hook does not run"]),
  ];
  return [`unlike in a launch, ${listWords(parts)}`];
}
