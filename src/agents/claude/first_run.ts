/** The env's own state file, so that no first-run dialog stands in the way. */
import { type AbsPath, join } from "../../base/paths.ts";
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { readForeignText } from "../../os/foreign_file.ts";
import { lstat, writeAtomic } from "../../os/fs.ts";
import { withAgentLocks } from "./agent_lock.ts";
import {
  answerFor,
  asList,
  asRecord,
  parseJsonObject,
  readJsonObject,
} from "./user_config.ts";

/** Name of the state file in a config directory. */
export const STATE_FILE = ".claude.json";

/** When the agent's lock on its state file, beside it, has a dead holder. Milliseconds. */
const STALE = 10_000;
/** Largest state file, bytes. */
const MAX_STATE = 64 * 1024 * 1024;

/** What a launch wants to be trusted. */
export interface TrustWish {
  /** The directory to trust; undefined leaves the question to the agent. */
  readonly dir: AbsPath | undefined;
  /** Our list of the directories that we, not the user, marked as trusted. */
  readonly record: AbsPath;
}

/** What the agent would ask at its first start. */
export interface FirstRun {
  /** Undefined for a launch of something else than the agent: no mark changes. */
  readonly trust: TrustWish | undefined;
  /** The end of an API key that the user has approved elsewhere; see `approvedApiKey`. */
  readonly apiKey: string | undefined;
  /** Whether a confined agent may write there: what its state file leads to is not read, since the agent would get it. */
  readonly confined: boolean;
}

/**
 * Marks onboarding as done, `trust.dir` as trusted and the API key as approved in the state file of `configDir`. Where the question is left to the
 * agent, our earlier marks are taken back: they were set when those directories held nothing that asks for trust, and the
 * agent counts them for all that comes later and below. Writes only what differs.
 */
export async function prepareFirstRun(
  configDir: AbsPath,
  firstRun: FirstRun,
): Promise<void> {
  const { trust } = firstRun;
  const file = join(configDir, STATE_FILE);
  if (isPrepared(readState(file, firstRun), firstRun)) return;
  const lock = { path: join(configDir, STATE_FILE + ".lock"), stale: STALE };
  await withAgentLocks([lock], () => {
    // Read again: another session may have written it while we waited.
    const found = readState(file, firstRun);
    if (isPrepared(found, firstRun)) return;
    const state = withApiKey(found, firstRun.apiKey);
    const marks = trust === undefined ? [] : readMarks(trust.record);
    if (trust?.dir === undefined) {
      writeState(file, state, { dirs: marks, trusted: false });
      if (trust && marks.length > 0) writeMarks(trust.record, []);
      return;
    }
    const dirs = isTrusted(state, trust.dir) ? [] : [trust.dir];
    // Before the state: a mark that is not on the list would count as the user's own yes.
    writeMarks(trust.record, [...new Set([...marks, ...dirs])]);
    writeState(file, state, { dirs, trusted: true });
  });
}

type JsonObject = Readonly<Record<string, unknown>>;

function isPrepared(
  state: JsonObject,
  { trust, apiKey }: FirstRun,
): boolean {
  if (state["hasCompletedOnboarding"] !== true) return false;
  if (withApiKey(state, apiKey) !== state) return false;
  if (trust === undefined) return true;
  return trust.dir === undefined
    ? readMarks(trust.record).length === 0
    : isTrusted(state, trust.dir);
}

/** The state with the key approved; the very state where the question has been answered, either way. */
function withApiKey(state: JsonObject, apiKey: string | undefined): JsonObject {
  if (apiKey === undefined || answerFor(apiKey, state) !== undefined) {
    return state;
  }
  const answers = asRecord(state["customApiKeyResponses"]);
  const approved = [...asList(answers["approved"]), apiKey];
  return { ...state, customApiKeyResponses: { ...answers, approved } };
}

function isTrusted(state: JsonObject, dir: string): boolean {
  const project = asRecord(asRecord(state["projects"])[dir]);
  return project["hasTrustDialogAccepted"] === true;
}

function writeState(
  file: AbsPath,
  state: JsonObject,
  { dirs, trusted }: { dirs: readonly string[]; trusted: boolean },
): void {
  const projects = { ...asRecord(state["projects"]) };
  for (const dir of dirs) {
    const project = asRecord(projects[dir]);
    projects[dir] = { ...project, hasTrustDialogAccepted: trusted };
  }
  const next = { ...state, hasCompletedOnboarding: true, projects };
  writeAtomic(file, JSON.stringify(next, undefined, 2));
}

function readMarks(record: AbsPath): readonly string[] {
  return Object.keys(asRecord(readObject(record)["trusted"]));
}

function writeMarks(record: AbsPath, dirs: readonly string[]): void {
  const trusted = Object.fromEntries(dirs.map((dir) => [dir, true]));
  writeAtomic(record, JSON.stringify({ trusted }) + "\n");
}

/** The agent's state; a missing file is empty. */
function readState(file: AbsPath, { confined }: FirstRun): JsonObject {
  if (!confined) return readObject(file);
  const kind = lstat(file)?.kind;
  if (kind !== undefined && kind !== "file") {
    throw broken(file, "it is no regular file");
  }
  const text = readForeignText(file, { maxBytes: MAX_STATE });
  const value = text === undefined ? {} : parseJsonObject(text);
  if (value === undefined) throw broken(file, "it is no JSON object");
  return value;
}

/** A JSON object from a file; a missing file is empty. */
function readObject(file: AbsPath): JsonObject {
  const value = readJsonObject(file);
  if (value !== undefined || lstat(file) === undefined) return value ?? {};
  throw broken(file, "it is no JSON object");
}

function broken(file: AbsPath, state: string): AppError {
  return new AppError("ENV_BROKEN", `Cannot read ${quote(file)}: ${state}`, {
    hint: `Move it away: mv ${file} ${file}.broken`,
  });
}
