/** Words of the commands that make an env about its sandbox. */
import { escapeControl } from "../base/text.ts";
import type { Host } from "../os/host.ts";
import { noSandbox } from "../sandbox/mod.ts";

/** Lines that say whether the agent of a new env is confined. */
export function confinedLines(
  confined: boolean,
  { option, otherwise, host }: {
    /** The option that names the env; empty where it is the active one. */
    readonly option: string;
    /** What makes one without a sandbox. */
    readonly otherwise: string;
    readonly host: Host;
  },
): string[] {
  if (!confined) return ["Its agent is not confined"];
  const why = noSandbox(host.os);
  if (why === undefined) {
    return [
      `Its agent is confined to the project it works in: aenv sandbox explain${option}`,
    ];
  }
  return [
    `Its agent is to be confined, and will not start here: ${why}`,
    escapeControl(
      `  Write enabled = false under [sandbox], or make it with: ${otherwise}`,
    ),
  ];
}
