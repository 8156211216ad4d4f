/** What `install` and its kin say. */
import { tilde } from "../base/paths.ts";
import { escapeControl } from "../base/text.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { TypedResult } from "../launch/mod.ts";
import type { Host } from "../os/host.ts";
import { differenceLines } from "../trust/mod.ts";
import type { Outcome } from "./command.ts";

/** Says what an install did. */
export function installReport(
  result: TypedResult,
  env: OpenEnv,
  host: Host,
): Outcome {
  const rows = result.items.map(({ kind, name, pin, state }) =>
    `${MARKS[state]} ${kind.slice(0, -1)} ${name}  ${pin}`
  );
  const removed = result.removed.map((name) => `- ${name}`);
  const path = tilde(result.lock, host.env["HOME"] ?? "");
  const last = result.written ? `wrote ${path}` : `${path} is up to date`;
  const lines = [...rows, ...removed, last, ...trustLines(result, env, host)];
  return { data: result, text: () => lines.join("\n") };
}

const MARKS = { kept: " ", added: "+", changed: "~" } as const;

/** What changes in what the env runs, and whether the user has to be asked about it. */
function trustLines(
  { trust, differences }: TypedResult,
  env: OpenEnv,
  host: Host,
): string[] {
  const manifest = escapeControl(
    tilde(env.manifestPath, host.env["HOME"] ?? ""),
  );
  const changes = differences.length === 0 ? [] : [
    "",
    `changed in what ${manifest} runs and allows:`,
    ...differenceLines(differences),
  ];
  const last = trust === "extended"
    ? ["", "trusted, with this change"]
    : trust === "needed"
    ? ["", "not trusted as it is now; look at it, and decide: aenv trust"]
    : [];
  return [...changes, ...last];
}
