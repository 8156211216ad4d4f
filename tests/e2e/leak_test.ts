/** Nothing of the user's own configuration reaches an agent in an env, and everything declared does. */

import assert from "node:assert/strict";
import { Aenv, bareEnv } from "../support/aenv.ts";
import { type ClaudeProgram, claudePrograms } from "../support/agents.ts";
import { gatherEvidence, namesIn } from "../support/canaries.ts";
import { writeDeclaredEnv } from "../support/declared_env.ts";
import { makeDirtyHome } from "../support/dirty_home.ts";
import { run } from "../support/process.ts";
import { snapshot } from "../support/snapshot.ts";
import { TempDir } from "../support/temp.ts";
import {
  BASH_DUMP,
  ENV_NAME,
  launchInEnv,
  PROMPT,
  stubFor,
  UNKNOWN_TO,
} from "./leak_world.ts";

interface Case {
  readonly agent: ClaudeProgram;
  readonly isolation: "private" | "overlay";
  readonly projectConfig: "load" | "ignore";
  readonly git: boolean;
}

for (const agent of claudePrograms()) {
  for (const git of [true, false]) {
    Deno.test(
      `plain Claude Code ${agent.label} loads every canary (${placeOf(git)})`,
      () => checkControl(agent, git),
    );
  }
}

for (const { agent, isolation, projectConfig, git } of cases()) {
  const name = `${isolation} env, project config ${projectConfig}, ${
    placeOf(git)
  }, Claude Code ${agent.label}: nothing leaks, everything declared is there`;
  Deno.test(name, () => checkCase({ agent, isolation, projectConfig, git }));
}

for (const agent of claudePrograms()) {
  Deno.test(
    `the user's ~/.claude and ~/.claude.json stay byte for byte (private, Claude Code ${agent.label})`,
    () => checkUntouched(agent),
  );
}

function* cases(): Generator<Case> {
  for (const agent of claudePrograms()) {
    for (const isolation of ["private", "overlay"] as const) {
      yield { agent, isolation, projectConfig: "load", git: true };
      yield { agent, isolation, projectConfig: "load", git: false };
      yield { agent, isolation, projectConfig: "ignore", git: false };
    }
  }
}

function placeOf(git: boolean): string {
  return git ? "in a repository" : "outside of a repository";
}

async function checkControl(agent: ClaudeProgram, git: boolean): Promise<void> {
  using temp = new TempDir();
  await using stub = stubFor(temp.path);
  const dirty = makeDirtyHome(temp.path, { git, stubUrl: stub.url });
  const finished = await run(agent.path, PROMPT, {
    env: {
      ...bareEnv(dirty.home, agent),
      ...dirty.callerEnv,
      ANTHROPIC_BASE_URL: stub.url,
    },
    cwd: dirty.project,
  });
  assert.equal(finished.code, 0, finished.stderr);
  const evidence = gatherEvidence(stub, dirty.marks);
  const unknown = UNKNOWN_TO[agent.label] ?? [];
  const expected = [...dirty.canaries, ...dirty.projectItems]
    .map(({ name }) => name).filter((name) => !unknown.includes(name));
  const found = namesIn(evidence, [...dirty.canaries, ...dirty.projectItems]);
  assert.deepEqual(found, expected);
  assert.ok(dirty.canaries.length >= 50, `only ${dirty.canaries.length}`);
}

async function checkCase(options: Case): Promise<void> {
  const { git } = options;
  using temp = new TempDir();
  await using stub = stubFor(temp.path);
  const dirty = makeDirtyHome(temp.path, { git, stubUrl: stub.url });
  const { declared, evidence, finished, bearers } = await launchInEnv(dirty, {
    ...options,
    stub,
  });
  assert.equal(finished.code, 0, finished.stderr);
  const { projectItems } = dirty;
  const isLoaded = options.projectConfig === "load";
  const undeclared = [...dirty.canaries, ...dirty.latent];
  const unwanted = isLoaded ? undeclared : [...undeclared, ...projectItems];
  assert.deepEqual(namesIn(evidence, unwanted), [], "leaked");
  const wanted = isLoaded
    ? [...declared.items, ...projectItems]
    : declared.items;
  assert.deepEqual(
    namesIn(evidence, wanted),
    wanted.map(({ name }) => name),
    "missing",
  );
  for (const dump of [BASH_DUMP, ...declared.environmentDumps]) {
    const text = await Deno.readTextFile(`${dirty.marks}/${dump}`);
    const lines = text.split("\n");
    assert.ok(lines.includes(declared.variable), `${dump} lacks the variable`);
  }
  const connected = connectedServers(finished.stdout);
  for (const server of declared.mcpServers) {
    assert.ok(connected.includes(server), `${server} is not connected`);
  }
  // The user's login is shared, and survives.
  assert.deepEqual(bearers, [`Bearer ${dirty.accessToken}`]);
  const login = JSON.parse(await Deno.readTextFile(dirty.credentials));
  assert.equal(login.claudeAiOauth.accessToken, dirty.accessToken);
}

/** Names of the servers that the first event of a stream-json output calls connected. */
function connectedServers(stdout: string): readonly string[] {
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("{")) continue;
    const event = JSON.parse(line);
    if (event.subtype !== "init") continue;
    return event.mcp_servers
      .filter(({ status }: { status: string }) => status === "connected")
      .map(({ name }: { name: string }) => name);
  }
  throw new Error(`There is no init event in ${stdout}`);
}

async function checkUntouched(agent: ClaudeProgram): Promise<void> {
  using temp = new TempDir();
  await using stub = stubFor(temp.path);
  const dirty = makeDirtyHome(temp.path, { git: true, stubUrl: stub.url });
  const { home, project, marks } = dirty;
  const stateOf = () => ({
    directory: snapshot(`${home}/.claude`),
    file: snapshot(`${home}/.claude.json`),
  });
  const before = stateOf();
  const env = { ANTHROPIC_BASE_URL: stub.url };
  const aenv = new Aenv({ home, cwd: project, agent, env });
  await aenv.must(["init", "--no-default"]);
  await aenv.must(["new", ENV_NAME]);
  writeDeclaredEnv(`${aenv.root}/envs/leak`, {
    name: ENV_NAME,
    isolation: "private",
    projectConfig: "load",
    marks,
  });
  await aenv.must(["use", ENV_NAME, "--global"]);
  await aenv.must(["exec", "-E", ENV_NAME, "--", "true"]);
  await aenv.must(["verify", "-E", ENV_NAME]);
  await aenv.must(["run", "-E", ENV_NAME, "--", ...PROMPT]);
  const { code, stderr } = await aenv.claude(ENV_NAME, PROMPT);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stateOf(), before);
}
