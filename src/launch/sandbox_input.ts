/** From an env to what a policy is made from, as far as the launch knows it. Reads, never writes. */
import { claude } from "../agents/mod.ts";
import { type Dirs, LOCK_FILE } from "../base/dirs.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, isAbsolutePath, join } from "../base/paths.ts";
import { type OpenEnv, runDirFor } from "../env/mod.ts";
import type { Manifest } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import {
  filterVariables,
  type Place,
  type PolicyInput,
  type SandboxPolicy,
  type SandboxWishes,
  UNCONFINED_HINT,
} from "../sandbox/mod.ts";
import { undoOuterLaunch, type Variables } from "./environment.ts";
import { serverSandbox, socketVariables, wishesOf } from "./sandbox_wishes.ts";

/** What is to be confined. */
export interface SandboxRequest {
  readonly env: OpenEnv;
  /** The agent's program, or the command that runs in its place. */
  readonly program: AbsPath;
  /** The agent, where the program may start it. */
  readonly agent?: AbsPath | undefined;
  /** Name of the MCP server that it is for, in a domain of its own; the agent unless given. */
  readonly server?: string;
  /** What another agent than Claude Code is and needs. */
  readonly other?: OtherAgent;
  /** Whether an earlier launch may say what is planned: its reasons and protections are not known then. */
  readonly mayRecall?: boolean;
}

/** An agent as far as a policy is concerned. */
export interface OtherAgent
  extends Pick<claude.AgentPlaces, "places" | "guarded"> {
  readonly name: "codex";
  readonly part: Pick<PolicyInput["agent"], "urls">;
  /** Whether a variable of the caller may reach it at all. */
  readonly accepts: (name: string) => boolean;
}

/** A policy and what the user should know about it. */
export interface PlannedPolicy {
  readonly policy: SandboxPolicy;
  /** Root of the project: real path. */
  readonly project: AbsPath;
  readonly notes: readonly string[];
}

/** The system that is confined. Throws `NOT_SUPPORTED` where there is no sandbox. */
export function systemOf({ os }: Host): PolicyInput["os"] {
  if (os !== "windows") return os;
  throw new AppError(
    "NOT_SUPPORTED",
    "Cannot confine the agent: there is no sandbox on Windows",
    { hint: UNCONFINED_HINT, exitCode: ExitCode.refused },
  );
}

/** Where a launch is planned. */
export interface PolicyContext {
  readonly host: Host;
  readonly os: PolicyInput["os"];
  readonly dirs: Dirs;
}

/** What the launch knows of a policy, before this machine is looked at for it. */
export function policyInput(
  { env, program, server, agent: agentProgram, other }: SandboxRequest,
  { host, os, dirs }: PolicyContext,
): { input: PolicyInput; notes: readonly string[] } {
  const { manifest, slot } = env;
  // A command gets what the agent gets: it may start one.
  const agent = other?.name ?? "claude";
  const variables = undoOuterLaunch(host.env);
  const home = host.home();
  const runDir = runDirFor(dirs, host);
  const isServer = server !== undefined;
  // What the agent or another server writes must not be run by a server that holds a secret.
  const cacheDir = isServer ? join(slot.serverCache, server) : slot.cache;
  const tmpDir = join(isServer ? cacheDir : runDir, "tmp");
  const wishes = wishesOf(manifest, { server, variables, tmpDir });
  const environment = decideVariables(variables, { wishes, other });
  const needs = isServer
    ? NO_NEEDS
    : other
    ? { ...NO_NEEDS, ...other }
    : claudeNeeds(env, { host, os, dirs }, environment);
  const input: PolicyInput = {
    domain: isServer ? `mcp.${server}` : "agent",
    os,
    uid: host.uid ?? 0,
    home,
    aenvHome: dirs.root,
    cwd: host.cwd(),
    projectRoot: projectRoot(env, host),
    project: serverSandbox(manifest, server)?.project ?? "write",
    baseDir: env.baseDir,
    manifests: [env.manifestPath, env.manifestReal],
    wishes,
    agent: { ...other?.part, name: agent, program, keychain: needs.keychain },
    programs: [
      ...serverPrograms(manifest, server),
      ...agentPrograms(agentProgram),
    ],
    places: [
      ...(isServer ? [] : [runPlace(runDir)]),
      ...ownPlaces(env, { host, dirs }),
      ...agentPlaces(needs.places),
    ],
    guarded: guardedPlaces(needs.guarded),
    ...{ cacheDir, tmpDir, variables, environment },
  };
  return { input, notes: needs.notes };
}

/** What becomes of the caller's variables. */
export function decideVariables(
  variables: Variables,
  { wishes, other }: {
    readonly wishes: SandboxWishes;
    readonly other: OtherAgent | undefined;
  },
): PolicyInput["environment"] {
  return filterVariables({
    variables,
    envHost: wishes.envHost,
    sockets: socketVariables(wishes),
    agent: other?.name ?? "claude",
    agentAccepts: other?.accepts ?? claude.passesToClaude,
    network: wishes.network.mode,
  });
}

function claudeNeeds(
  { manifest, slot }: OpenEnv,
  { host, os, dirs }: PolicyContext,
  environment: PolicyInput["environment"],
): claude.AgentPlaces {
  const home = host.home();
  return claude.agentPlaces({
    isolation: manifest.isolation,
    os,
    configDir: slot.claude,
    user: claude.userConfig(undoOuterLaunch(host.env), home, dirs.root),
    home,
    cwd: host.cwd(),
    hasLogin: hasLogin(environment),
  });
}

function projectRoot(env: OpenEnv, host: Host): AbsPath {
  return claude.projectRoot({
    cwd: host.cwd(),
    home: host.home(),
    manifestDir: env.scope === "project" ? env.baseDir : undefined,
  });
}

function agentPrograms(path: AbsPath | undefined): PolicyInput["programs"] {
  const why = { source: "agent", text: "the agent" } as const;
  return path === undefined ? [] : [{ path, why }];
}

function agentPlaces(places: readonly claude.AgentPlace[]): Place[] {
  return places.map(({ path, access, why, part, make }) => ({
    path,
    access,
    why: { source: part, text: why },
    make,
  }));
}

function guardedPlaces(
  guarded: claude.AgentPlaces["guarded"],
): PolicyInput["guarded"] {
  return guarded.map(({ plainKeys: keys, ...guard }) => ({
    ...guard,
    why: { source: "agent", text: "it steers the next session of the agent" },
    ...(keys ? { harmless: { kind: "json", keys } } : {}),
  }));
}

/** Variables that log the agent in by themselves. */
const LOGIN_VARIABLES: ReadonlySet<string> = new Set([
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN",
]);

function hasLogin(environment: PolicyInput["environment"]): boolean {
  return environment.some(({ name, passes }) =>
    passes && LOGIN_VARIABLES.has(name)
  );
}

/** What the launch wrote: the agent's settings, and the addresses of its servers. */
function runPlace(runDir: AbsPath): Place {
  const why = { source: "run", text: "generated for this launch" } as const;
  return { path: runDir, access: "read", why, make: true };
}

/** A server has no part in the agent's state. */
const NO_NEEDS: claude.AgentPlaces = {
  places: [],
  guarded: [],
  keychain: false,
  notes: [],
};

/** Parts of our own home that a launch needs. */
function ownPlaces(
  { slot, manifest, scope }: OpenEnv,
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
): Place[] {
  const slotReason = { source: "slot", text: "installed" } as const;
  return [
    { path: slot.installed, access: "exec", why: slotReason, make: true },
    ...(scope === "named"
      ? [slot.manifest, join(slot.root, LOCK_FILE)].map((path): Place => ({
        path,
        access: "read",
        why: { source: "slot", text: "what the environment declares" },
        optional: true,
      }))
      : []),
    {
      path: dirs.shims,
      access: "exec",
      why: { source: "run", text: "our shims" },
      optional: true,
    },
    {
      path: host.self,
      access: "exec",
      why: { source: "run", text: "aenv itself" },
    },
    ...(manifest.xdg === "private"
      ? [
        {
          path: slot.xdg,
          access: "write",
          why: { source: "slot", text: "XDG directories of this environment" },
          make: true,
        } as const,
      ]
      : []),
  ];
}

/** Programs that servers of the manifest name by their whole path: all for the agent, its own for a server. */
function serverPrograms(
  { mcp }: Manifest,
  only: string | undefined,
): PolicyInput["programs"] {
  return Object.entries(mcp).flatMap(([name, server]) =>
    server.type === "stdio" && !server.disabled &&
      (only === undefined || name === only) &&
      isAbsolutePath(server.command)
      ? [
        {
          path: server.command as AbsPath,
          why: { source: "manifest", text: `mcp.${name}: ${server.command}` },
        } as const,
      ]
      : []
  );
}
