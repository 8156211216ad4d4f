/** A login that a confined agent can use and not renew. */
import { type AbsPath, join } from "../../base/paths.ts";
import { CREDENTIALS_FILE } from "./login.ts";
import { asRecord, readJsonObject } from "./user_config.ts";

/** For a user whose login lies where a confined agent may not write. */
export const READ_ONLY_LOGIN =
  "the agent uses your login and cannot renew it: when it has expired, start claude once outside (AENV_OVERRIDE=global claude); or move it where agents can, once: aenv migrate-auth";
/** The same once the time has come. */
export const EXPIRED_LOGIN =
  "your login has expired, and the agent cannot renew it: start claude once outside (AENV_OVERRIDE=global claude); or move it where agents can, once: aenv migrate-auth";

/** Whether the login in a directory has to be renewed before it is of use. `now` in milliseconds since the epoch. */
export function hasExpired(loginDir: AbsPath, now: number): boolean {
  const login = readJsonObject(join(loginDir, CREDENTIALS_FILE));
  const until = asRecord(login?.["claudeAiOauth"])["expiresAt"];
  return typeof until === "number" && until < now;
}
