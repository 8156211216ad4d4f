import { claude } from "../../agents/mod.ts";
import { parent, tilde } from "../../base/paths.ts";
import { escapeControl } from "../../base/text.ts";
import {
  findLogin,
  hostDirs,
  type LoginPlaces,
  shareLogin,
  unshareLogin,
} from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import { askLine } from "../../os/terminal.ts";
import type { Command, Input, Outcome } from "../command.ts";

/** `aenv migrate-auth`. */
export const command: Command = {
  words: {
    options: [
      { flags: "--dry-run", summary: "Only say what would be done" },
      {
        flags: "--yes",
        summary: "Write the one key into the agent's settings without asking",
      },
      { flags: "--undo", summary: "Move it back, and take the key out" },
    ],
    examples: [
      "aenv migrate-auth --dry-run",
      "aenv migrate-auth --yes",
      "aenv migrate-auth --undo",
    ],
  },
  async run(input, host) {
    const home = { host, dirs: hostDirs(host) };
    const places = findLogin(home);
    const isUndo = input.options["undo"] === true;
    if (isInKeychain(places, host)) return inKeychain();
    const steps = isUndo ? undoSteps(places, host) : moveSteps(places, host);
    if (input.options["dryRun"] === true) {
      return outcome(places, [
        ...steps.map((step) => `would ${step}`),
        ...(steps.length === 0 ? ["nothing is to be done"] : []),
      ]);
    }
    if (isUndo) {
      const after = await unshareLogin(home);
      return outcome(after, [`the login is in ${show(after.own, host)}`]);
    }
    const writesSettings = !places.isNamed && isAllowed(input, places, host);
    const after = await shareLogin({ writesSettings }, home);
    return outcome(after, [
      `the login is in ${show(after.shared, host)}`,
      ...settingsLines(after, host),
    ]);
  },
};

function show(path: string, host: Host): string {
  return escapeControl(tilde(path, host.env["HOME"] ?? ""));
}

function outcome(
  { own, shared, settings, state, isNamed }: LoginPlaces,
  lines: readonly string[],
): Outcome {
  return {
    data: {
      state,
      own,
      shared,
      settings,
      settingsNameIt: isNamed,
      steps: lines,
    },
    text: () => lines.join("\n"),
  };
}

function moveSteps(places: LoginPlaces, host: Host): string[] {
  const { own, shared, settings, state, isNamed } = places;
  const isThere = state === "shared" || state === "none";
  return [
    ...(isThere ? [] : [`move ${show(own, host)} to ${show(shared, host)}`]),
    ...(isNamed ? [] : [
      `ask, and write ${keyLine(places)} into ${
        show(settings, host)
      }, for a claude that is not started by aenv`,
    ]),
  ];
}

function undoSteps(places: LoginPlaces, host: Host): string[] {
  const { own, shared, settings, state, isNamed } = places;
  return [
    ...(state === "shared" || state === "both"
      ? [`move ${show(shared, host)} back to ${show(own, host)}`]
      : []),
    ...(isNamed
      ? [`take env.${claude.LOGIN_VARIABLE} out of ${show(settings, host)}`]
      : []),
  ];
}

function keyLine({ shared }: LoginPlaces): string {
  return `env.${claude.LOGIN_VARIABLE} = ${JSON.stringify(parent(shared))}`;
}

/** Whether the agent's settings may be changed: only after a yes. */
function isAllowed(input: Input, places: LoginPlaces, host: Host): boolean {
  if (input.options["yes"] === true) return true;
  if (!host.isTerminal("stdin") || !host.isTerminal("stderr")) return false;
  const answer = askLine(
    `A claude that is not started by aenv needs ${keyLine(places)}\nin ${
      show(places.settings, host)
    }. Write it there? [y/N] `,
  );
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

function settingsLines(places: LoginPlaces, host: Host): string[] {
  const { settings, isNamed } = places;
  return isNamed
    ? [
      `a claude that is not started by aenv finds it by ${
        show(settings, host)
      }`,
    ]
    : [
      "a claude that is not started by aenv does not find it there;",
      `let aenv write ${keyLine(places)} into ${
        show(settings, host)
      }: aenv migrate-auth --yes`,
    ];
}

/** On macOS the keychain holds it, which all environments share as it is. */
function isInKeychain({ state, record }: LoginPlaces, host: Host): boolean {
  return host.os === "darwin" && state === "none" && record === undefined;
}

function inKeychain(): Outcome {
  const text =
    "nothing to move: the login is in the keychain, which all environments share";
  return { data: { state: "keychain", steps: [] }, text: () => text };
}
