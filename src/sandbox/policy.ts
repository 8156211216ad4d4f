/** From wishes and facts to a policy. Pure. */
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { isPreset } from "./network/presets.ts";
import { parseEntry } from "./network/rules.ts";
import { openPathDirs, protectedPaths } from "./policy_guard.ts";
import { isIn, isUnder, upwards } from "./path_text.ts";
import type {
  Found,
  HostFacts,
  Match,
  PolicyInput,
  Wish,
} from "./policy_input.ts";
import { plantedLink, refusalOf, sealedPlaces } from "./policy_rules.ts";
import { variablesToSet } from "./policy_variables.ts";
import { refused, wishLine } from "./policy_wishes.ts";
import {
  type HostGrant,
  type LeftOut,
  type NetworkPolicy,
  type PathGrant,
  type PortGrant,
  RIGHTS,
  type SandboxPolicy,
  type SocketGrant,
} from "./types.ts";

/** The policy of one launch. Throws `SANDBOX_REFUSED` (exit 3) when something that is needed or asked for may not be granted. */
export function buildPolicy(
  input: PolicyInput,
  facts: HostFacts,
): SandboxPolicy {
  const draft = new Draft(facts);
  for (const found of facts.found) draft.take(found);
  draft.takeLinked();
  const grants = sorted(withoutCovered(draft.grants));
  const writable = pathsOf(grants, "write");
  const tmpDir = realPlace(input.tmpDir, facts);
  return {
    domain: input.domain,
    os: input.os,
    agent: input.agent,
    grants,
    protected: protectedPaths(facts.guards, writable),
    sealed: sealedPlaces(facts, writable),
    network: networkPolicy(input),
    unixSockets: draft.sockets,
    environment: input.environment,
    tmpDir,
    make: [...new Set(draft.make)],
    sets: variablesToSet(facts.home, {
      tmpDir,
      cacheDir: realPlace(input.cacheDir, facts),
      writable,
      lacksGitConfig: lacksGitConfig(facts),
    }),
    scopes: { signals: true, abstractSockets: true },
    leftOut: [
      ...draft.leftOut,
      ...unsetSockets(input),
      ...openPathDirs(facts.searchPath, writable),
      ...facts.git.flatMap(({ entry, problem }) =>
        problem === undefined ? [] : [{ path: entry, why: problem }]
      ),
    ],
  };
}

/** The grants as they come together. */
class Draft {
  readonly grants: PathGrant[] = [];
  readonly sockets: SocketGrant[] = [];
  readonly make: AbsPath[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly #facts: HostFacts;
  readonly #linked: { readonly wish: Wish; readonly match: Match }[] = [];

  constructor(facts: HostFacts) {
    this.#facts = facts;
  }

  take({ wish, matches }: Found): void {
    if (matches.length === 0) this.#missing(wish);
    for (const match of matches) {
      const refusal = refusalOf(match, wish, this.#facts);
      if (refusal !== undefined) this.#refuse(wish, match, refusal);
      else this.#grant(wish, match);
    }
  }

  /** Grants what was reached through links, unless a link lies in a writable place: then an earlier run may have planted it. */
  takeLinked(): void {
    const sure = pathsOf(this.grants, "write");
    const any = [
      ...sure,
      ...this.#linked.filter(({ wish }) => wish.access === "write")
        .map(({ match }) => match.path),
    ];
    for (const { wish, match } of this.#linked) {
      const dir = plantedLink(match, any);
      if (dir === undefined || sure.some((grant) => isIn(match.path, grant))) {
        this.#add(wish, match);
        continue;
      }
      this.#refuse(
        wish,
        match,
        `a link in ${dir}, which is writable from inside, leads to it`,
      );
    }
  }

  #grant(wish: Wish, match: Match): void {
    if (match.links.length > 0) this.#linked.push({ wish, match });
    else this.#add(wish, match);
  }

  #add(wish: Wish, match: Match): void {
    const { path, kind } = match;
    if (wish.toConnect) return this.#connectable(wish, match);
    if (kind === "socket") return this.#socket(wish, match);
    if (kind === "missing") this.make.push(path);
    this.grants.push({
      path,
      kind: kind === "file" ? "file" : "directory",
      access: wish.access,
      why: wish.why,
    });
  }

  #socket(wish: Wish, { path }: Match): void {
    if (wish.access === "write") this.sockets.push({ path, why: wish.why });
    else {
      this.leftOut.push({
        path,
        why: "it is a socket: grant it with :rw to connect to it",
      });
    }
  }

  #connectable({ why }: Wish, { path, kind }: Match): void {
    if (kind === "socket") this.sockets.push({ path, why });
    else if (kind !== "file") this.sockets.push({ path, why, tree: true });
    else this.leftOut.push({ path, why: `${why.text}: it is no socket` });
  }

  #missing(wish: Wish): void {
    if (wish.need === "must") throw lacking(wish);
    if (wish.need === "asked") {
      this.leftOut.push({
        path: wish.path,
        why: `${wish.why.text}: nothing is there`,
      });
    }
  }

  #refuse(wish: Wish, match: Match, refusal: string): void {
    if (wish.need === "may") {
      this.leftOut.push({ path: match.path, why: refusal });
      return;
    }
    if (wish.need === "asked") throw refused(wish.why.text, refusal);
    throw new AppError(
      "SANDBOX_REFUSED",
      `Cannot confine the agent to ${quote(match.path)}: ${refusal}`,
      {
        hint: wish.why.source === "project"
          ? "Start it in the directory of a project"
          : undefined,
        exitCode: ExitCode.refused,
      },
    );
  }
}

function lacking(wish: Wish): AppError {
  return new AppError(
    "SANDBOX_REFUSED",
    `Cannot grant ${quote(wish.path)}: nothing is there`,
    { exitCode: ExitCode.refused },
  );
}

function pathsOf(
  grants: readonly PathGrant[],
  access: PathGrant["access"],
): AbsPath[] {
  return [
    ...new Set(
      grants.filter((grant) => grant.access === access)
        .map(({ path }) => path),
    ),
  ];
}

function unsetSockets({ wishes }: PolicyInput): LeftOut[] {
  return wishes.unixSockets.flatMap(({ text, path }) =>
    path === undefined
      ? [{
        path: text,
        why: `${wishLine(wishes, "unix_sockets", text)}: it is not set`,
      }]
      : []
  );
}

/** Takes out what another grant gives as well. Of two that give the same the first stays. */
function withoutCovered(grants: readonly PathGrant[]): PathGrant[] {
  const byPath = Map.groupBy(grants, ({ path }) => path as string);
  const order = new Map(grants.map((grant, index) => [grant, index]));
  return grants.filter((grant, index) =>
    !upwards(grant.path).flatMap((path) => byPath.get(path) ?? []).some(
      (other) => {
        if (other === grant || !covers(other, grant)) return false;
        return order.get(other)! < index || !covers(grant, other);
      },
    )
  );
}

/** Whether the upper of two grants gives all that the lower one gives. */
function covers(one: PathGrant, other: PathGrant): boolean {
  const isAbove = one.path === other.path ||
    (one.kind === "directory" && isUnder(other.path, one.path));
  return isAbove && gives(one, other);
}

function gives(one: PathGrant, other: PathGrant): boolean {
  return RIGHTS[other.access].every((operation) =>
    RIGHTS[one.access].includes(operation)
  );
}

function sorted(grants: readonly PathGrant[]): PathGrant[] {
  return grants.toSorted((a, b) =>
    a.path < b.path
      ? -1
      : a.path > b.path
      ? 1
      : a.access < b.access
      ? -1
      : a.access > b.access
      ? 1
      : 0
  );
}

/** Throws `NETWORK_RULE_INVALID` on an entry that is none; presets are looked up when the proxy starts. */
function networkPolicy({ wishes }: PolicyInput): NetworkPolicy {
  const { network } = wishes;
  if (network.mode !== "hosts") return network;
  const allow = network.allow.map((pattern): HostGrant => ({
    pattern,
    why: {
      source: "manifest",
      text: wishLine(wishes, "network", pattern)
        .replace("network:", "network.allow:"),
    },
  }));
  const ports = allow.filter(({ pattern }) => !isPreset(pattern)).flatMap(
    ({ pattern, why }): PortGrant[] => {
      const rule = parseEntry(pattern);
      return rule.kind === "loopback"
        ? rule.ports.map((port) => ({ port, why }))
        : [];
    },
  );
  const { insteadOfNone } = network;
  return {
    ...{ mode: "hosts", allow, ports, proxy: undefined },
    ...(insteadOfNone === undefined ? {} : { insteadOfNone }),
  };
}

/** Whether there is a git configuration that the agent may not read: git would stop there. */
function lacksGitConfig({ found }: HostFacts): boolean {
  return found.some(({ wish, matches }) =>
    wish.ofGit &&
    matches.some(({ problem }) => problem !== undefined)
  );
}

/** Where a place of the launch really is. */
function realPlace(path: AbsPath, facts: HostFacts): AbsPath {
  const found = facts.found.find(({ wish }) => wish.path === path);
  return found?.matches[0]?.path ?? path;
}
