/**
 * `migrate-auth`: the login moves into a directory that holds nothing else, so that a confined agent can be given it. One
 * file, moved and never copied to stay: of two copies of a refresh token one is dead after the first refresh.
 */
import { claude } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import { listWords, quote } from "../base/text.ts";
import {
  ensureDir,
  isDirectory,
  lstat,
  readDir,
  removeEmptyDir,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { processStart } from "../os/process.ts";
import { processesCalled } from "../os/processes.ts";
import { moveCredentials } from "./login_file.ts";
import {
  forgetLoginRecord,
  type LoginRecord,
  readLoginRecord,
  writeLoginRecord,
} from "./login_record.ts";
import {
  isSettingsReady,
  restoreSettings,
  writeSettings,
} from "./login_settings.ts";
import { liveRuns } from "./runs.ts";
import { transact } from "./slots.ts";
import { userPlaces } from "./user_places.ts";

/** Where the login is and could be. */
export interface LoginPlaces {
  /** The file in the user's own configuration, and in our home. */
  readonly own: AbsPath;
  readonly shared: AbsPath;
  /** The agent's settings, which tell a `claude` that is not started by us where the login is. */
  readonly settings: AbsPath;
  readonly state: "own" | "shared" | "both" | "none";
  /** Whether the settings name the shared one. */
  readonly isNamed: boolean;
  readonly record: LoginRecord | undefined;
}

interface Home {
  readonly host: Host;
  readonly dirs: Dirs;
}

/** Looks; changes nothing. Throws `LOGIN_INVALID` where a variable of the user's names another place. */
export function findLogin({ host, dirs }: Home): LoginPlaces {
  const record = readLoginRecord(dirs);
  const user = userPlaces(host, dirs);
  const isElsewhere = user.loginDir !== user.dir &&
    user.loginDir !== dirs.login;
  if (isElsewhere) {
    throw new AppError(
      "LOGIN_INVALID",
      `Cannot move the login: ${claude.LOGIN_VARIABLE} says that it is in ${
        quote(user.loginDir)
      }`,
      { hint: `Unset it first: unset ${claude.LOGIN_VARIABLE}` },
    );
  }
  const own = record?.from ?? join(user.dir, claude.CREDENTIALS_FILE);
  const shared = join(dirs.login, claude.CREDENTIALS_FILE);
  const [hasOwn, hasShared] = [own, shared].map((path) =>
    lstat(path) !== undefined
  );
  const settings = join(parent(own), "settings.json");
  return {
    own,
    shared,
    settings,
    state: hasOwn && hasShared
      ? "both"
      : hasOwn
      ? "own"
      : hasShared
      ? "shared"
      : "none",
    isNamed: isSettingsReady(settings, dirs.login),
    record,
  };
}

/**
 * Moves the login into our home; with `writesSettings` the agent's settings name the place. Does what is left to do where an
 * earlier move was stopped. Throws `LOGIN_NOT_FOUND`, `LOGIN_INVALID`, `ENV_BUSY` while an agent runs, `LOCK_TIMEOUT`, `IO`.
 */
export async function shareLogin(
  { writesSettings }: { readonly writesSettings: boolean },
  home: Home,
): Promise<LoginPlaces> {
  return await exclusively(home, (places) => {
    const { dirs } = home;
    if (places.state === "none") throw notFound(places.own);
    let record: LoginRecord = places.record ??
      { version: 1, from: places.own, copied: null, settings: null };
    const write = (change: Partial<LoginRecord>) => {
      record = { ...record, ...change };
      writeLoginRecord(dirs, record);
    };
    write({});
    ensureDir(dirs.login);
    moveCredentials({
      from: places.own,
      to: places.shared,
      copied: record.copied,
      journal: (copied) => write({ copied }),
    });
    if (writesSettings && !places.isNamed) {
      writeSettings(
        places.settings,
        dirs.login,
        (settings) => write({ settings }),
      );
    }
  });
}

/** Takes a move back, as far as there was one. Throws what {@link shareLogin} throws. */
export async function unshareLogin(home: Home): Promise<LoginPlaces> {
  const { dirs } = home;
  return await exclusively(home, ({ record, shared, own, settings }) => {
    if (record === undefined && !isDirectory(dirs.login)) throw notMoved();
    if (lstat(shared) !== undefined) {
      moveCredentials({
        from: shared,
        to: own,
        copied: record?.copied ?? null,
        journal: (copied) =>
          record && writeLoginRecord(dirs, { ...record, copied }),
      });
    }
    restoreSettings(settings, dirs.login, record?.settings ?? null);
  }, () => {
    for (const dir of [dirs.login, parent(dirs.login)]) {
      if (isDirectory(dir)) removeEmptyDir(dir);
    }
    forgetLoginRecord(dirs);
  });
}

/**
 * Runs `work` while nobody else changes the home or renews the login, and `after` when the agent's locks are gone; returns how
 * things are then.
 */
async function exclusively(
  home: Home,
  work: (places: LoginPlaces) => void,
  after?: () => void,
): Promise<LoginPlaces> {
  const about = { kind: "migrate-auth", env: null };
  return await transact(about, home, async () => {
    const { own } = findLogin(home);
    requireNobody(parent(own), home);
    const dirs = [parent(own), home.dirs.login].filter(isDirectory);
    await claude.withAgentLocks(dirs.flatMap(claude.loginLocks), () => {
      // Again: one may have started, or renewed it, while we waited.
      requireNobody(parent(own), home);
      work(findLogin(home));
    });
    after?.();
    return findLogin(home);
  });
}

/** A running agent would write the login to where it was when it started. */
function requireNobody(configDir: AbsPath, { host, dirs }: Home): void {
  const ours = liveRuns(dirs).map(({ pid, label }) =>
    [pid, `process ${pid} in ${quote(label)}`] as const
  );
  // One that has just started has written down nothing yet.
  const others = [...sessionsIn(configDir), ...agentsOf(host)].map((pid) =>
    [pid, `process ${pid}`] as const
  );
  const all = new Map([...others, ...ours]);
  if (all.size === 0) return;
  throw new AppError(
    "ENV_BUSY",
    `Cannot move the login: an agent runs that uses it (${
      listWords([...all.values()])
    })`,
    { hint: "Quit it first" },
  );
}

function agentsOf(host: Host): number[] {
  return processesCalled("claude").filter(({ env }) =>
    env["HOME"] === host.env["HOME"]
  ).map(({ pid }) => pid);
}

/** Processes of the agent that were started without an env: it writes down each of its own. */
function sessionsIn(configDir: AbsPath): number[] {
  const sessions = join(configDir, "sessions");
  return (readDir(sessions) ?? []).flatMap(({ name }) => {
    const pid = Number(/^(\d+)\.json$/.exec(name)?.[1]);
    if (!pid) return [];
    const start = processStart(pid);
    if (start === undefined) return [];
    const noted = claude.readJsonObject(join(sessions, name))?.["procStart"];
    const isOther = /^\d+$/.test(start) && typeof noted === "string" &&
      noted !== start;
    return isOther ? [] : [pid];
  });
}

function notMoved(): AppError {
  return new AppError(
    "LOGIN_NOT_FOUND",
    "Cannot take the move back: the login was not moved",
  );
}

function notFound(path: AbsPath): AppError {
  return new AppError(
    "LOGIN_NOT_FOUND",
    `Cannot move the login: ${quote(path)} does not exist`,
    { hint: "Log in first: claude auth login" },
  );
}
