import assert from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import type { PlannedSandbox } from "../launch/mod.ts";
import type { NetworkPolicy } from "../sandbox/mod.ts";
import { SandboxWorld } from "../../tests/support/sandbox_world.ts";
import { type Attempt, type Tried, tryAll } from "./attempts.ts";
import {
  agentAttempts,
  type ClaimPlace,
  claimRows,
  serverAttempts,
} from "./sandbox_claims.ts";

const HOSTS: NetworkPolicy = {
  mode: "hosts",
  allow: [],
  ports: [],
  proxy: undefined,
};

function placeOf(world: SandboxWorld, network: NetworkPolicy): ClaimPlace {
  const policy = { ...world.policy(), network };
  const sandbox: PlannedSandbox = {
    ...{ policy, project: world.at("project"), supervised: undefined },
    ...{ summary: "", protections: [] },
  };
  return {
    sandbox,
    home: world.home,
    root: world.aenvHome,
    manifest: world.file("home/.aenv/envs/e/aenv.toml"),
    launcher: { pid: Deno.pid, name: "the launcher" },
  };
}

function words(attempts: readonly Attempt[]): string[] {
  return attempts.map((attempt) => attempt.words);
}

function refused({ claim, words }: Attempt): Tried {
  return { claim, words, outcome: "EACCES", isRefused: true };
}

Deno.test("agentAttempts() tries what the policy closes, and no network where that is open", () => {
  using world = new SandboxWorld();
  world.dir("home/.aenv/runs");
  const server = { pid: 1, name: "MCP server a" };
  const open = agentAttempts(placeOf(world, { mode: "open" }), [server]);
  assert.deepEqual(words(open), [
    "list ~",
    "list ~/.aenv",
    "list ~/.aenv/runs",
    "write ~/.aenv/envs/e/aenv.toml",
    "read the environment of the launcher",
    "read the memory of the launcher",
    "see what the launcher has open",
    "read the environment of MCP server a",
    "read the memory of MCP server a",
    "see what MCP server a has open",
  ]);
  const hosts = agentAttempts(placeOf(world, HOSTS), []);
  assert.deepEqual(
    words(hosts.filter(({ claim }) => claim === "network")),
    [
      "connect to 169.254.169.254",
      "connect to 192.0.2.1",
      "reach 169.254.169.254 through the proxy",
      "reach aenv-verify.invalid through the proxy",
    ],
  );
});

Deno.test("tryAll() says what succeeds where nothing is confined", async () => {
  using world = new SandboxWorld();
  world.dir("home/.aenv/runs");
  const attempts = agentAttempts(placeOf(world, { mode: "open" }), []);
  const tried = await tryAll(attempts, { proxy: undefined });
  assert.deepEqual(
    tried.filter(({ isRefused }) => isRefused).map(({ words }) => words),
    [],
  );
  const gone = `${world.root}/none` as AbsPath;
  const missing: Attempt = {
    claim: "files",
    words: "read it",
    what: { kind: "read", path: gone },
  };
  const [found] = await tryAll([missing], { proxy: undefined });
  assert.deepEqual(found, {
    claim: "files",
    words: "read it",
    outcome: "ENOENT",
    isRefused: false,
  });
});

Deno.test("claimRows() takes only what was refused for held", () => {
  using world = new SandboxWorld();
  const place = placeOf(world, HOSTS);
  const attempts = [
    ...agentAttempts(place, [{ pid: 1, name: "MCP server a" }]),
    ...serverAttempts("a", [{ pid: 2, name: "the agent" }]),
  ];
  const all = attempts.map(refused);
  function rows(tried: readonly Tried[] | undefined): string[] {
    return claimRows(place.sandbox, { servers: ["a"], attempts, tried })
      .map(({ status, detail = "" }) => `${status} ${detail}`.trim());
  }
  function with_(words: string, outcome: string): Tried[] {
    return all.map((each) =>
      each.words === words ? { ...each, outcome, isRefused: false } : each
    );
  }
  assert.deepEqual(rows(all), ["ok", "ok", "ok", "ok"]);
  assert.deepEqual(
    rows(with_("read the memory of the agent (from MCP server a)", "done")),
    [
      "ok",
      "ok",
      "ok",
      "failed it could read the memory of the agent (from MCP server a)",
    ],
  );
  assert.equal(
    rows(with_("connect to 192.0.2.1", "timeout"))[1],
    "failed it could not be told: connect to 192.0.2.1 (timeout)",
  );
  const lost = all.filter(({ words }) => words !== "list ~");
  assert.equal(rows(lost)[0], "failed it could not be tried");
  assert.deepEqual(
    rows(undefined),
    Array(4).fill("unobserved no hook ran that could try it"),
  );
});
