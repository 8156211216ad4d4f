/** Changes of what a policy rests on. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { SandboxWorld, WorldOptions } from "./sandbox_world.ts";

/** Names below a world that changes are made to: what a policy looks at, and what lies around it. */
const NAMES = [
  "project",
  "project/.git",
  "project/.git/config",
  "project/.git/hooks",
  "project/.git/modules/m/HEAD",
  "project/.git/worktrees/w",
  "project/.mcp.json",
  "project/.claude",
  "project/.vscode",
  "project/sub/.git",
  "project/src/a",
  "project/link",
  "data",
  "data/deep",
  "data/a.txt",
  "home/.gitconfig",
  "home/.npmrc",
  "home/.config/git/config",
  "home/.cargo",
  "home/bin",
  "home/bin/tool",
  "home/bin/lib",
  "home/.aenv/envs/e/claude",
  "elsewhere/tool",
  "home/.cache/npm",
] as const;
const TEXTS = [
  "",
  "a = b\n",
  "//registry.example/:_authToken=npm_0123456789012345678901234567890123\n",
  "[core]\n\thooksPath = tools\n",
  '[include]\n\tpath = extra\n[user]\n\tname = "x"\n',
  "#!/bin/sh\n",
  "gitdir: ../elsewhere\n",
] as const;

const name = fc.constantFrom(...NAMES);
/** One change of anything that a policy rests on. */
export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    do: fc.constant("write"),
    at: name,
    text: fc.constantFrom(...TEXTS),
  }),
  fc.record({ do: fc.constant("remove"), at: name, text: fc.constant("") }),
  fc.record({ do: fc.constant("mkdir"), at: name, text: fc.constant("") }),
  fc.record({ do: fc.constant("link"), at: name, text: name }),
  fc.record({ do: fc.constant("move"), at: name, text: name }),
  fc.record({ do: fc.constant("chmod"), at: name, text: fc.constant("") }),
);

/** What is done to an entry of a world. */
export interface Change {
  readonly do: string;
  readonly at: string;
  readonly text: string;
}

/** Makes a change, as far as it is possible. */
export function applyChange(
  world: SandboxWorld,
  { do: kind, at, text }: Change,
): void {
  const path = world.at(at);
  try {
    switch (kind) {
      case "write":
        world.file(at, text);
        break;
      case "mkdir":
        world.dir(at);
        break;
      case "remove":
        Deno.removeSync(path, { recursive: true });
        break;
      case "link":
        Deno.removeSync(path, { recursive: true });
        Deno.symlinkSync(world.at(text), path);
        break;
      case "move":
        Deno.renameSync(path, world.at(text));
        break;
      case "chmod":
        Deno.chmodSync(path, 0o700);
    }
  } catch (error) {
    // Most changes do not fit what is there.
    assert.ok(error instanceof Error && "code" in error, String(error));
  }
}

/** A launch that looks at much of a world. */
export function busyOptions({ root }: SandboxWorld): WorldOptions {
  return {
    wishes: {
      paths: [
        { path: `${root}/data`, access: "rw" },
        { path: `${root}/data/*.txt`, access: "ro" },
        { path: "link", access: "ro" },
      ],
      cacheDirs: ["~/.cache/npm"],
      protect: [".env", "src/*"],
    },
    input: {
      variables: { PATH: `${root}/home/bin:/usr/bin:/bin` },
      environment: [{ name: "PATH", passes: true, why: "system" }],
    },
  };
}
