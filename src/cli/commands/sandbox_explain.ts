import { AppError } from "../../base/errors.ts";
import { type AbsPath, join, resolveFrom, tilde } from "../../base/paths.ts";
import { escapeControl, quote } from "../../base/text.ts";
import { activeEnv, type OpenEnv, requireNamed } from "../../env/mod.ts";
import {
  codexRequest,
  findClaude,
  findPresetHosts,
  isBeside,
  type PlannedPolicy,
  planSandbox,
  staysBeside,
} from "../../launch/mod.ts";
import { isExecutable, lstat } from "../../os/fs.ts";
import type { Host } from "../../os/host.ts";
import {
  decideHost,
  decidePath,
  decideSocket,
  heldHere,
  type HostAnswer,
  type IsHeld,
  lookAtPath,
  parseHostQuestion,
  type PathAnswer,
  reachesOwnSockets,
  type SandboxPolicy,
  type SocketAnswer,
  type UserProxy,
  userProxyFor,
} from "../../sandbox/mod.ts";
import { type Command, type Outcome, textOption } from "../command.ts";
import { type AllowContext, allowHost, allowPath } from "../sandbox_allow.ts";
import { policyLines } from "../sandbox_text.ts";

/** `aenv sandbox explain`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "what",
      summary:
        "A path, or a host with or without a port; all of it unless given",
      optional: true,
    }],
    options: [
      { flags: "--write", summary: "Ask whether the path can be changed" },
      { flags: "--vars", summary: "Say which of your variables pass, and why" },
      { flags: "--agent <name>", summary: "claude (default) or codex" },
      {
        flags: "--server <name>",
        summary: "Ask about an MCP server that has a sandbox of its own",
      },
    ],
    env: true,
    examples: [
      "aenv sandbox explain",
      "aenv sandbox explain ~/.ssh/id_rsa",
      "aenv sandbox explain .git/hooks --write",
      "aenv sandbox explain example.com:443",
      "aenv sandbox explain --vars",
      "aenv sandbox explain --server github example.com",
    ],
  },
  async run(input, host) {
    const { env, dirs } = activeEnv(host, textOption(input, "env"));
    const named = requireNamed(env, "explain the sandbox of");
    const server = textOption(input, "server");
    const request = server === undefined
      ? agentRequest(named, textOption(input, "agent"), { host, dirs })
      : serverRequest(named, host, server);
    const planned = await planSandbox(request, host, dirs);
    for (const note of planned.notes) host.notice(`aenv: ${note}`);
    if (!named.manifest.sandbox?.enabled) {
      host.notice(
        `aenv: the sandbox of environment ${named.label} is off: this is what it would give`,
      );
    }
    if (input.options["vars"]) return variables(planned.policy);
    const [what] = input.args;
    const write = input.options["write"] === true;
    const option = textOption(input, "env");
    return what === undefined ? whole(named, planned, host) : await one(what, {
      ...{ ...planned, host, write },
      allow: { env: named, host, dirs, option, server },
      isSupervised: server !== undefined || staysBeside(named),
    });
  },
};

function agentRequest(
  env: OpenEnv,
  name: string | undefined,
  { host, dirs }: Pick<AllowContext, "host" | "dirs">,
) {
  switch (name) {
    case "codex":
      return codexRequest(env, host, dirs);
    case undefined:
    case "claude":
      return { env, program: agentOrSelf(host, dirs) };
  }
  throw new AppError(
    "USAGE",
    `Cannot explain the sandbox of ${quote(name)}: there is no such agent`,
    { hint: "Name one of: claude, codex" },
  );
}

function serverRequest(env: OpenEnv, { self }: Host, name: string) {
  const { manifest } = env;
  const server = Object.hasOwn(manifest.mcp, name)
    ? manifest.mcp[name]
    : undefined;
  if (
    server?.type === "stdio" && isBeside(server, manifest)
  ) return { env, program: self, server: name };
  throw new AppError(
    "ITEM_NOT_FOUND",
    `Cannot explain the sandbox of MCP server ${quote(name)}: ${
      server === undefined
        ? `${quote(env.manifestPath)} does not declare it`
        : server.type === "stdio"
        ? "it runs in that of the agent"
        : "it does not run on this machine"
    }`,
    {
      hint: server?.type === "stdio"
        ? `Write [mcp.${name}.sandbox] to give it one of its own`
        : undefined,
    },
  );
}

/** The agent's program; without one the answers are the same but for that file. */
export function agentOrSelf(
  host: Host,
  dirs: Parameters<typeof findClaude>[1],
): AbsPath {
  try {
    return findClaude(host, dirs);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "AGENT_NOT_FOUND") {
      throw error;
    }
    host.notice(`aenv: ${error.message}`);
    return host.self;
  }
}

function whole(
  env: OpenEnv,
  { policy }: PlannedPolicy,
  host: Host,
): Outcome {
  const isHeld = heldHere(policy);
  return {
    data: {
      ...policy,
      protected: policy.protected.map((path) => ({
        ...path,
        held: isHeld(path),
      })),
    },
    text: () =>
      policyLines(policy, {
        title: `environment ${env.label}`,
        home: host.env["HOME"] ?? "",
        isHeld,
      }).map(escapeControl).join("\n"),
  };
}

function variables({ environment }: SandboxPolicy): Outcome {
  return {
    data: environment,
    text: () =>
      environment.map(({ name, passes, why }) =>
        escapeControl(`${passes ? "passes" : "-     "}  ${name}  (${why})`)
      ).join("\n"),
  };
}

interface Asked {
  readonly policy: SandboxPolicy;
  readonly host: Host;
  readonly write: boolean;
  /** Whether something of ours stays beside it. */
  readonly isSupervised: boolean;
  readonly allow: AllowContext;
}

async function one(what: string, asked: Asked): Promise<Outcome> {
  const path = pathOf(what, asked.host);
  if (path !== undefined) return aboutPath(path, asked);
  const question = parseHostQuestion(what);
  if (question === undefined) {
    throw new AppError(
      "USAGE",
      `Cannot explain ${quote(what)}: it is neither a path nor a host`,
      { hint: "A path has a slash in it: ./NAME; a host is NAME or NAME:PORT" },
    );
  }
  const presets = await findPresetHosts(asked.policy, asked.host);
  const answer = decideHost(asked.policy.network, question, presets);
  const hint = allowHost(answer, asked.allow);
  const proxy = answer.allowed && asked.policy.network.mode === "hosts"
    ? userProxyFor(question, asked.host.env)
    : undefined;
  return {
    data: { ...answer, entry: answer.entry ?? null, proxy: proxy ?? null },
    text: () =>
      [hostText(answer), ...hinted(proxy && proxyText(proxy)), ...hinted(hint)]
        .join("\n"),
  };
}

/** What is written like a path, or is there. */
function pathOf(what: string, host: Host): AbsPath | undefined {
  if (/^[a-z]+:\/\//i.test(what)) return undefined;
  if (what === "~" || what.startsWith("~/")) {
    return join(host.home(), what.slice(1));
  }
  const path = resolveFrom(host.cwd(), what);
  return /[/]|^\.+$/.test(what) || lstat(path) !== undefined ? path : undefined;
}

function aboutPath(
  path: AbsPath,
  { policy, host, write, isSupervised, allow }: Asked,
): Outcome {
  const { real, kind } = lookAtPath(path);
  if (kind === "socket") {
    const reachesOwn = reachesOwnSockets(policy, { isSupervised });
    const answer = decideSocket(policy, real, { reachesOwn });
    return { data: answer, text: () => socketText(answer, host) };
  }
  const answers = pathAnswers(policy, real, {
    kind,
    write,
    isHeld: heldHere(policy),
  });
  const rows = answers.flatMap((answer) => [
    pathText(answer, { kind, host }),
    ...hinted(allowPath(answer, kind, allow)),
  ]);
  const leads = real === path ? [] : [`it leads to ${short(real, host)}`];
  return {
    data: answers.map((answer) => ({
      ...answer,
      grant: answer.grant ?? null,
      protection: answer.protection ?? null,
    })),
    text: () => [...leads, ...rows].map(escapeControl).join("\n"),
  };
}

function hinted(hint: string | undefined): string[] {
  return hint === undefined ? [] : [`  ${escapeControl(hint)}`];
}

function pathAnswers(
  policy: SandboxPolicy,
  path: AbsPath,
  { kind, write, isHeld }: {
    readonly kind: "file" | "directory" | "missing";
    readonly write: boolean;
    readonly isHeld: IsHeld;
  },
): PathAnswer[] {
  if (!write) {
    const answer = decidePath(policy, path, {
      operation: kind === "directory" ? "list" : "read",
      isHeld,
    });
    if (kind !== "file" || !isExecutable(path)) return [answer];
    return [answer, decidePath(policy, path, { operation: "exec", isHeld })];
  }
  // What is done to a directory is done to what is in it.
  const target = kind === "directory" ? join(path, "…") : path;
  const operation = kind === "file" ? "write" : "create";
  const answer = decidePath(policy, target, { operation, isHeld });
  return [{ ...answer, path }];
}

const VERBS: Readonly<Record<PathAnswer["operation"], string>> = {
  read: "read",
  list: "list",
  exec: "run",
  write: "write",
  create: "make and remove files in",
  folder: "make directories in",
  ioctl: "control",
};

function pathText(
  { allowed, operation, path, why }: PathAnswer,
  { kind, host }: { readonly kind: string; readonly host: Host },
): string {
  const isNew = kind === "missing" && operation === "create";
  const verb = isNew ? "make" : VERBS[operation];
  return `${allowed ? "may" : "may not"} ${verb} ${short(path, host)}: ${why}`;
}

function socketText({ allowed, path, why }: SocketAnswer, host: Host): string {
  const words = allowed ? "may" : "may not";
  return escapeControl(`${words} connect to ${short(path, host)}: ${why}`);
}

function hostText({ allowed, host, port, why }: HostAnswer): string {
  const words = allowed ? "may" : "may not";
  return escapeControl(`${words} connect to ${host} on port ${port}: ${why}`);
}

function proxyText({ address, variable }: UserProxy): string {
  return address === null
    ? `But ${variable} names no proxy that can be used: no connection would come about`
    : `Through the proxy of your own network: ${address} (${variable})`;
}

function short(path: string, host: Host): string {
  return tilde(path, host.env["HOME"] ?? "");
}
