import { tilde } from "../../base/paths.ts";
import { escapeControl } from "../../base/text.ts";
import {
  activeEnv,
  type ChangedValue,
  type DeclaredDifference,
  diffEnv,
  type DiskDifference,
  type EnvDiff,
  requireNamed,
} from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import { type Command, textOption } from "../command.ts";
import { fileLines } from "../file_lines.ts";

/** `aenv diff`. */
export const command: Command = {
  words: { env: true, examples: ["aenv diff", "aenv diff --json"] },
  async run(input, host) {
    const { env, dirs } = activeEnv(host, textOption(input, "env"));
    const found = await diffEnv(requireNamed(env, "compare"), dirs);
    return { data: found, text: () => textOf(found, host) };
  },
};

function textOf(found: EnvDiff, host: Host): string {
  const lock = tilde(found.lock, host.env["HOME"] ?? "");
  if (found.agrees) {
    return found.hasLock
      ? "manifest, lock and disk agree"
      : "there is no lock, and nothing to pin";
  }
  const declared = found.declared.length === 0 ? [] : [
    found.hasLock
      ? `the manifest differs from ${lock}; bring it up to date: aenv install`
      : `there is no ${lock}; write it: aenv install`,
    ...found.declared.flatMap(declaredLines),
  ];
  const beside = found.beside.map(({ path, change }) =>
    change === "added"
      ? `  + ${path}: not in the lock`
      : `  ~ ${path}: ${change}`
  );
  const disk = found.disk.length + beside.length === 0 ? [] : [
    `the disk differs from ${lock}; make it match: aenv sync`,
    ...found.disk.flatMap(diskLines),
    ...beside,
  ];
  return [...declared, ...disk].map((line) => escapeControl(line)).join("\n");
}

const MARKS = { added: "+", changed: "~", removed: "-" } as const;

function declaredLines(
  { kind, name, change, values }: DeclaredDifference,
): string[] {
  const head = `  ${MARKS[change]} ${name === null ? kind : `${kind} ${name}`}`;
  return [head, ...values.map(valueLine)];
}

function valueLine({ key, locked, declared }: ChangedValue): string {
  if (locked === null) return `      ${key} ${declared}`;
  if (declared === null) return `      ${key} ${locked}`;
  return `      ${key} ${locked} → ${declared}`;
}

function diskLines(
  { kind, name, state, stored, files }: DiskDifference,
): string[] {
  const words = [
    ...(state === "missing" ? ["not placed yet"] : []),
    ...(state === "changed" ? ["changed"] : []),
    ...(stored ? [] : ["not in the store"]),
  ];
  const mark = state === "missing" ? "-" : "~";
  return [
    `  ${mark} ${kind} ${name}: ${words.join(", ")}`,
    ...fileLines(files),
  ];
}
