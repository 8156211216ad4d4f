import { AppError } from "../../base/errors.ts";
import {
  hostDirs,
  type Pointer,
  removeEnv,
  type SlotSecrets,
  slotSecrets,
} from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import { askLine } from "../../os/terminal.ts";
import type { Command } from "../command.ts";
import { pointerWords } from "../pointers.ts";

/** `aenv remove`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "name",
      summary: "Name of the environment, or a project's slot",
    }],
    options: [
      { flags: "--force", summary: "Remove it although something names it" },
      {
        flags: "--secrets",
        summary: "Remove the values of its secrets too, for good",
      },
    ],
    examples: ["aenv remove review", "aenv remove review --force --secrets"],
  },
  async run(input, host) {
    const name = input.args[0]!;
    const done = await removeEnv({
      name,
      force: input.options["force"] === true,
      secrets: input.options["secrets"] === true ||
        await asksForSecrets(name, host),
    }, host);
    return {
      data: {
        ...done,
        project: done.project ?? null,
      },
      text: () =>
        [
          `removed environment ${done.name}`,
          ...(done.project ? [`the project keeps ${done.project}`] : []),
          ...(done.clearedDefault ? ["default_env is no longer set"] : []),
          ...done.dangling.map(danglingLine),
          ...secretLines(done),
          `bring it back: aenv rollback ${done.transaction}`,
        ].join("\n"),
    };
  },
};

/** Asks on a terminal whether the values go too. */
async function asksForSecrets(name: string, host: Host): Promise<boolean> {
  if (!host.isTerminal("stdin") || !host.isTerminal("stderr")) return false;
  const found = await keptSecrets(name, host);
  if (found === undefined || found.keys.length === 0) return false;
  const keys = found.keys.join(", ");
  const where = found.secrets.backend;
  const answer = askLine(
    `Remove the values of its secrets (${keys}) from the ${where} too? [y/N] `,
  );
  return /^y(es)?$/i.test(answer?.trim() ?? "");
}

/** Undefined where something is broken: it is no reason to keep the env. */
async function keptSecrets(
  name: string,
  host: Host,
): Promise<SlotSecrets | undefined> {
  try {
    return await slotSecrets(name, { host, dirs: hostDirs(host) });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}

function secretLines(
  { name, secrets, transaction }: Awaited<ReturnType<typeof removeEnv>>,
): string[] {
  if (secrets.keys.length === 0) return [];
  const keys = secrets.keys.join(", ");
  return secrets.removed
    ? [`removed the values of its secrets for good: ${keys}`]
    : [
      `the values of its secrets stay: ${keys}`,
      `remove them too: aenv rollback ${transaction} && aenv remove ${name} --secrets`,
    ];
}

function danglingLine(pointer: Pointer): string {
  return `${pointerWords(pointer)} still names it`;
}
