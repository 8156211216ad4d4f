/** Whether an env has to be trusted, and is, by its manifest alone: no plugin is read. */
import type { Dirs } from "../base/dirs.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { Manifest } from "../manifest/mod.ts";
import { decide, type ManifestIdentity, readRecord } from "../trust/mod.ts";

/** What the trust of a project's manifest is bound to. */
export function identityOf(env: OpenEnv): ManifestIdentity {
  return {
    manifest: env.manifestPath,
    real: env.manifestReal,
    text: env.manifestText,
  };
}

/**
 * Whether this env's manifest has to be trusted before anything of it counts. Named envs were made by their user; one that was
 * imported would have to be trusted too, and this is the place to say so.
 */
export function needsTrust(env: OpenEnv): boolean {
  return env.scope === "project" && asksForTrust(env.manifest);
}

/** Whether a manifest runs, loads or allows anything: all but `[env]`, and a sandbox that only tightens. */
export function asksForTrust(manifest: Manifest): boolean {
  const { sandbox, secrets } = manifest;
  const tables = [
    manifest.vars,
    manifest.mcp,
    secrets.tools,
    secrets.commands,
  ];
  return manifest.preActivate !== undefined ||
    manifest.plugins.length > 0 || manifest.skills.length > 0 ||
    tables.some((table) => Object.keys(table).length > 0) ||
    secrets.expose !== undefined || secrets.command !== undefined ||
    (sandbox !== undefined && widens(sandbox));
}

function widens(sandbox: NonNullable<Manifest["sandbox"]>): boolean {
  const { paths, envHost, pathDirs, cacheDirs, unixSockets } = sandbox;
  return !sandbox.enabled || sandbox.network.mode === "hosts" ||
    [paths, envHost, pathDirs, cacheDirs, unixSockets].some((list) =>
      list.length > 0
    );
}

/** What nothing but the manifest tells about the trust of an env. */
export function manifestTrust(
  env: OpenEnv,
  dirs: Dirs,
): "unneeded" | "kept" | "needed" {
  if (!needsTrust(env)) return "unneeded";
  const record = readRecord(dirs, env.manifestPath);
  const { state } = decide(record, identityOf(env));
  return state === "trusted" ? "kept" : "needed";
}
