/** `aenv install` where there is nothing to do. */
import { activeEnv, requireNamed } from "../env/mod.ts";
import { type SettledCache, settledTyped } from "../launch/mod.ts";
import type { Host } from "../os/host.ts";
import type { Outcome } from "./command.ts";
import { installReport } from "./install_report.ts";

/** What the install of the active env, or of the one that `-E` names, comes to; undefined when it has something to do. `cache` is told. */
export function settledOutcome(
  name: string | undefined,
  host: Host,
  cache?: SettledCache,
): Outcome | undefined {
  const { env, dirs } = activeEnv(host, name);
  const opened = requireNamed(env, "install");
  const settled = settledTyped(opened, dirs);
  if (settled === undefined) return undefined;
  const report = installReport(settled, opened, host);
  cache?.keep(opened, settled.items.map(({ tree }) => tree), report.text());
  return report;
}
