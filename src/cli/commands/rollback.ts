import { AppError, ExitCode } from "../../base/errors.ts";
import { escapeControl } from "../../base/text.ts";
import {
  auditEvent,
  hostDirs,
  recoverHome,
  rollbackChange,
} from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import { pathsOf, type Recovered, type TxRecord } from "../../tx/mod.ts";
import {
  type Command,
  type Input,
  type Outcome,
  textOption,
} from "../command.ts";

/** `aenv rollback`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "id",
      summary: "A change that aenv history lists; the newest unless given",
      optional: true,
    }],
    options: [
      {
        flags: "--pending",
        summary: "Finish or take back what a killed process left instead",
      },
      {
        flags: "--force",
        summary: "Replace also what was changed since; that is kept",
      },
    ],
    env: true,
    examples: [
      "aenv rollback",
      "aenv rollback -E review",
      "aenv rollback --pending",
    ],
  },
  run(input, host) {
    return input.options["pending"] === true
      ? runPending(input, host)
      : runOne(input, host);
  },
};

async function runOne(input: Input, host: Host): Promise<Outcome> {
  const { id, undid } = await rollbackChange({
    id: input.args[0],
    env: textOption(input, "env"),
    force: input.options["force"] === true,
  }, host);
  const { kind: change, id: of } = undid;
  await auditEvent({ event: "rolled-back", change, id: of }, {
    ...{ dirs: hostDirs(host), env: undid.env ?? undefined },
  });
  return {
    data: { id, undid: summary(undid) },
    text: () =>
      [
        `rolled back ${changeWords(undid)}`,
        `undo that: aenv rollback ${id}`,
      ].join("\n"),
  };
}

async function runPending(input: Input, host: Host): Promise<Outcome> {
  if (input.args.length > 0 || input.options["env"] !== undefined) {
    throw new AppError(
      "USAGE",
      'Cannot use "--pending" with an ID or "-E": it is about all that was killed',
      { hint: "Leave one out: aenv rollback --pending" },
    );
  }
  const force = input.options["force"] === true;
  const found = await recoverHome({ force }, host);
  const { finished, undone, stuck, broken } = found;
  return {
    data: {
      finished: finished.map(summary),
      undone: undone.map(summary),
      stuck: stuck.map(({ record, why }) => ({ ...summary(record), why })),
      broken,
    },
    text: () => pendingLines(found).map(escapeControl).join("\n"),
    exitCode: stuck.length + broken.length > 0 ? ExitCode.failed : ExitCode.ok,
  };
}

function pendingLines(
  { finished, undone, stuck, broken }: Recovered,
): string[] {
  const lines = [
    ...finished.map((record) => `finished ${changeWords(record)}`),
    ...undone.map((record) => `took back ${changeWords(record)}`),
    ...stuck.flatMap(({ record, why }) => [
      `could not take back ${changeWords(record)}: ${why}`,
      "  look at it; or replace it, and keep what is there: aenv rollback --pending --force",
    ]),
    ...broken.map(({ why }) => `left alone: ${why}`),
  ];
  return lines.length === 0 ? ["nothing is pending"] : lines;
}

function summary(record: TxRecord): Record<string, unknown> {
  const { id, kind, env, note } = record;
  return { id, kind, env, note, paths: record.entries.flatMap(pathsOf) };
}

function changeWords({ id, kind, env, note, undoes }: TxRecord): string {
  // A rollback's note says all.
  const words = (undoes === null ? [kind, env, note] : [kind, note])
    .filter((word) => word !== null);
  return escapeControl(`${words.join(" ")} (${id})`);
}
