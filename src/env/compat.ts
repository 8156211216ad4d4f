/** Whether the installed agent is one that a manifest was made for. */
import { agentVersion, compatProblem, findAgent } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import type { Manifest } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import { readConfig } from "./config.ts";

/** Why Claude Code as it is installed does not fit the manifest, in a few words; undefined when it fits, or when none is installed. Throws `MANIFEST_INVALID`, `CONFIG_INVALID`. */
export async function claudeMismatch(
  manifest: Manifest,
  host: Host,
  dirs: Dirs,
): Promise<string | undefined> {
  const range = manifest.compat.claude;
  if (range === undefined) return undefined;
  try {
    const configured = readConfig(dirs).agents["claude"];
    const program = findAgent("claude", host, { configured, install: "" });
    const version = await agentVersion(program, host, dirs);
    return await compatProblem(version, range);
  } catch (error) {
    const isAbsent = error instanceof AppError &&
      ["AGENT_NOT_FOUND", "AGENT_INCOMPATIBLE"].includes(error.code);
    if (!isAbsent) throw error;
    return undefined;
  }
}
