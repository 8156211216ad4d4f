/**
 * A launch from one to the next: what was decided and prepared for it, in a form that takes a few calls to check and to put
 * into force. It lies where nothing confined can read or write, beside the policies, and counts only while all that it rests
 * on is the same: what the launch knows (`key`), this machine and program, the names of all variables, and every look at
 * files. Whatever else is wrong with it costs time, and nothing else. Paths and numbers are kept, never calls.
 */
import { type AbsPath, basename } from "../base/paths.ts";
import { type Machine, readMachine } from "../os/machine.ts";
import { readPrivateAtOnce } from "../os/read_at_once.ts";
import { FACT, FACT_WORDS, statMany } from "../os/stat_list.ts";
import { rememberedPassing, type RememberedVariables } from "./env_memory.ts";
import { unpackParts, wordsOf } from "./quick_format.ts";
import type { SandboxPolicy } from "./types.ts";

/** Where launches are remembered, and what one is found by. */
export interface QuickPlace {
  /** `sandbox/` of the env's slot. */
  readonly dir: AbsPath;
  /** Of this launch; new for each. */
  readonly runDir: AbsPath;
  /** This program's own file. */
  readonly self: AbsPath;
  /** All that the launch knows, as one text without the run directory. */
  readonly key: string;
  /** What tells launches of one env apart that go on side by side. */
  readonly names: readonly string[];
  /** The caller's variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Microseconds since the epoch; the clock's unless given. */
  readonly now?: number;
}

/** A rule of Landlock for a path in the run directory. */
export interface QuickRule {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly access: number;
}

/** What a remembered launch consists of, besides its long lists. */
export interface QuickInfo {
  readonly variables: RememberedVariables;
  /** Values that the launch rests on. */
  readonly values: Readonly<Record<string, string | null>>;
  readonly notes: readonly string[];
  readonly summary: string;
  readonly project: AbsPath;
  readonly sets: Readonly<Record<string, string>>;
  readonly tmpDir: string;
  /** Directories to make. */
  readonly make: readonly AbsPath[];
  readonly protected: SandboxPolicy["protected"];
  readonly handledFiles: number;
  readonly handledNetwork: number;
  readonly scoped: number;
  /** Rules that lie in the run directory, where it really is. */
  readonly rules: readonly QuickRule[];
  /** Where run directories really lie. */
  readonly runs: AbsPath;
  /** The number of the last capability; of root only. */
  readonly lastCapability: number | null;
}

/** A launch that may go on as it did before. */
export interface QuickLaunch {
  readonly machine: Machine;
  readonly info: QuickInfo;
  /** The variables that pass. */
  readonly passing: Readonly<Record<string, string>>;
  /** Rules of Landlock. */
  readonly paths: Uint8Array<ArrayBuffer>;
  readonly access: Int32Array<ArrayBuffer>;
  readonly filter: Uint8Array<ArrayBuffer>;
  /** The policy, but for what was decided of variables. */
  policy(): Omit<SandboxPolicy, "environment">;
}

/** Stands for the run directory, as it is named and where it really is. No path can hold it. */
export const NAMED = "\\u0000run";
/** See {@link NAMED}. */
export const REAL = "\\u0000real";
/** Larger files are not read. */
export const MAX_QUICK_BYTES = 512 * 1024;
/** Key, info, codes and paths of looks and what they found, paths and rights of rules, filter, policy. */
export const QUICK_PARTS = 9;
/** Numbers that are kept of a look at all of a file, of one at its kind. */
export const LOOK_WORDS = { all: 11, kind: 1 } as const;
/** Where they stand in `struct statx`; the kind comes first. */
export const LOOK_FACTS: readonly number[] = [
  ...[FACT.inode, FACT.inode + 1, FACT.size, FACT.size + 1],
  ...[FACT.changed, FACT.changed + 2, FACT.written, FACT.written + 2],
  ...[FACT.deviceMajor, FACT.deviceMinor],
];

/** The launch that was remembered; undefined unless it may go on just so. */
export function recallLaunch(place: QuickPlace): QuickLaunch | undefined {
  const machine = readMachine(place.self);
  const parts = machine && readParts(place, machine);
  if (parts === undefined) return undefined;
  const [key, about, codes, looked, found, paths, access, filter, policy] =
    parts as [Part, Part, Part, Part, Part, Part, Part, Part, Part];
  const { runDir, variables } = place;
  if (textOf(key) !== fullKey(place, machine!)) return undefined;
  const info = parse<QuickInfo>(textOf(about), runDir);
  if (info === undefined || !valuesSame(info, variables)) return undefined;
  const passing = rememberedPassing(info.variables, variables);
  if (passing === undefined) return undefined;
  if (!looksAsBefore(codes, looked, wordsOf(found))) return undefined;
  return {
    ...{ machine: machine!, info, passing, paths, filter },
    access: wordsOf(access),
    policy: () => parse(textOf(policy), runDir)!,
  };
}

type Part = Uint8Array<ArrayBuffer>;

function readParts(
  { dir, names }: QuickPlace,
  machine: Machine,
): Part[] | undefined {
  const bytes = readPrivateAtOnce(dir, {
    name: quickName(names, machine),
    uid: machine.uid,
    maxBytes: MAX_QUICK_BYTES,
  });
  return bytes && unpackParts(bytes, QUICK_PARTS);
}

/** The file of a launch. One of another launch with the same name is told by its key. */
export function quickName(
  names: readonly string[],
  { terminal }: Machine,
): string {
  let [a, b] = [0x811c9dc5, 0x1000193];
  const whole = [...names, terminal].join("\n");
  for (let i = 0; i < whole.length; i++) {
    const code = whole.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b + code, 0x85ebca6b) ^ (a >>> 7);
  }
  const parts = [a, b].map((n) => (n >>> 0).toString(16).padStart(8, "0"));
  return parts.join("") + ".launch";
}

/** What a launch was remembered with. */
export function fullKey({ key }: QuickPlace, { text }: Machine): string {
  return `${text}\n${key}`;
}

const DECODER = new TextDecoder();

function textOf(part: Part): string {
  return DECODER.decode(part);
}

/** Reads JSON in which the run directory is marked; where it really is, is said after the first line. */
function parse<T>(text: string, runDir: AbsPath): T | undefined {
  const line = text.indexOf("\n");
  if (line < 0) return undefined;
  const real = `${text.slice(0, line)}/${basename(runDir)}`;
  return JSON.parse(
    text.slice(line + 1).replaceAll(NAMED, inJson(runDir))
      .replaceAll(REAL, inJson(real)),
  ) as T;
}

/** A text as it stands inside a JSON text. */
export function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function valuesSame(
  { values }: QuickInfo,
  variables: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(values).every(([name, value]) =>
    (variables[name] ?? null) === value
  );
}

/** Of a code: whether links are followed, and whether more is kept than the kind. */
export const LOOK_BITS = { follows: 1, all: 2 } as const;
/** ENOENT, ENOTDIR. */
const [ABSENT, NO_DIRECTORY] = [-2, -20];

/** Whether every path looks as it did. */
export function looksAsBefore(
  codes: Uint8Array<ArrayBuffer>,
  paths: Uint8Array<ArrayBuffer>,
  expected: Int32Array<ArrayBuffer>,
): boolean {
  const seen = statMany(paths, codes);
  if (seen === undefined) return false;
  const { words } = seen;
  const count = codes.length;
  let [at, facts] = [0, 0];
  // Each turn is interpreted, so it has few operations.
  for (let i = 0; i < count; i++) {
    const mode = words[facts + FACT.mode]! & 0xffff;
    const kind = mode === 0 ? kindOf(seen.result(i), 0) : mode >> 12;
    if (kind !== expected[at++]) return false;
    if ((codes[i]! & LOOK_BITS.all) !== 0) {
      for (const fact of LOOK_FACTS) {
        if (words[facts + fact] !== expected[at++]) return false;
      }
    }
    facts += FACT_WORDS;
  }
  return at === expected.length;
}

/** The type of an entry, 0 where nothing is, or the negative errno. */
export function kindOf(result: number, mode: number): number {
  if (result === ABSENT || result === NO_DIRECTORY) return 0;
  return result < 0 ? result : (mode & 0xffff) >> 12;
}
