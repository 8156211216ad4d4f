/** What the presets of `network.allow` stand for in one launch. */
import type { Host } from "../os/host.ts";
import {
  type PackagePreset,
  packagePresets,
  type PresetHosts,
  type SandboxPolicy,
} from "../sandbox/mod.ts";
import { undoOuterLaunch } from "./environment.ts";

/** Variables that put another address in the place of an agent's own API. Codex has settings for it. */
const API_VARIABLES = {
  claude: ["ANTHROPIC_BASE_URL"],
  codex: [],
  none: [],
} as const;

/** Looks up, in the user's own settings, the presets that the policy names and no others. */
export async function presetHostsFor(
  { network, agent, grants }: SandboxPolicy,
  host: Host,
): Promise<PresetHosts> {
  const entries = network.mode === "hosts"
    ? network.allow.map(({ pattern }) => pattern)
    : [];
  const variables = undoOuterLaunch(host.env);
  const writable = grants.filter(({ access }) => access === "write")
    .map(({ path }) => path);
  const packages: Partial<Record<PackagePreset, readonly string[]>> = {};
  for (const preset of packagePresets(entries)) {
    packages[preset] = preset === "@npm"
      ? (await import("../sources/mod.ts")).npmRegistryUrls(host)
      : await (await import("../sandbox/mod.ts")).packageUrls(preset, {
        host,
        writable,
      });
  }
  return {
    agent: agent.name,
    agentUrls: [
      ...API_VARIABLES[agent.name].flatMap((name) => variables[name] || []),
      ...agent.urls ?? [],
    ],
    packages,
  };
}
