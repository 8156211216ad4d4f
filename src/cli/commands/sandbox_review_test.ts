import assert from "node:assert/strict";
import { CommandHome } from "../../../tests/support/command_home.ts";
import type { AbsPath } from "../../base/paths.ts";
import { closeDescriptor } from "../../os/fds.ts";
import { beginProtected, endProtected } from "../../sandbox/mod.ts";
import { command } from "./sandbox_review.ts";

const MANIFEST = '[env]\nname = "e"\n';

/** A project in which a session made a hook and changed a file. */
async function changed(): Promise<CommandHome> {
  const home = new CommandHome(MANIFEST);
  const project = `${home.path}/repo` as AbsPath;
  const dir = `${home.path}/home/.aenv/envs/e/protect` as AbsPath;
  const why = { source: "builtin", text: "agents run it" } as const;
  const paths = [".claude", ".envrc"].map((name) => ({
    path: `${project}/${name}` as AbsPath,
    state: "missing" as const,
    tree: true,
    why,
  }));
  Deno.writeTextFileSync(`${project}/.envrc`, "mine");
  const session = "999999999-1";
  const begun = await beginProtected({ dir, project }, paths, session);
  Deno.mkdirSync(`${project}/.claude/hooks`, { recursive: true });
  Deno.writeTextFileSync(`${project}/.claude/hooks/a\u001b[31m`, "evil");
  Deno.writeTextFileSync(`${project}/.envrc`, "evil");
  await endProtected(begun.session!);
  for (const fd of [begun.session!.held, begun.session!.seen?.fd]) {
    if (fd !== undefined) closeDescriptor(fd);
  }
  return home;
}

Deno.test("sandbox review shows what changed, with exit code 1, and nothing when nothing did", async () => {
  using home = await changed();
  const outcome = await home.run(command);
  assert.equal(outcome.exitCode, 1);
  assert.equal(
    outcome.text(),
    [
      `${home.path}/repo:`,
      "  made             .claude/  (agents run it)",
      "  written          .envrc  (agents run it)",
    ].join("\n"),
  );
  using clean = new CommandHome(MANIFEST);
  const nothing = await clean.run(command);
  assert.deepEqual([nothing.text(), nothing.exitCode], ["", 0]);
});

Deno.test("sandbox review --revert puts the files back and says where the others lie", async () => {
  using home = await changed();
  const outcome = await home.run(command, "--revert");
  assert.match(
    outcome.text(),
    /^put back in .*\/repo:\n {2}made .*\n {2}written .*\nwhat was there is kept in ~\//,
  );
  assert.equal(Deno.readTextFileSync(`${home.path}/repo/.envrc`), "mine");
  assert.throws(() => Deno.lstatSync(`${home.path}/repo/.claude`));
  assert.equal((await home.run(command)).exitCode, 0);
});

Deno.test("sandbox review --accept takes the files as they are", async () => {
  using home = await changed();
  await home.run(command, "--accept");
  assert.equal(Deno.readTextFileSync(`${home.path}/repo/.envrc`), "evil");
  assert.equal((await home.run(command)).exitCode, 0);
  const again = await home.run(command, "--accept");
  assert.equal(again.text(), "nothing has changed");
});

Deno.test("sandbox review takes one of --accept and --revert", async () => {
  using home = await changed();
  await assert.rejects(
    () => home.run(command, "--accept", "--revert"),
    (error: { code?: string }) => error.code === "USAGE",
  );
});
