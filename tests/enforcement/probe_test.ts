/** The probe: it finds everything closed, and finds whatever is not. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import type { Probed } from "../../src/sandbox/probe.ts";
import { run } from "../support/process.ts";
import { asUser, claim, type RunParts, type World } from "./world.ts";

const PROBING = new URL("./probing.ts", import.meta.url).pathname;

const HOSTS: RunParts = {
  supervised: true,
  network: { mode: "hosts", allow: [], ports: [], proxy: { port: 9 } },
};

async function probed(
  world: World,
  parts: RunParts,
  hole = "none",
): Promise<readonly Probed[]> {
  const { landlockAbi = 99, supervised = false } = parts;
  const request = [
    world.policy(parts),
    world.home,
    supervised,
    landlockAbi,
    hole,
  ];
  const cache = `${world.tmp}/cache`;
  const [program, args] = asUser(world.user, Deno.execPath(), [
    ...["run", "-A", "--no-check", "--no-config", PROBING],
    JSON.stringify(request),
  ]);
  const { stdout, stderr } = await run(program, args, {
    env: { HOME: cache, DENO_DIR: cache, PATH: "/usr/bin:/bin" },
    cwd: "/",
  });
  if (stdout === "") throw new Error(stderr);
  const { probed, left } = JSON.parse(stdout);
  // What was there before: the key and the shell's file.
  assert.equal(left, 2);
  return probed;
}

function open(found: readonly Probed[]): string[] {
  return found.filter(({ ok }) => !ok).map(({ attempt }) => attempt);
}

function withHooks(world: World, parts: RunParts): RunParts {
  const path = `${world.project}/.git/hooks` as AbsPath;
  const why = { source: "git", text: "a test" } as const;
  const hooks = { path, state: "directory", tree: true, why } as const;
  return { ...parts, policy: { protected: [hooks] } };
}

claim("a probe finds everything closed", async (world) => {
  // Guards: a launch on a system where something is not enforced.
  const found = await probed(world, withHooks(world, HOSTS));
  assert.deepEqual(open(found), []);
  assert.deepEqual(found.map(({ id, found }) => `${id} ${found}`), [
    "files EACCES",
    "files EROFS",
    "files EROFS",
    "truncation EROFS",
    "metadata EROFS",
    "internet EACCES",
    "unix-sockets EACCES",
    "abstract-sockets EACCES",
    "signals EPERM",
    "processes EACCES",
    "processes EPERM",
    "terminal-input EPERM",
    "namespaces EPERM",
    "kernel-interfaces EPERM",
    "kernel-interfaces EPERM",
    "privileges succeeded",
    "protected-directories EROFS",
  ]);
});

claim("a probe works in every mode and with every version", async (world) => {
  // Guards: a probe that refuses a launch that is safe.
  const none = { network: { mode: "none" } } as const;
  for (
    const parts of [
      {},
      none,
      { ...none, supervised: true },
      { supervised: true },
      { ...HOSTS, landlockAbi: 1 },
      { ...HOSTS, landlockAbi: 5 },
    ]
  ) {
    const found = await probed(world, parts);
    assert.deepEqual(open(found), [], JSON.stringify(parts));
    assert.ok(found.length >= 14);
  }
});

claim("a probe finds what is not enforced", async (world) => {
  // Guards: Landlock that is there and does nothing, as in some containers.
  for (
    const [hole, expected] of [
      ["files", ["read a file", "write a file", "make a file", "empty a file"]],
      ["scopes", ["signal a process outside"]],
      ["network", ["connect to a port of this machine"]],
      ["sockets", ["connect to a Unix socket"]],
    ] as const
  ) {
    assert.deepEqual(open(await probed(world, HOSTS, hole)), expected, hole);
  }
  // A second wall stands where all that is not granted is mounted read-only.
  const walled = await probed(world, withHooks(world, HOSTS), "files");
  assert.deepEqual(open(walled), ["read a file"]);
});
