import { ExitCode } from "../../base/errors.ts";
import { escapeControl } from "../../base/text.ts";
import {
  checkStore,
  collectStore,
  hostDirs,
  measureStore,
} from "../../env/mod.ts";
import type { Collected, StoreSize, Verified } from "../../store/mod.ts";
import type { Command, Outcome } from "../command.ts";
import { showBytes } from "../numbers.ts";

/** `aenv store`. */
export const command: Command = {
  words: { examples: ["aenv store", "aenv store verify", "aenv store gc"] },
  run(_input, host) {
    const found = measureStore({ host, dirs: hostDirs(host) });
    return { data: found, text: () => sizeText(found) };
  },
};

/** `aenv store size`: the same, for those who say what they want. */
export const size: Command = {
  ...command,
  words: { examples: ["aenv store size"] },
};

/** `aenv store verify`. */
export const verify: Command = {
  words: {
    options: [{
      flags: "--repair",
      summary: "Put damaged trees aside, and remove what is no part of it",
    }],
    examples: ["aenv store verify", "aenv store verify --repair"],
  },
  async run(input, host) {
    const repair = input.options["repair"] === true;
    const found = await checkStore({ host, dirs: hostDirs(host) }, { repair });
    return verifyOutcome(found, repair);
  },
};

/** `aenv store gc`. */
export const gc: Command = {
  words: {
    options: [{
      flags: "--dry-run",
      summary: "Only say what would be removed",
    }],
    examples: ["aenv store gc --dry-run", "aenv store gc"],
  },
  async run(input, host) {
    const dryRun = input.options["dryRun"] === true;
    const done = await collectStore({ host, dirs: hostDirs(host) }, { dryRun });
    return { data: { ...done, dryRun }, text: () => gcText(done, dryRun) };
  },
};

function sizeText(found: StoreSize): string {
  const rows: [string, number][] = [
    ["copies that environments share", found.sharedBytes],
    ["damaged, put aside", found.quarantinedBytes],
    ["temporary", found.temporaryBytes],
  ];
  return [
    `${trees(found.objects)}: ${showBytes(found.bytes)}`,
    ...rows.filter(([, bytes]) => bytes > 0)
      .map(([name, bytes]) => `${name}: ${showBytes(bytes)}`),
  ].join("\n");
}

function trees(count: number): string {
  return count === 1 ? "1 tree" : `${count} trees`;
}

function verifyOutcome(found: Verified, repair: boolean): Outcome {
  const { objects, bytes, corrupt, written, strays } = found;
  const isGood = corrupt.length + written.length + strays.length === 0;
  const lines = [
    ...corrupt.map(({ hash, state }) => `damaged: sha256-${hash}: ${state}`),
    ...written.map((hash) =>
      `written through an environment: the shared copy of sha256-${hash}`
    ),
    ...strays.map((path) => `no part of the store: ${path}`),
    `looked at ${trees(objects)}; ${showBytes(bytes)} are right`,
    ...(isGood ? [] : [repair ? REPAIRED : REPAIR]),
  ];
  return {
    data: { ...found, repaired: repair && !isGood },
    text: () => lines.map((line) => escapeControl(line)).join("\n"),
    exitCode: isGood || repair ? ExitCode.ok : ExitCode.failed,
  };
}

const REPAIR = "put it right: aenv store verify --repair";
const REPAIRED =
  "put aside or removed; what an environment lacks now is fetched by: aenv sync";

function gcText({ removed, kept, bytes }: Collected, dryRun: boolean): string {
  const [gone, free] = [trees(removed), showBytes(bytes)];
  return dryRun
    ? `would remove ${gone} and free ${free}; ${kept} needed`
    : `removed ${gone} and freed ${free}; ${kept} needed`;
}
