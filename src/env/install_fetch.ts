/** Getting trees into the store: what a lock pins, or what a source means now. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import type { Entry, EntryKind, LockedItem } from "../manifest/mod.ts";
import { makeDir, removeTree, tempName } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  fetchSource,
  formatPin,
  inTurn,
  parsePin,
  parseSource,
  requirePluginName,
  type Resolution,
  resolveSource,
  type SourceContext,
  sourceContext,
} from "../sources/mod.ts";
import {
  holdTree,
  insertTree,
  parseTreeHash,
  type Store,
} from "../store/mod.ts";
import type { OpenEnv } from "./types.ts";

/** How the network is used: what shows progress, and what stops it. */
export type NetworkUse = Pick<SourceContext, "signal" | "progress">;

/** Where and how sources are asked. */
export interface InstallPlace {
  readonly host: Host;
  readonly dirs: Dirs;
  /** Whether the user trusts the project's own settings of npm; see `SourceContext`. */
  readonly trusted: boolean;
  /** Runs what uses the network, and nothing else: it may be stopped at any point of it. */
  online<T>(work: (use: NetworkUse) => Promise<T>): Promise<T>;
}

/** Sources and the store, while they are used. */
export interface Supply {
  readonly store: Store;
  readonly context: SourceContext;
  /** For trees on their way to the store. */
  readonly temp: AbsPath;
}

/** Runs `work` with sources that it may ask; what they download is gone afterwards. Throws what `work` throws, and `INTERRUPTED`. */
export async function withSupply<T>(
  env: OpenEnv,
  { place, store }: { place: InstallPlace; store: Store },
  work: (supply: Supply) => Promise<T>,
): Promise<T> {
  // In the store: what a killed process leaves there is swept.
  const temp = await store.tempPath();
  makeDir(temp);
  try {
    return await place.online(async (use) => {
      const context = sourceContext({
        host: place.host,
        manifestDir: env.baseDir,
        temp: makeUnder(temp, "fetch"),
        trusted: place.trusted,
        ...use,
      });
      return await work({ store, context, temp });
    });
  } finally {
    removeTree(temp);
  }
}

/** The same supply for one of several items: its steps say which. */
export function supplyFor(
  supply: Supply,
  name: string,
  { index, count }: { readonly index: number; readonly count: number },
): Supply {
  const { progress, signal } = supply.context;
  signal?.throwIfAborted();
  const label = count > 1 ? `${name} (${index + 1}/${count})` : name;
  let step = label;
  progress({ type: "step", text: label });
  const own: typeof progress = (event) => {
    if (event.type === "step") step = `${label}: ${event.text}`;
    // Others take their steps meanwhile.
    if (event.type === "bytes") progress({ ...event, step });
    else progress(event.type === "step" ? { ...event, text: step } : event);
  };
  return { ...supply, context: { ...supply.context, progress: own } };
}

/** Makes the store have what a row pins; returns whether it had to be fetched. Throws `HASH_MISMATCH`, `SOURCE_*`, `IO`. */
export async function obeyRow(
  supply: Supply,
  kind: EntryKind,
  row: LockedItem,
): Promise<boolean> {
  const expected = parseTreeHash(row.tree);
  // Of two rows for one tree the second finds what the first has fetched.
  return await inTurn(supply.context, `tree ${expected}`, async () => {
    if (await holdTree(supply.store, expected)) return false;
    const pin = parsePin(row.pin);
    await fetchTree(supply, kind, { entry: row, pin, expected });
    return true;
  });
}

/** Pins an entry to what its source means now. Throws `SOURCE_*`, `CONTENT_INVALID`, `IO`. */
export async function pinEntry(
  supply: Supply,
  kind: EntryKind,
  entry: Entry,
): Promise<LockedItem> {
  const pin = await resolveSource(parseSource(entry.source), supply.context);
  const tree = await fetchTree(supply, kind, { entry, pin });
  return { ...entry, pin: formatPin(pin), tree };
}

/** Fetches and puts into the store; returns the tree's hash. */
async function fetchTree(
  { store, context, temp }: Supply,
  kind: EntryKind,
  { entry, pin, expected }: {
    readonly entry: Entry;
    readonly pin: Resolution;
    readonly expected?: ReturnType<typeof parseTreeHash>;
  },
): Promise<string> {
  const into = makeUnder(temp, tempName());
  const root = await fetchSource(pin, into, {
    kind: kind === "plugins" ? "plugin" : "skill",
    subpath: entry.subpath,
    what: entry.name,
    context,
  });
  if (kind === "plugins") requirePluginName(root, entry.name);
  const options = expected === undefined ? {} : { expected };
  const inserted = await inTurn(
    context,
    "insert",
    () => insertTree(store, root, { ...options, what: entry.name }),
  );
  removeTree(into);
  return inserted.hash;
}

function makeUnder(dir: AbsPath, name: string): AbsPath {
  const path = join(dir, name);
  makeDir(path);
  return path;
}
