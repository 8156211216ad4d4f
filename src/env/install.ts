/**
 * `install`, `lock`, `update`: sources to trees in the store, and the lock that pins them. The lock of the home is held for
 * writing the lock file alone; everything that takes time comes before.
 */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { didYouMean, quote } from "../base/text.ts";
import {
  compareLock,
  EMPTY_LOCK,
  type Entry,
  type EntryKind,
  type Lock,
  lockAgrees,
  type LockedItem,
  makeLock,
  type Manifest,
  printLock,
} from "../manifest/mod.ts";
import { FILE_MODE, lstat, readText } from "../os/fs.ts";
import { parseSource } from "../sources/mod.ts";
import { openStore } from "../store/mod.ts";
import type { Put } from "../tx/mod.ts";
import {
  type InstallPlace,
  obeyRow,
  pinEntry,
  type Supply,
  withSupply,
} from "./install_fetch.ts";
import {
  lockedItem,
  lockPath,
  noLock,
  outdated,
  readLock,
} from "./lock_file.ts";
import { registerProject } from "./register.ts";
import { transact } from "./slots.ts";
import { supplyEach } from "./supply_each.ts";
import type { OpenEnv } from "./types.ts";

/** What `install` and its kin were asked. */
export interface InstallInput {
  /** Refuse whatever the lock does not pin. */
  readonly frozen: boolean;
  /** Names whose pins move; `all` for every one. */
  readonly update: readonly string[] | "all";
  /** Another text for the manifest, written together with the lock. */
  readonly manifest?: { readonly text: string; readonly parsed: Manifest };
  /** The command, for the history. */
  readonly command: string;
  /**
   * Told what is about to be written, when the store has all of it. What it returns is asked, when nobody else can write,
   * for files that are to be written in the same step.
   */
  readonly accompany?: (next: InstallNext) => () => readonly Put[];
}

/** An env as it will be. */
export interface InstallNext {
  readonly env: OpenEnv;
  readonly lock: Lock;
}

/** One plugin or skill after an install. */
export interface InstalledItem {
  readonly kind: EntryKind;
  readonly name: string;
  readonly pin: string;
  readonly tree: string;
  readonly state: "kept" | "added" | "changed";
}

/** What an install did. */
export interface InstallResult {
  readonly lock: AbsPath;
  readonly items: readonly InstalledItem[];
  readonly removed: readonly string[];
  /** Whether the lock file was written. */
  readonly written: boolean;
}

/** What an install works on. */
interface Job {
  /** With the manifest that is to be. */
  readonly env: OpenEnv;
  /** The manifest's text as it was read. */
  readonly textBefore: string;
  /** As it was found; an empty one where there was none. */
  readonly lock: Lock;
  readonly found: Lock | undefined;
  readonly input: InstallInput;
  readonly place: InstallPlace;
}

/**
 * Makes the store hold every plugin and skill of the env, as the lock pins them; what the lock lacks is resolved and added
 * to it. With another manifest, or names to update, only those that this is about. Throws `LOCK_OUTDATED` when frozen, `HASH_MISMATCH` when a source no longer is what was pinned, `SOURCE_*`, `IO`;
 * then nothing has changed.
 */
export async function installEnv(
  env: OpenEnv,
  input: InstallInput,
  place: InstallPlace,
): Promise<InstallResult> {
  const job = jobOf(env, input, place);
  const { manifest } = job.env;
  if (input.frozen) requireFrozen(job);
  checkNames(manifest, input.update);
  // A source that cannot be meant is said before anything is fetched.
  for (const entry of [...manifest.plugins, ...manifest.skills]) {
    parseSource(entry.source);
  }
  using store = openStore(place.dirs.store);
  const items = await withSupply(
    env,
    { place, store },
    (supply) => installAll(job, supply),
  );
  const ofKind = (wanted: EntryKind) =>
    items.filter(({ kind }) => kind === wanted).map(({ locked }) => locked);
  const next = makeLock(manifest, {
    plugins: ofKind("plugins"),
    skills: ofKind("skills"),
  });
  // Before the lock: a collection must know of a project whose lock counts.
  if (next.plugins.length + next.skills.length > 0) registerProject(env, place);
  const written = !input.frozen && await writeLock(job, next);
  return {
    lock: lockPath(env),
    items: items.map(({ item }) => item),
    removed: removedNames(manifest, job.lock),
    written,
  };
}

function jobOf(env: OpenEnv, input: InstallInput, place: InstallPlace): Job {
  const found = readLock(env);
  const next = input.manifest === undefined ? env : {
    ...env,
    manifest: input.manifest.parsed,
    manifestText: input.manifest.text,
  };
  const lock = found ?? EMPTY_LOCK;
  return { env: next, textBefore: env.manifestText, lock, found, input, place };
}

function requireFrozen({ env, found }: Job): void {
  if (found === undefined) throw noLock(env);
  const differences = compareLock(env.manifest, found);
  if (differences.length > 0) throw outdated(env, differences);
}

/** Refuses to update what is not declared. */
function checkNames(manifest: Manifest, update: InstallInput["update"]): void {
  if (update === "all") return;
  const known = [...manifest.plugins, ...manifest.skills].map(({ name }) =>
    name as string
  );
  for (const name of update) {
    if (known.includes(name)) continue;
    const near = didYouMean(name, known);
    throw new AppError(
      "ITEM_NOT_FOUND",
      `Cannot update ${
        quote(name)
      }: the manifest declares no plugin or skill of that name`,
      near === undefined ? {} : { hint: `Did you mean ${quote(near)}?` },
    );
  }
}

interface Installed {
  readonly kind: EntryKind;
  readonly locked: LockedItem;
  readonly item: InstalledItem;
}

/** What adds, removes or moves one thing asks nothing about the others: they stay pinned as they are, there or not. */
function getsAll({ manifest, update }: InstallInput): boolean {
  return manifest === undefined && (update === "all" || update.length === 0);
}

async function installAll(job: Job, supply: Supply): Promise<Installed[]> {
  const { manifest } = job.env;
  const items = (["plugins", "skills"] as const).flatMap((kind) =>
    manifest[kind].map((entry) => ({ kind, entry, name: entry.name }))
  );
  return await supplyEach(
    supply,
    items,
    (item, own) => install(job, own, item),
  );
}

async function install(
  { input, lock }: Job,
  supply: Supply,
  { kind, entry }: { readonly kind: EntryKind; readonly entry: Entry },
): Promise<Installed> {
  const row = lockedItem(lock, kind, entry.name);
  const moves = input.update === "all" || input.update.includes(entry.name);
  const holds = row !== undefined && row.source === entry.source &&
    row.subpath === entry.subpath;
  const keeps = holds && !moves;
  if (keeps && getsAll(input)) await obeyRow(supply, kind, row);
  const locked = keeps ? row : await pinEntry(supply, kind, entry);
  const same = row?.tree === locked.tree && row.pin === locked.pin && holds;
  const state = row === undefined ? "added" : same ? "kept" : "changed";
  const { name, pin, tree } = locked;
  return { locked, kind, item: { kind, name, pin, tree, state } };
}

/** Writes the lock, and the manifest where that changes too, in one transaction; refuses when somebody else was faster. */
async function writeLock(job: Job, next: Lock): Promise<boolean> {
  const { env, lock, input, place, found } = job;
  const path = lockPath(env);
  const text = printLock(next);
  const isSame = found !== undefined && printLock(lock) === text &&
    readText(path) === text;
  if (isSame && input.manifest === undefined) return false;
  if (!lockAgrees(env.manifest, next)) {
    throw new Error("the new lock does not agree with its manifest");
  }
  const more = input.accompany?.({ env, lock: next });
  const about = { kind: input.command, env: env.slotName, note: undefined };
  const mode = modesOf(env);
  await transact(about, place, (tx) => {
    requireUntouched(job);
    const manifest = input.manifest && [
      {
        path: env.manifestReal,
        data: input.manifest.text,
        mode: mode.manifest,
      },
    ];
    const files = [...manifest ?? [], { path, data: text, mode: mode.lock }];
    tx.putAll([...files, ...more?.() ?? []]);
  });
  return true;
}

/** Both files keep theirs; a new lock is as closed as its manifest. */
function modesOf(env: OpenEnv): { manifest: number; lock: number } {
  const manifest = lstat(env.manifestReal)?.mode ?? FILE_MODE;
  const lock = lstat(lockPath(env))?.mode ?? manifest;
  return { manifest: manifest & 0o666, lock: lock & 0o666 };
}

/** Throws `TX_CONFLICT` when manifest or lock are not what they were when this began. */
function requireUntouched({ env, textBefore, found }: Job): void {
  const now = readLock(env);
  const [before, after] = [found, now].map((lock) => lock && printLock(lock));
  const isSame = readText(env.manifestPath) === textBefore && before === after;
  if (!isSame) throw overtaken(env);
}

function overtaken(env: OpenEnv): AppError {
  return new AppError(
    "TX_CONFLICT",
    `Cannot write the lock of ${
      quote(env.label)
    }: its manifest or lock was changed meanwhile`,
    { hint: "Try again" },
  );
}

function removedNames(manifest: Manifest, lock: Lock): string[] {
  return (["plugins", "skills"] as const).flatMap((kind) =>
    lock[kind].map(({ name }) => name as string).filter((name) =>
      !manifest[kind].some((entry) => entry.name === name)
    )
  );
}
