/**
 * `install`, `lock`, `update`: sources to trees in the store, and the lock that pins them. The lock of the home is held for
 * writing the lock file alone; everything that takes time comes before.
 */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
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
import { makeDir, readText, removeTree, tempName } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  fetchSource,
  formatPin,
  parsePin,
  parseSource,
  type Resolution,
  resolveSource,
  type SourceContext,
  sourceContext,
} from "../sources/mod.ts";
import {
  holdTree,
  insertTree,
  openStore,
  parseTreeHash,
  type Store,
} from "../store/mod.ts";
import { lockedItem, lockPath, outdated, readLock } from "./lock_file.ts";
import { transact } from "./slots.ts";
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

/** Where and how an install happens. */
interface Job {
  readonly env: OpenEnv;
  readonly manifest: Manifest;
  /** As it was found; an empty one where there was none. */
  readonly lock: Lock;
  readonly found: Lock | undefined;
  readonly home: { readonly host: Host; readonly dirs: Dirs };
  readonly input: InstallInput;
  readonly store: Store;
  readonly temp: AbsPath;
  readonly context: SourceContext;
}

/** Mode of a lock that lies in a repository. */
const SHARED_MODE = 0o644;

/**
 * Makes the store hold every plugin and skill of the env, as the lock pins them; what the lock lacks is resolved and added
 * to it. Throws `LOCK_OUTDATED` when frozen, `HASH_MISMATCH` when a source no longer is what was pinned, `SOURCE_*`, `IO`;
 * then nothing has changed.
 */
export async function installEnv(
  env: OpenEnv,
  input: InstallInput,
  { host, dirs }: { host: Host; dirs: Dirs },
): Promise<InstallResult> {
  const manifest = input.manifest?.parsed ?? env.manifest;
  const found = readLock(env);
  const lock = found ?? EMPTY_LOCK;
  if (input.frozen) requireFrozen({ ...env, manifest }, lock);
  checkNames(manifest, input.update);
  // A source that cannot be meant is said before anything is fetched.
  for (const entry of [...manifest.plugins, ...manifest.skills]) {
    parseSource(entry.source);
  }
  using store = openStore(dirs.store);
  // In the store: what a killed process leaves there is swept.
  const temp = await store.tempPath();
  makeDir(temp);
  try {
    const context = sourceContext({
      host,
      manifestDir: env.baseDir,
      temp: makeUnder(temp, "fetch"),
    });
    const job: Job = {
      env,
      manifest,
      lock,
      found,
      home: { host, dirs },
      input,
      store,
      temp,
      context,
    };
    const items = {
      plugins: await installAll(job, "plugins"),
      skills: await installAll(job, "skills"),
    };
    const next = makeLock(manifest, {
      plugins: items.plugins.map(({ locked }) => locked),
      skills: items.skills.map(({ locked }) => locked),
    });
    const written = await writeLock(job, next);
    return {
      lock: lockPath(env),
      items: [...items.plugins, ...items.skills].map(({ item }) => item),
      removed: removedNames(manifest, lock),
      written,
    };
  } finally {
    removeTree(temp);
  }
}

function makeUnder(dir: AbsPath, name: string): AbsPath {
  const path = join(dir, name);
  makeDir(path);
  return path;
}

function requireFrozen(env: OpenEnv, lock: Lock): void {
  const differences = compareLock(env.manifest, lock);
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
  readonly locked: LockedItem;
  readonly item: InstalledItem;
}

async function installAll(job: Job, kind: EntryKind): Promise<Installed[]> {
  const out: Installed[] = [];
  for (const entry of job.manifest[kind]) {
    const row = lockedItem(job.lock, kind, entry.name);
    const moves = job.input.update === "all" ||
      job.input.update.includes(entry.name);
    const holds = row !== undefined && row.source === entry.source &&
      row.subpath === entry.subpath;
    const locked = holds && !moves
      ? await obey(job, kind, row)
      : await resolve(job, kind, entry);
    const same = row?.tree === locked.tree && row.pin === locked.pin && holds;
    const state = row === undefined ? "added" : same ? "kept" : "changed";
    const { name, pin, tree } = locked;
    out.push({ locked, item: { kind, name, pin, tree, state } });
  }
  return out;
}

/** Gets what the lock pins: from the store, else from its source, which must hash to what the lock says. */
async function obey(
  job: Job,
  kind: EntryKind,
  row: LockedItem,
): Promise<LockedItem> {
  const expected = parseTreeHash(row.tree);
  if (await holdTree(job.store, expected)) return row;
  await fetchInto(job, kind, { entry: row, pin: parsePin(row.pin), expected });
  return row;
}

async function resolve(
  job: Job,
  kind: EntryKind,
  entry: Entry,
): Promise<LockedItem> {
  const pin = await resolveSource(parseSource(entry.source), job.context);
  const tree = await fetchInto(job, kind, { entry, pin });
  return { ...entry, pin: formatPin(pin), tree };
}

/** Fetches and puts into the store; returns the tree's hash. */
async function fetchInto(
  job: Job,
  kind: EntryKind,
  { entry, pin, expected }: {
    entry: Entry;
    pin: Resolution;
    expected?: ReturnType<typeof parseTreeHash>;
  },
): Promise<string> {
  const into = makeUnder(job.temp, tempName());
  const content = kind === "plugins" ? "plugin" : "skill";
  const root = await fetchSource(pin, into, {
    kind: content,
    subpath: entry.subpath,
    what: entry.name,
    context: job.context,
  });
  const options = expected === undefined ? {} : { expected };
  const inserted = await insertTree(job.store, root, {
    ...options,
    what: entry.name,
  });
  removeTree(into);
  return inserted.hash;
}

/** Writes the lock, and the manifest where that changes too, in one transaction; refuses when somebody else was faster. */
async function writeLock(
  { env, lock, manifest, input, home, found }: Job,
  next: Lock,
): Promise<boolean> {
  const path = lockPath(env);
  const text = printLock(next);
  const isSame = found !== undefined && printLock(lock) === text &&
    readText(path) === text;
  if (isSame && input.manifest === undefined) return false;
  if (!lockAgrees(manifest, next)) {
    throw new Error("the new lock does not agree with its manifest");
  }
  const about = { kind: input.command, env: env.slotName, note: undefined };
  const mode = env.scope === "project" ? { mode: SHARED_MODE } : {};
  await transact(about, home, (tx) => {
    const before = found === undefined ? undefined : printLock(lock);
    const now = readLock(env);
    const changed = readText(env.manifestPath) !== env.manifestText ||
      (now === undefined ? undefined : printLock(now)) !== before;
    if (changed) throw overtaken(env);
    const files = [{ path, data: text, ...mode }];
    if (input.manifest) {
      files.unshift({
        path: env.manifestReal,
        data: input.manifest.text,
        ...mode,
      });
    }
    tx.putAll(files);
  });
  return true;
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
