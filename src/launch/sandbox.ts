/** The sandbox of a launch, loaded when an env asks for one: most of it is of no use to the others. */
import type { Dirs } from "../base/dirs.ts";
import type { Host } from "../os/host.ts";
import type { PresetHosts, SandboxPolicy } from "../sandbox/mod.ts";
import type { ProbeReport } from "./sandbox_probe.ts";
import type { PlannedPolicy, SandboxRequest } from "./sandbox_policy.ts";
import { QuickDraft, quickPlace } from "./sandbox_quick.ts";
import type { Drafted } from "./types.ts";

/** The policy under which a launch would run. Throws (exit 3) when something that is needed or asked for may not be granted. */
export async function planSandbox(
  request: SandboxRequest,
  host: Host,
  dirs: Dirs,
): Promise<PlannedPolicy> {
  const { planPolicy } = await import("./sandbox_policy.ts");
  return planPolicy(request, host, dirs);
}

/** What the presets of the policy's network stand for. */
export async function findPresetHosts(
  policy: SandboxPolicy,
  host: Host,
): Promise<PresetHosts> {
  const { presetHostsFor } = await import("./sandbox_hosts.ts");
  return await presetHostsFor(policy, host);
}

/** The sandbox of a launch whose env asks for one; undefined for others. Throws (exit 3) when it may not be granted, or not be enforced here. */
export async function draftSandbox(
  request: SandboxRequest,
  host: Host,
  dirs: Dirs,
): Promise<Drafted | undefined> {
  if (!request.env.manifest.sandbox?.enabled) return undefined;
  const place = request.mayRecall ? quickPlace(request, host, dirs) : undefined;
  const anew = async () => {
    const { SandboxDraft } = await import("./sandbox_launch.ts");
    return await SandboxDraft.of(request, { host, dirs, place });
  };
  return (place && QuickDraft.of(place, anew)) ?? await anew();
}

/** What this system enforces of an env's sandbox, tried now. Throws what `probeNow` throws. */
export async function probeSandbox(
  request: SandboxRequest,
  host: Host,
  dirs: Dirs,
): Promise<ProbeReport> {
  const { probeNow } = await import("./sandbox_probe.ts");
  return await probeNow(request, host, dirs);
}
