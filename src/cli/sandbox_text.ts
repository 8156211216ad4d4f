/** A policy as people read it. */
import { tilde } from "../base/paths.ts";
import {
  ACCESS_WORDS,
  type IsHeld,
  type PathGrant,
  type SandboxPolicy,
  socketRisk,
} from "../sandbox/mod.ts";

/** How a policy is shown. */
export interface PolicyView {
  readonly title: string;
  readonly home: string;
  readonly isHeld: IsHeld;
}

const ORDER = ["write", "exec", "read", "device", "create", "folders"] as const;

/** The lines of a whole policy, control characters not yet escaped. */
export function policyLines(
  policy: SandboxPolicy,
  { title, home, isHeld }: PolicyView,
): string[] {
  const passing = policy.environment.filter(({ passes }) => passes).length;
  return [
    title,
    ...ORDER.flatMap((access) => accessLines(policy, access, home)),
    ...networkLines(policy, home),
    ...section(
      "protected",
      policy.protected.map((path) => {
        const how = isHeld(path)
          ? "held by the system"
          : "compared before and after";
        return [tilde(path.path, home), `${path.why.text}; ${how}`];
      }),
    ),
    ...section(
      "left out",
      policy.leftOut.map(({ path, why }) => [tilde(path, home), why]),
    ),
    "",
    `variables: ${passing} of ${policy.environment.length} pass; see them: aenv sandbox explain --vars`,
  ];
}

function accessLines(
  { grants }: SandboxPolicy,
  access: PathGrant["access"],
  home: string,
): string[] {
  const rows = grants.filter((grant) => grant.access === access)
    .map(({ path, why }) => [tilde(path, home), why.text] as const);
  return section(ACCESS_WORDS[access], gathered(rows));
}

/** Rows of one directory that are shown one by one. */
const SHOWN_ROWS = 8;

/** Where very many entries of a directory are granted for one reason, a row for all of them in the place of the first. */
function gathered(
  rows: readonly (readonly [path: string, why: string])[],
): (readonly [string, string])[] {
  const groups = Map.groupBy(rows, ([path, why]) => `${above(path)}\n${why}`);
  return [...groups.values()].flatMap((group) => {
    const [path, why] = group[0]!;
    return group.length <= SHOWN_ROWS
      ? group
      : [[`${above(path)}/*`, `${why}: ${group.length} entries`] as const];
  });
}

function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function networkLines(
  { network, unixSockets }: SandboxPolicy,
  home: string,
): string[] {
  const hosts = network.mode === "hosts" ? network.allow : [];
  return [
    "",
    networkLine(network),
    ...hosts.map(({ pattern }) => `  ${pattern}`),
    ...section(
      "connect to",
      unixSockets.map(({ path, why, tree }) => [
        tilde(path, home) + (tree ? "/…" : ""),
        [why.text, socketRisk(path) ?? []].flat().join("; "),
      ]),
    ),
  ];
}

function networkLine(network: SandboxPolicy["network"]): string {
  if (network.mode !== "hosts") return `network: ${network.mode}`;
  if (network.insteadOfNone !== undefined) {
    return `network: ${network.insteadOfNone}`;
  }
  return network.allow.length === 0 ? "network: no host" : "network: hosts";
}

function section(
  title: string,
  rows: readonly (readonly string[])[],
): string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([name]) => name!.length));
  return [
    "",
    title,
    ...rows.map(([name, why]) =>
      `  ${name!.padEnd(Math.min(width, 48))}  ${why}`
    ),
  ];
}
