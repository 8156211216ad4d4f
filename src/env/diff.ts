/** `diff`: manifest against lock, and lock against disk. */
import type { AbsPath } from "../base/paths.ts";
import {
  compareLock,
  EMPTY_LOCK,
  type EntryKind,
  type Lock,
  type LockDifference,
  makeLock,
  type Manifest,
  showHash,
} from "../manifest/mod.ts";
import { type Difference, openStore } from "../store/mod.ts";
import { below, readDisk } from "./disk_state.ts";
import { lockPath, readLock } from "./lock_file.ts";
import type { OpenEnv } from "./types.ts";
import type { Dirs } from "../base/dirs.ts";

/** One thing that the manifest declares otherwise than the lock has it. */
export interface DeclaredDifference {
  readonly kind: "plugin" | "skill" | "mcp" | "sandbox";
  /** Null for the sandbox. */
  readonly name: string | null;
  /** What the manifest did since the lock was written. */
  readonly change: "added" | "changed" | "removed";
  /** What differs: `source`, `subpath`, or `hash` of a declaration. */
  readonly values: readonly ChangedValue[];
}

/** A value in the lock and in the manifest; null where there is none. */
export interface ChangedValue {
  readonly key: "source" | "subpath" | "hash";
  readonly locked: string | null;
  readonly declared: string | null;
}

/** A plugin or skill that is not on the disk as the lock has it. */
export interface DiskDifference {
  readonly kind: "plugin" | "skill";
  readonly name: string;
  readonly state: "right" | "missing" | "changed";
  /** Whether the store has what is pinned. */
  readonly stored: boolean;
  readonly files: readonly Difference[];
}

/** All of it. */
export interface EnvDiff {
  readonly lock: AbsPath;
  readonly hasLock: boolean;
  /** Whether nothing differs. */
  readonly agrees: boolean;
  readonly declared: readonly DeclaredDifference[];
  readonly disk: readonly DiskDifference[];
  /** What is wrong beside plugins and skills, or not in the lock; by path in the slot. */
  readonly beside: readonly Difference[];
}

/** Compares. Changes nothing. Throws `LOCK_INVALID`, `STORE_CORRUPT`, `IO`. */
export async function diffEnv(env: OpenEnv, dirs: Dirs): Promise<EnvDiff> {
  const found = readLock(env);
  const lock = found ?? EMPTY_LOCK;
  const declared = compareLock(env.manifest, lock).map((difference) =>
    declaredDifference(difference, env.manifest, lock)
  );
  using store = openStore(dirs.store);
  const state = await readDisk(env, lock, store);
  const disk = state.items.map((one) => ({
    kind: one.item.kind,
    name: one.item.name,
    state: one.state,
    stored: one.isStored,
    files: one.differences,
  })).filter((one) => one.state !== "right" || !one.stored);
  // Without a lock, launches place copies here that are theirs alone.
  const extra = found === undefined ? [] : state.extra;
  const beside = [
    ...state.around,
    ...extra.map((path) => ({
      path: below(env, path),
      change: "added" as const,
    })),
  ];
  return {
    lock: lockPath(env),
    hasLock: found !== undefined,
    agrees: declared.length + disk.length + beside.length === 0,
    declared,
    disk,
    beside,
  };
}

const KINDS: Readonly<Record<EntryKind, "plugin" | "skill">> = {
  plugins: "plugin",
  skills: "skill",
};

function declaredDifference(
  difference: LockDifference,
  manifest: Manifest,
  lock: Lock,
): DeclaredDifference {
  const { kind, change } = difference;
  if (kind === "mcp" || kind === "sandbox") {
    const name = kind === "mcp" ? difference.name : null;
    const now = makeLock(manifest, lock);
    const values = [{
      key: "hash" as const,
      locked: hashIn(lock, name),
      declared: hashIn(now, name),
    }];
    return { kind, name, change, values };
  }
  const entry = change === "removed" ? undefined : difference.entry;
  const locked = change === "added" ? undefined : difference.locked;
  const values = (["source", "subpath"] as const).map((key) => ({
    key,
    locked: locked?.[key] ?? null,
    declared: entry?.[key] ?? null,
  })).filter((value) => value.locked !== value.declared);
  const name = (entry ?? locked)!.name;
  return { kind: KINDS[kind], name, change, values };
}

/** The hash of a server's declaration, or with null of the policy. */
function hashIn(lock: Lock, name: string | null): string | null {
  const hash = name === null
    ? lock.sandbox
    : Object.hasOwn(lock.mcp, name)
    ? lock.mcp[name]
    : undefined;
  return hash === undefined ? null : showHash(hash);
}
