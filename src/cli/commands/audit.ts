import {
  alignRows,
  AuditLog,
  Follower,
  type LogRecord,
  readNewest,
  rowOf,
} from "../../audit/mod.ts";
import { AppError, ExitCode } from "../../base/errors.ts";
import { escapeControl, quote } from "../../base/text.ts";
import { activeEnv, hostDirs } from "../../env/mod.ts";
import { isInside } from "../../launch/mod.ts";
import type { Host } from "../../os/host.ts";
import { askLine } from "../../os/terminal.ts";
import {
  type Command,
  type Input,
  type Outcome,
  textOption,
} from "../command.ts";
import { countOption } from "../numbers.ts";
import { printLine } from "../printer.ts";

const SHOWN = { otherwise: 50, min: 0, max: 1_000_000 };
/** Before what comes. */
const BACKLOG = { ...SHOWN, otherwise: 10 };
/** Widths of columns whose later cells are not known yet. */
const WIDTHS = [19, 10, 7, 5, 16];

/** `aenv audit`. */
export const command: Command = {
  words: {
    options: [
      {
        flags: "-n, --number <count>",
        summary: "Print at most so many, the newest; 50 unless given",
      },
      { flags: "-f, --follow", summary: "Go on with what comes" },
    ],
    env: true,
    examples: [
      "aenv audit",
      "aenv audit -E review -n 5",
      "aenv audit -f --json",
    ],
  },
  async run(input, host) {
    const log = logOf(host, "aenv audit");
    const wants = filterOf(input, host);
    if (input.options["follow"] === true) {
      return await follow(log, { input, host, wants });
    }
    const count = countOption(input, "number", SHOWN);
    const records = readNewest(log.files, { count, wants });
    return {
      data: records,
      text: () =>
        records.length === 0
          ? "no events"
          : alignRows(rowsOf(records, host), []).join("\n"),
    };
  },
};

/** `aenv audit path`. */
export const path: Command = {
  words: { examples: ["aenv audit path"] },
  run(_input, host) {
    const { log } = logOf(host, "aenv audit path").files;
    return { data: { path: log }, text: () => escapeControl(log) };
  },
};

/** `aenv audit verify`. */
export const verify: Command = {
  words: { examples: ["aenv audit verify"] },
  run(_input, host) {
    const found = logOf(host, "aenv audit verify").check();
    const { lines, unfinished, uncovered, problems } = found;
    const notes = [
      ...(unfinished > 0 ? [`${unfinished} never finished`] : []),
      ...(uncovered > 0 ? [`${uncovered} not yet part of the chain`] : []),
    ];
    const head = `${countWords(lines)}${
      notes.length > 0 ? ` (${notes.join(", ")})` : ""
    }`;
    const isWhole = problems.length === 0;
    return {
      data: found,
      text: () =>
        isWhole
          ? `${head}: as they were written`
          : [`${head}: not as they were written`, ...problems].join("\n  "),
      exitCode: isWhole ? ExitCode.ok : ExitCode.failed,
    };
  },
};

/** `aenv audit clear`. */
export const clear: Command = {
  words: {
    options: [{ flags: "--yes", summary: "Do not ask" }],
    examples: ["aenv audit clear", "aenv audit clear --yes"],
  },
  run(input, host) {
    const log = logOf(host, "aenv audit clear");
    if (input.options["yes"] !== true && !asksYes(log, host)) {
      return {
        data: { cleared: false },
        text: () => "nothing was removed",
        exitCode: ExitCode.failed,
      };
    }
    const done = log.clear();
    if (done === undefined) {
      throw new AppError(
        "LOCK_TIMEOUT",
        `Cannot clear ${
          quote(log.files.log)
        }: another aenv process is writing to it`,
        { hint: "See which run: ps aux | grep aenv" },
      );
    }
    const { lines } = done;
    return {
      data: { cleared: true, lines },
      text: () => `removed ${countWords(lines)}; the log now begins with that`,
    };
  },
};

function countWords(lines: number): string {
  return lines === 1 ? "1 line" : `${lines} lines`;
}

/** Throws `SANDBOX_REFUSED` inside: the log is out of reach there, and empty is not what it is. */
function logOf(host: Host, words: string): AuditLog {
  if (!isInside(host)) return new AuditLog(hostDirs(host).audit);
  throw new AppError(
    "SANDBOX_REFUSED",
    `Cannot run ${quote(words)}: this is a sandbox, and the log lies outside`,
    { hint: "Run it outside of the sandbox", exitCode: ExitCode.refused },
  );
}

function asksYes({ files }: AuditLog, host: Host): boolean {
  if (!host.isTerminal("stdin") || !host.isTerminal("stderr")) {
    throw new AppError(
      "USAGE",
      `Cannot clear ${
        quote(files.log)
      }: there is no terminal on which to ask you`,
      { hint: "Say so: aenv audit clear --yes" },
    );
  }
  const answer = askLine("Remove the whole audit log, for good? [y/N] ");
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

/** All events, or those of the env that `-E` names. */
function filterOf(
  input: Input,
  host: Host,
): (record: LogRecord) => boolean {
  const option = textOption(input, "env");
  if (option === undefined) return () => true;
  const label = labelOf(option, host);
  return ({ env }) => env === label;
}

/** An env that was removed has still its events. */
function labelOf(option: string, host: Host): string {
  try {
    return activeEnv(host, option).env.label;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return option;
  }
}

function rowsOf(
  records: readonly LogRecord[],
  host: Host,
): ReturnType<typeof rowOf>[] {
  const home = host.env["HOME"] ?? "";
  return records.map((record) => rowOf(record, home));
}

/** Until somebody ends it. */
async function follow(
  log: AuditLog,
  { input, host, wants }: {
    readonly input: Input;
    readonly host: Host;
    readonly wants: (record: LogRecord) => boolean;
  },
): Promise<Outcome> {
  // First: what comes in between is rather printed twice than not at all.
  const follower = new Follower(log.files);
  const count = countOption(input, "number", BACKLOG);
  const widths = [...WIDTHS];
  let records = readNewest(log.files, { count, wants });
  while (true) {
    const lines = input.options["json"] === true
      ? records.map((record) => JSON.stringify(record))
      : alignRows(rowsOf(records, host), widths);
    for (const line of lines) {
      if (!printLine(line)) return { data: null, text: () => "" };
    }
    records = (await follower.next()).filter(wants);
  }
}
