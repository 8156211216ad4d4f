import { deepStrictEqual, match, throws } from "node:assert/strict";
import { runCase } from "./run_case.ts";
import { parseSpec, type Spec } from "./spec.ts";

const OPTIONS = { directory: ".", version: "0", umask: "000" };

async function problemsOf(spec: Spec): Promise<readonly string[]> {
  return (await runCase(spec, OPTIONS)).problems;
}

/** What the runner says about a single shell step, without the line that names it. */
async function shellProblems(shell: string, more = {}): Promise<string> {
  const problems = await problemsOf({ steps: [{ shell, ...more }] });
  return problems.join("\n").replaceAll(/^step 1: sh\n/gm, "");
}

Deno.test("runCase() is content with a step that does what is expected and nothing else", async () => {
  const found = await shellProblems("echo a; echo b >&2; exit 3", {
    stdout: "a",
    stderr: ["b"],
    exitCode: 3,
    files: { x: null, "[HOME]/.claude": { dir: true } },
  });
  deepStrictEqual(found, "");
});

Deno.test("runCase() finds output, exit codes and files that are not expected", async () => {
  match(await shellProblems("echo a"), /stdout is\n {4}\| a\n {2}expected/);
  match(await shellProblems("echo a >&2"), /stderr is\n {4}\| a/);
  match(await shellProblems("exit 3"), /exit code 3, expected 0/);
  match(
    await shellProblems("true", { refused: true }),
    /exit code 0, expected 1/,
  );
  match(await shellProblems("echo a >x", { files: { x: "b" } }), /x is a file/);
  match(await shellProblems("touch x", { files: { x: null } }), /x is file/);
  match(await shellProblems("true", { files: { x: "" } }), /x is a nothing/);
  match(
    await shellProblems("ln -s a x", { files: { x: { link: "b" } } }),
    /x is link "a"/,
  );
});

Deno.test("runCase() finds an agent that was started, and one that was not", async () => {
  const stdout = "agent started in no env";
  match(
    await shellProblems("[AGENTS]/claude", { stdout }),
    /the agent was started/,
  );
  match(
    await shellProblems("true", { agentStarted: true }),
    /the agent was not started/,
  );
});

Deno.test("runCase() finds a changed byte, mode, name or link in somebody's own configuration", async () => {
  const changes = [
    "echo >>'[HOME]/.claude.json'",
    "rm '[HOME]/.claude.json'",
    "chmod 600 '[HOME]/.claude/CLAUDE.md'",
    "touch '[HOME]/.claude/projects/new'",
    "ln -s x '[HOME]/.claude/agents'",
  ];
  for (const change of changes) {
    match(
      await shellProblems(change),
      /~\/\.claude or ~\/\.claude\.json was changed/,
    );
  }
});

Deno.test("runCase() finds open modes below our home and temporary files anywhere", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["mkdir '[AENV_HOME]'", /\.aenv has mode 777/],
    ["mkdir -m 700 '[AENV_HOME]'; echo >'[AENV_HOME]/x'", /x has mode 666/],
    [
      "mkdir -m 700 '[AENV_HOME]'; mkdir -m 755 '[AENV_HOME]/d'",
      /d has mode 755/,
    ],
    ["touch .tmp-x", /\.tmp-x was left behind/],
  ];
  for (const [script, problem] of cases) {
    match(await shellProblems(script), problem);
  }
});

Deno.test("runCase() gives each step an environment of its own and no other variables", async () => {
  const steps = [
    {
      shell: "/usr/bin/env | cut -d= -f1 | sort",
      stdout: ["HOME", "LANG", "PATH", "PWD"],
    },
    {
      shell: "echo ${A-unset} ${HOME-unset}",
      env: { A: "1", HOME: null },
      stdout: "1 unset",
    },
    { shell: "echo ${A-unset}", stdout: "unset" },
  ];
  deepStrictEqual(await problemsOf({ steps }), []);
});

Deno.test("parseSpec() refuses keys that nobody would look at, and steps that do nothing", () => {
  const bad = [
    ['{ "step": [] }', /unknown key step/],
    ['{ "steps": [] }', /no steps/],
    ['{ "steps": [{ "args": [], "exitcode": 1 }] }', /unknown key exitcode/],
    ['{ "steps": [{ "stdout": "" }] }', /give one of/],
    ['{ "steps": [{ "args": [], "shell": "x" }] }', /give one of/],
    [
      '{ "setup": { "file": {} }, "steps": [{ "args": [] }] }',
      /unknown key file/,
    ],
  ] as const;
  for (const [text, message] of bad) {
    throws(() => parseSpec(text, "f"), { message });
  }
});
