/** The env's own state file, so that no first-run dialog stands in the way. */
import { type AbsPath, join } from "../../base/paths.ts";
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { lstat, makeDir, removeTree, writeAtomic } from "../../os/fs.ts";
import { sleep } from "../../os/process.ts";
import { asRecord, readJsonObject } from "./user_config.ts";

/** Name of the state file in a config directory. */
export const STATE_FILE = ".claude.json";

/** The agent's lock on its state file is a directory beside it, given up after this time (proper-lockfile). Milliseconds. */
const STALE_LOCK = 10_000;
const WAIT = 50;

/** Marks onboarding as done, and `trust` as trusted, in the state file of `configDir`. Writes only when something is missing. */
export async function prepareFirstRun(
  configDir: AbsPath,
  trust: AbsPath | undefined,
): Promise<void> {
  const file = join(configDir, STATE_FILE);
  if (merged(file, trust) === undefined) return;
  await withAgentLock(join(configDir, STATE_FILE + ".lock"), () => {
    // Read again: another session may have written it while we waited.
    const state = merged(file, trust);
    if (state !== undefined) {
      writeAtomic(file, JSON.stringify(state, undefined, 2));
    }
  });
}

/** The state with what is missing; undefined when nothing is. */
function merged(
  file: AbsPath,
  trust: AbsPath | undefined,
): Record<string, unknown> | undefined {
  if (lstat(file) !== undefined && readJsonObject(file) === undefined) {
    throw new AppError(
      "ENV_BROKEN",
      `Cannot read ${quote(file)}: it is no JSON object`,
      {
        hint: `Move it away: mv ${file} ${file}.broken`,
      },
    );
  }
  const state = readJsonObject(file) ?? {};
  const projects = asRecord(state["projects"]);
  const known = trust === undefined ||
    asRecord(projects[trust])["hasTrustDialogAccepted"] === true;
  if (state["hasCompletedOnboarding"] === true && known) return undefined;
  const project = trust === undefined ? {} : {
    [trust]: { ...asRecord(projects[trust]), hasTrustDialogAccepted: true },
  };
  return {
    ...state,
    hasCompletedOnboarding: true,
    projects: { ...projects, ...project },
  };
}

async function withAgentLock(lock: AbsPath, work: () => void): Promise<void> {
  for (let waited = 0; !makeDir(lock, { mayExist: true }); waited += WAIT) {
    if (waited > STALE_LOCK) removeTree(lock);
    else await sleep(WAIT);
  }
  try {
    work();
  } finally {
    removeTree(lock);
  }
}
