/** Whether a launch may happen: everything of a repository that runs or widens something must have been trusted as it is now. */
import type { Dirs } from "../base/dirs.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { basename, join, parent } from "../base/paths.ts";
import { listWords, quote } from "../base/text.ts";
import { type OpenEnv, resolveEnv } from "../env/mod.ts";
import { realPath } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  decide,
  readMarks,
  readRecord,
  type TreeHashes,
  type TrustRecord,
  type Verdict,
  writeMarks,
} from "../trust/mod.ts";
import type { FoundTree } from "./contents.ts";
import { readTree, scanTree, treeFingerprint } from "./tree.ts";
import { identityOf, needsTrust } from "./trust_needed.ts";
import { NPM_SETTINGS, npmSettings, npmSettingsThere } from "./trust_npm.ts";
import type { InstallStep } from "./types.ts";

/** Where a launch happens. */
export interface TrustContext {
  readonly host: Host;
  readonly dirs: Dirs;
  /** What is about to happen; `start` unless given. */
  readonly action?: "start" | "copy";
}

/** The title of a tree in records and in what is shown. */
export function treeTitle(
  { kind, name }: { readonly kind: string; readonly name: string },
): string {
  return `${kind} ${name}`;
}

/** A project's trust during one launch; the manifest is checked when this is made, its trees when they have been found. */
export class LaunchTrust {
  readonly #env: OpenEnv;
  readonly #context: TrustContext;
  readonly #record: TrustRecord;
  #marks: TreeHashes | undefined;

  private constructor(
    env: OpenEnv,
    context: TrustContext,
    record: TrustRecord,
  ) {
    this.#env = env;
    this.#context = context;
    this.#record = record;
  }

  /** Undefined for an env that needs no trust. Throws `TRUST_NEEDED` (exit 3) unless the manifest is trusted as it was read. */
  static of(env: OpenEnv, context: TrustContext): LaunchTrust | undefined {
    if (!needsTrust(env)) return undefined;
    const record = readRecord(context.dirs, env.manifestPath);
    requireTrusted(decide(record, identityOf(env)), env, context);
    return new LaunchTrust(env, context, record!);
  }

  /** The content hash of a tree: as an earlier launch found it where the tree looks the same, else read now. */
  hashOf(tree: FoundTree): string {
    this.#marks ??= readMarks(this.#context.dirs, this.#env.manifestPath);
    return Object.hasOwn(this.#marks, tree.mark)
      ? this.#marks[tree.mark]!
      : readTree(tree.source, tree.entries).hash;
  }

  /** Throws `TRUST_NEEDED` unless every tree is the one that was trusted. */
  checkTrees(installs: readonly InstallStep[]): void {
    const verdict = decide(
      this.#record,
      identityOf(this.#env),
      hashesOf(this.#env, installs),
    );
    requireTrusted(verdict, this.#env, this.#context);
  }
}

/** Content hashes of what is to be copied, and of what says where it is fetched from, by title. */
export function hashesOf(
  env: OpenEnv,
  installs: readonly InstallStep[],
): TreeHashes {
  const npm = npmSettings(env);
  return {
    ...Object.fromEntries(
      installs.map((step) => [treeTitle(step), step.content?.hash ?? ""]),
    ),
    ...(npm === undefined ? {} : { [NPM_SETTINGS]: npm.hash }),
  };
}

/**
 * Whether the project's own settings for fetching packages are the ones that the user was shown and trusted, with this manifest:
 * those of a manifest without a package were not shown, and the command may be about to add one.
 */
export function trustsSettings(env: OpenEnv, dirs: Dirs): boolean {
  if (env.scope !== "project") return true;
  const record = readRecord(dirs, env.manifestPath);
  const npm = npmSettingsThere(env);
  const shown = npm === undefined ? {} : { [NPM_SETTINGS]: npm.hash };
  const trees = record && { ...record.trees, ...shown };
  return decide(record, identityOf(env), trees).state === "trusted";
}

/** Their content hashes by the stat mark of the source. */
export function marksOf(installs: readonly InstallStep[]): TreeHashes {
  return Object.fromEntries(
    installs.flatMap(({ content }) =>
      content === undefined ? [] : [[content.mark, content.hash]]
    ),
  );
}

/**
 * Checks a copy that was just made against what the user trusted: between the check and the copy the source may have changed.
 * Throws `TRUST_NEEDED` (exit 3).
 */
export function checkCopy(step: InstallStep, env: OpenEnv): void {
  if (step.content === undefined) return;
  const { hash, mark } = step.content;
  const [copy, source] = [scanTree(step.target), scanTree(step.source)];
  // The mark too: servers of a plugin are read from its source while a launch is planned.
  const isSame = readTree(step.target, copy).hash === hash &&
    treeFingerprint(step.name, source) === mark;
  if (isSame) return;
  throw trustError(env, {
    state: `${treeTitle(step)} changed while it was copied`,
    hint: "Start it again",
  });
}

/** Keeps the content hashes of this launch, so that the next one need not read the trees. */
export function rememberMarks(
  env: OpenEnv,
  installs: readonly InstallStep[],
  dirs: Dirs,
): void {
  const marks = marksOf(installs);
  if (Object.keys(marks).length === 0) return;
  const known = readMarks(dirs, env.manifestPath);
  const isKnown = Object.keys(known).length === Object.keys(marks).length &&
    Object.entries(marks).every(([mark, hash]) => known[mark] === hash);
  if (!isKnown) writeMarks(dirs, env.manifestPath, marks);
}

function requireTrusted(
  verdict: Verdict,
  env: OpenEnv,
  context: TrustContext,
): void {
  if (verdict.state === "trusted") return;
  const command = trustCommand(env, context);
  if (verdict.state === "needed") {
    throw trustError(env, {
      action: context.action,
      state: `you have not trusted ${quote(env.manifestPath)} yet`,
      hint: `See what it would run and allow, and decide: ${command}`,
    });
  }
  throw trustError(env, {
    action: context.action,
    state: `${listWords(verdict.what)} changed since you trusted ${
      quote(env.manifestPath)
    }`,
    hint: `See the difference, and decide: ${command}`,
  });
}

function trustError(
  env: OpenEnv,
  { action = "start", state, hint }: {
    readonly action?: "start" | "copy" | undefined;
    readonly state: string;
    readonly hint: string;
  },
): AppError {
  return new AppError(
    "TRUST_NEEDED",
    `Cannot ${action} environment ${quote(env.label)}: ${state}`,
    action === "start" ? { hint, exitCode: ExitCode.refused } : { hint },
  );
}

/** The words that lead to this manifest from here. */
function trustCommand(env: OpenEnv, { host, dirs }: TrustContext): string {
  return isActive(env, { host, dirs })
    ? "aenv trust"
    : `aenv trust -E ${shellWord(env.manifestPath)}`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}

function isActive(env: OpenEnv, { host, dirs }: TrustContext): boolean {
  try {
    const { ref } = resolveEnv(host, dirs);
    if (ref.kind !== "project") return false;
    const dir = parent(ref.manifest);
    return join(realPath(dir) ?? dir, basename(ref.manifest)) ===
      env.manifestPath;
  } catch (error) {
    // Something else decides here, and is broken; -E named this env.
    if (!(error instanceof AppError)) throw error;
    return false;
  }
}
