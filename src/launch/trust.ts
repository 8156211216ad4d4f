/** Trusting a project: looking at it, saying yes, taking it back, listing. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  auditEvent,
  hostDirs,
  type OpenEnv,
  openEnv,
  refFromOption,
  resolveEnv,
  transact,
} from "../env/mod.ts";
import type { Lock } from "../manifest/mod.ts";
import { ensureDir, lstat, realPath } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  decide,
  type Difference,
  differences,
  type Item,
  listRecords,
  readRecord,
  readShown,
  recordOf,
  recordPaths,
  recordPuts,
  type Shown,
  type TreeHashes,
  type TrustRecord,
  type Verdict,
  writeMarks,
} from "../trust/mod.ts";
import { planContents } from "./contents.ts";
import { hashesOf, LaunchTrust, marksOf, treeTitle } from "./trust_check.ts";
import { identityOf, needsTrust } from "./trust_needed.ts";
import {
  readTree,
  scanTree,
  type TreeContent,
  treeFingerprint,
} from "./tree.ts";
import { type ReadTree, statementOf } from "./trust_statement.ts";

/** A project's manifest as it is now, and whether it is trusted. */
export interface TrustView {
  /** The env's label. */
  readonly env: string;
  readonly manifest: AbsPath;
  /** `unneeded`: a named env, or a manifest that runs and allows nothing. */
  readonly state: Verdict["state"] | "unneeded";
  readonly items: readonly Item[];
  /** What differs from what was trusted; empty unless `changed`. */
  readonly differences: readonly Difference[];
  /** What {@link grantTrust} writes: hashes of the very bytes that the items were read from. */
  readonly record: TrustRecord;
  readonly shown: Shown;
  /** Content hashes by stat mark, so that the first launch need not read everything again. */
  readonly marks: TreeHashes;
}

/** Where trust is looked for. */
interface Place {
  readonly host: Host;
  readonly dirs: Dirs;
}

/** How to look. */
export interface ViewOptions {
  /** The lock that counts; the one on the disk unless given. */
  readonly lock?: Lock;
  /** What was read before, by stat mark: not read again. */
  readonly known?: Map<string, TreeContent>;
}

/**
 * Reads everything that trust is about; what has yet to be installed is left out. Throws what planning a launch throws about
 * plugins and skills.
 */
export function viewTrust(
  env: OpenEnv,
  { host, dirs }: Place,
  options: ViewOptions = {},
): TrustView {
  const identity = identityOf(env);
  const all = { ...options, mayLack: true };
  const { trees, files, hashes } = readTrees(env, { host, dirs }, all);
  const shown = {
    text: identity.text,
    items: statementOf(env, trees),
    files,
  };
  checkUnchanged(trees, env);
  const verdict = decide(
    readRecord(dirs, env.manifestPath),
    identity,
    hashes,
  );
  const before = verdict.state === "changed"
    ? readShown(dirs, env.manifestPath)
    : undefined;
  return {
    env: env.label,
    manifest: env.manifestPath,
    state: needsTrust(env) ? verdict.state : "unneeded",
    items: shown.items,
    differences: before === undefined ? [] : differences(before, shown),
    record: recordOf(identity, hashes),
    shown,
    marks: marksOf(trees.map(({ step }) => step)),
  };
}

/** Writes down that the user said yes to what `view` shows. */
export async function grantTrust(
  view: TrustView,
  { host, dirs }: Place,
): Promise<void> {
  const about = { kind: "trust", env: view.env };
  await transact(about, { host, dirs }, (tx) => {
    ensureDir(dirs.trust);
    tx.putAll(recordPuts(dirs, view.record, view.shown));
    writeMarks(dirs, view.manifest, view.marks);
  });
  await auditTrust(view, dirs);
}

/** Writes down that what `view` shows is trusted from now on. */
export async function auditTrust(
  { env, manifest, record }: TrustView,
  dirs: Dirs,
): Promise<void> {
  const hash = record.manifestHash;
  const event = { event: "trust-given", manifest, hash } as const;
  await auditEvent(event, { dirs, env });
}

/** Takes back the trust of the active manifest, or of the one that `option` names; it may be gone or broken. Returns its path and whether it was trusted. */
export async function revokeTrust(
  option: string | undefined,
  host: Host,
): Promise<{ manifest: AbsPath; revoked: boolean }> {
  const dirs = hostDirs(host);
  const ref = option === undefined
    ? resolveEnv(host, dirs).ref
    : refFromOption(option, host, dirs);
  if (ref.kind !== "project") {
    throw new AppError(
      "USAGE",
      `Cannot revoke the trust of ${
        quote(ref.kind === "global" ? "global" : ref.name)
      }: only a project's manifest is trusted`,
      { hint: "See what is: aenv trust --list" },
    );
  }
  const dir = parent(ref.manifest);
  const manifest = join(realPath(dir) ?? dir, basename(ref.manifest));
  const about = { kind: "trust", env: null, note: `revoke ${manifest}` };
  const revoked = await transact(about, { host, dirs }, (tx) => {
    const [record, shown] = recordPaths(dirs, manifest);
    if (lstat(record) === undefined) return false;
    tx.putAll([{ path: record, remove: true }, { path: shown, remove: true }]);
    writeMarks(dirs, manifest, undefined);
    return true;
  });
  if (revoked) {
    await auditEvent({ event: "trust-withdrawn", manifest }, { dirs });
  }
  return { manifest, revoked };
}

/** One record and what has become of it. */
export interface TrustRow {
  readonly manifest: AbsPath;
  readonly state: "trusted" | "changed" | "gone";
  /** Why it cannot be looked at; undefined when it can. */
  readonly problem: string | undefined;
}

/** Every manifest that was trusted. */
export function listTrust(host: Host): TrustRow[] {
  const dirs = hostDirs(host);
  return listRecords(dirs).map((record) => {
    if (lstat(record.manifest) === undefined) {
      return { manifest: record.manifest, state: "gone", problem: undefined };
    }
    return rowOf(record, { host, dirs });
  });
}

function rowOf({ manifest }: TrustRecord, place: Place): TrustRow {
  try {
    const ref = { kind: "project", manifest } as const;
    const env = openEnv(ref, place.host, place.dirs) as OpenEnv;
    const { hashes } = readTrees(env, place, {});
    const record = readRecord(place.dirs, manifest);
    const { state } = decide(record, identityOf(env), hashes);
    return {
      manifest,
      state: state === "trusted" ? "trusted" : "changed",
      problem: undefined,
    };
  } catch (error) {
    // What cannot be read is not what was trusted.
    if (!(error instanceof AppError)) throw error;
    return { manifest, state: "changed", problem: error.message };
  }
}

/** Throws `TRUST_NEEDED` when the env is a project's and not trusted as it is: for what copies its manifest somewhere else. */
export function requireTrust(env: OpenEnv, { host, dirs }: Place): void {
  const trust = LaunchTrust.of(env, { host, dirs, action: "copy" });
  if (trust === undefined) return;
  const { installs } = planContents(env, { home: host.home(), dirs }, {
    hashOf: (tree) => trust.hashOf(tree),
  });
  trust.checkTrees(installs);
}

interface Trees {
  readonly trees: readonly ReadTree[];
  readonly files: Shown["files"];
  readonly hashes: TrustRecord["trees"];
}

/** What is shown is read after what is hashed: between the two looks nothing may have been touched. */
function checkUnchanged(trees: readonly ReadTree[], env: OpenEnv): void {
  const changed = trees.find(({ step }) =>
    treeFingerprint(step.name, scanTree(step.source)) !== step.content?.mark
  );
  if (changed === undefined) return;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot show what ${quote(env.manifestPath)} would run: ${
      treeTitle(changed.step)
    } changed while it was read`,
    { hint: "Look again: aenv trust --show" },
  );
}

/** Reads the trees of plugins and skills. */
function readTrees(
  env: OpenEnv,
  { host, dirs }: Place,
  { known, ...rest }: ViewOptions & { readonly mayLack?: boolean },
): Trees {
  const contents = new Map<string, TreeContent["files"]>();
  const { installs } = planContents(env, { home: host.home(), dirs }, {
    ...rest,
    hashOf: (tree) => {
      const content = known?.get(tree.mark) ??
        readTree(tree.source, tree.entries);
      known?.set(tree.mark, content);
      contents.set(treeTitle(tree), content.files);
      return content.hash;
    },
  });
  const trees = installs.map((step) => ({
    step,
    entries: scanTree(step.source),
  }));
  return {
    trees,
    files: Object.fromEntries(contents),
    hashes: hashesOf(env, installs),
  };
}
