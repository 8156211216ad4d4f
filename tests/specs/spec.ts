/**
 * What a `spec.jsonc` says. A case is a list of steps that share one home:
 *
 * ```jsonc
 * {
 *   "setup": { "files": { ".aenv-version": "gone\n" } },
 *   "steps": [{
 *     "each": [["current"], ["status"], ["claude", "-p", "hi"]],
 *     "refused": true,
 *     "stderr": "aenv: Cannot find …"
 *   }]
 * }
 * ```
 *
 * Paths are relative to the working directory `[CWD]`, which is `[HOME]/work`. Texts are strings, lists of lines, or the name
 * of a file beside the spec that ends in `.out`. `[WILDCARD]` stands for anything, `[WILDLINE]` for anything within a line.
 * What is not expected must not be there: no output, exit code 0, no agent started.
 */

import { parseJsonc } from "./jsonc.ts";

/** A text: one string, its lines, or the name of a `.out` file. */
export type Text = string | readonly string[];

/** What is made before a case or a step, in this order. */
export interface Setup {
  readonly remove?: readonly string[];
  readonly dirs?: readonly string[];
  readonly files?: Readonly<Record<string, Text>>;
  /** Path → target. */
  readonly symlinks?: Readonly<Record<string, string>>;
  /** Path → file whose bytes and mode it gets. */
  readonly copies?: Readonly<Record<string, string>>;
  /** Path → file that becomes the same one. */
  readonly hardlinks?: Readonly<Record<string, string>>;
  /** Path → octal mode. */
  readonly modes?: Readonly<Record<string, string>>;
}

/** What a path must be afterwards: a text, nothing (null), a directory, or a link. */
export type Expected = Text | null | { readonly dir: true } | {
  readonly link: string;
};

/** One call: exactly one of `args`, `claude`, `shell` and `each`. */
export interface Step {
  /** Arguments of `aenv`. */
  readonly args?: readonly string[];
  /** Arguments of the `claude` shim. */
  readonly claude?: readonly string[];
  /** A script for `/bin/sh`. */
  readonly shell?: Text;
  /** Several calls that must do the same; one that starts with `claude` goes through the shim. */
  readonly each?: readonly (readonly string[])[];
  readonly cwd?: string;
  /** Added to the environment; null takes a variable away. */
  readonly env?: Readonly<Record<string, string | null>>;
  readonly stdin?: string;
  readonly setup?: Setup;
  readonly exitCode?: number;
  /** The call fails: with 3 where it would have started something, else with 1. */
  readonly refused?: boolean;
  readonly stdout?: Text;
  readonly stderr?: Text;
  readonly files?: Readonly<Record<string, Expected>>;
  readonly agentStarted?: boolean;
}

/** A whole case. */
export interface Spec {
  /** Systems that it is about; all unless given. */
  readonly os?: readonly string[];
  /** Run as a user without rights where the tests run as root. */
  readonly unprivileged?: boolean;
  /** The steps need a mount namespace of their own, in which they are root. */
  readonly mounts?: boolean;
  /** `none`: no `claude` but the shim is installed. */
  readonly agent?: "none";
  readonly env?: Readonly<Record<string, string | null>>;
  readonly setup?: Setup;
  readonly steps: readonly Step[];
}

const SPEC_KEYS = "os unprivileged mounts agent env setup steps $schema".split(
  " ",
);
const STEP_KEYS =
  "args claude shell each cwd env stdin setup exitCode refused stdout stderr files agentStarted"
    .split(" ");
const SETUP_KEYS = "remove dirs files symlinks hardlinks copies modes".split(
  " ",
);

/** Reads a spec. Throws when it has a key that nobody would look at. */
export function parseSpec(text: string, file: string): Spec {
  const spec = parseJsonc(text) as Spec;
  checkKeys(spec, SPEC_KEYS, file);
  checkKeys(spec.setup ?? {}, SETUP_KEYS, `${file} setup`);
  if (!Array.isArray(spec.steps) || spec.steps.length === 0) {
    throw new Error(`${file}: no steps`);
  }
  for (const [i, step] of spec.steps.entries()) {
    const place = `${file} step ${i + 1}`;
    checkKeys(step, STEP_KEYS, place);
    checkKeys(step.setup ?? {}, SETUP_KEYS, `${place} setup`);
    const kinds = [step.args, step.claude, step.shell, step.each];
    if (kinds.filter((kind) => kind !== undefined).length !== 1) {
      throw new Error(`${place}: give one of args, claude, shell and each`);
    }
  }
  return spec;
}

function checkKeys(
  value: object,
  known: readonly string[],
  place: string,
): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw new Error(`${place}: unknown key ${unknown.join(", ")}`);
  }
}
