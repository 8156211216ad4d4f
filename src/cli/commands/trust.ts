import { AppError, ExitCode } from "../../base/errors.ts";
import { tilde } from "../../base/paths.ts";
import { escapeControl, quote } from "../../base/text.ts";
import { activeEnv } from "../../env/mod.ts";
import {
  grantTrust,
  listTrust,
  revokeTrust,
  type TrustRow,
  type TrustView,
  viewTrust,
} from "../../launch/mod.ts";
import type { Host } from "../../os/host.ts";
import { askLine, writeError } from "../../os/terminal.ts";
import { differenceLines } from "../../trust/mod.ts";
import {
  type Command,
  type Input,
  type Outcome,
  textOption,
} from "../command.ts";

const MODES = ["show", "list", "revoke", "yes"] as const;

const NOT_COVERED =
  "Trust covers these lines and the files of plugins and skills; other files that a command names are not part of it.";

/** `aenv trust`. */
export const command: Command = {
  words: {
    options: [
      {
        flags: "--show",
        summary: "Only show it, and whether it is trusted",
      },
      { flags: "--yes", summary: "Do not ask" },
      { flags: "--revoke", summary: "Take the trust back" },
      { flags: "--list", summary: "List all that was trusted" },
    ],
    env: true,
    examples: [
      "aenv trust",
      "aenv trust --show",
      "aenv trust -E ~/work/app --yes",
    ],
  },
  async run(input, host) {
    const mode = modeOf(input);
    const option = textOption(input, "env");
    if (mode === "list") return list(option, host);
    if (mode === "revoke") return await revoke(option, host);
    const { env, dirs } = activeEnv(host, option);
    if (env.kind === "global") {
      throw new AppError(
        "USAGE",
        'Cannot trust "global": it is your own configuration',
        { hint: "Go to a project, or name its aenv.toml: aenv trust -E PATH" },
      );
    }
    const view = viewTrust(env, { host, dirs });
    if (mode === "show" || isSettled(view)) return shown(view, host);
    if (mode !== "yes" && !ask(view, host)) return declined(view);
    await grantTrust(view, { host, dirs });
    return granted(view, mode === "yes" ? describe(view, host) : [], host);
  },
};

function modeOf(input: Input): (typeof MODES)[number] | undefined {
  const chosen = MODES.filter((mode) => input.options[mode] === true);
  if (chosen.length < 2) return chosen[0];
  throw new AppError(
    "USAGE",
    `Cannot run "aenv trust": ${
      chosen.map((mode) => quote(`--${mode}`)).join(" and ")
    } exclude each other`,
    { hint: "See its words: aenv trust --help" },
  );
}

function isSettled({ state }: TrustView): boolean {
  return state === "trusted" || state === "unneeded";
}

function dataOf(view: TrustView): Record<string, unknown> {
  const { env, manifest, state, items, differences, record } = view;
  return {
    env,
    manifest,
    state,
    items,
    differences,
    manifestHash: record.manifestHash,
    trees: record.trees,
  };
}

function shown(view: TrustView, host: Host): Outcome {
  return {
    data: dataOf(view),
    text: () => [...describe(view, host), stateLine(view)].join("\n"),
  };
}

function granted(
  view: TrustView,
  lines: readonly string[],
  host: Host,
): Outcome {
  return {
    data: { ...dataOf(view), state: "trusted" },
    text: () => [...lines, `trusted ${place(view, host)}`].join("\n"),
  };
}

function declined(view: TrustView): Outcome {
  return {
    data: dataOf(view),
    text: () => "not trusted: nothing of it will run",
    exitCode: ExitCode.failed,
  };
}

/** Shows everything and asks. What is recorded on a yes is what was read for this, whatever happens to the files meanwhile. */
function ask(view: TrustView, host: Host): boolean {
  if (!host.isTerminal("stdin") || !host.isTerminal("stderr")) {
    throw new AppError(
      "TRUST_DECLINED",
      `Cannot trust ${
        quote(view.manifest)
      }: there is no terminal on which to ask you`,
      { hint: "Look at it: aenv trust --show; then say so: aenv trust --yes" },
    );
  }
  writeError(describe(view, host).join("\n") + "\n");
  const answer = askLine("Trust it, as shown? [y/N] ");
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

function describe(view: TrustView, host: Host): string[] {
  const changes = differenceLines(view.differences);
  return [
    `${place(view, host)} (${view.env}) would run and allow:`,
    ...view.items.flatMap(({ title, lines }) => [
      "",
      title,
      ...lines.map((line) => `  ${line}`),
    ]),
    ...(view.items.length === 0 ? ["", "nothing"] : []),
    "",
    ...(view.items.some(namesFiles) ? [NOT_COVERED, ""] : []),
    ...(changes.length === 0
      ? []
      : ["Changed since you trusted it:", ...changes, ""]),
  ];
}

/** Whether an item is a command line of the manifest itself. */
function namesFiles({ title }: TrustView["items"][number]): boolean {
  return /^(mcp server|pre_activate hook)/.test(title);
}

function stateLine({ state }: TrustView): string {
  return {
    trusted: "it is trusted",
    needed: "it is not trusted: nothing of it runs",
    changed: "it changed since you trusted it: nothing of it runs",
    unneeded: "it needs no trust",
  }[state];
}

function place({ manifest }: { manifest: string }, host: Host): string {
  return escapeControl(tilde(manifest, host.env["HOME"] ?? ""));
}

function list(option: string | undefined, host: Host): Outcome {
  if (option !== undefined) {
    throw new AppError(
      "USAGE",
      'Cannot run "aenv trust": "--list" lists all and takes no "-E"',
      { hint: "Show one: aenv trust --show -E ENV" },
    );
  }
  const rows = listTrust(host);
  return {
    data: rows.map((row) => ({ ...row, problem: row.problem ?? null })),
    text: () => rows.map((row) => rowText(row, host)).join("\n"),
  };
}

function rowText(row: TrustRow, host: Host): string {
  const problem = row.problem === undefined
    ? ""
    : `  (${escapeControl(row.problem)})`;
  return `${row.state.padEnd(7)}  ${place(row, host)}${problem}`;
}

async function revoke(
  option: string | undefined,
  host: Host,
): Promise<Outcome> {
  const done = await revokeTrust(option, host);
  return {
    data: done,
    text: () =>
      done.revoked
        ? `no longer trusted: ${place(done, host)}`
        : `was not trusted: ${place(done, host)}`,
  };
}
