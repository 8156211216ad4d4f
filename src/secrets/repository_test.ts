import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { SecretsWorld } from "../../tests/support/secrets_world.ts";
import { findRepository } from "./repository.ts";

Deno.test("findRepository() finds clones, work trees and submodules, and where in them a project lies", () => {
  using world = new SecretsWorld();
  world.repository("app");
  world.repository("part");
  Deno.mkdirSync(world.path("app/a/b"), { recursive: true });
  world.git("app", "worktree", "add", "-q", "../tree");
  world.git("app", "submodule", "--quiet", "add", "../part", "part");
  const commonDir = world.path("app/.git");
  const found = (dir: string) => findRepository(world.path(dir));
  deepStrictEqual(found("app"), { commonDir, subdir: "" });
  deepStrictEqual(found("app/a/b"), { commonDir, subdir: "a/b" });
  deepStrictEqual(found("tree"), { commonDir, subdir: "" });
  deepStrictEqual(found("app/part"), {
    commonDir: world.path("app/.git/modules/part"),
    subdir: "",
  });
});

Deno.test("findRepository() finds none outside of one, and in what is no repository", () => {
  using world = new SecretsWorld();
  Deno.mkdirSync(world.path("plain/.git"), { recursive: true });
  strictEqual(findRepository(world.path("plain")), undefined);
  strictEqual(findRepository(world.home), undefined);
});

Deno.test("findRepository() follows no .git to a clone that does not know of it", () => {
  using world = new SecretsWorld();
  world.repository("mine");
  world.git("mine", "worktree", "add", "-q", "../tree");
  const theirs = world.path("theirs");
  Deno.mkdirSync(theirs);
  const pointers = [
    `gitdir: ${world.path("mine/.git")}`,
    `gitdir: ${world.path("mine/.git/worktrees/tree")}`,
    "gitdir: ../mine/.git",
    "gitdir: fake",
    "nonsense",
    "",
  ];
  // A directory that claims to be a work tree of the clone, packed with the project.
  world.write("theirs/fake/HEAD", "ref: x\n");
  world.write("theirs/fake/gitdir", `${theirs}/.git\n`);
  world.write("theirs/fake/commondir", "../../mine/.git\n");
  for (const text of pointers) {
    world.write("theirs/.git", text + "\n");
    strictEqual(findRepository(world.path("theirs")), undefined, text);
  }
  world.remove("theirs/.git");
  world.link("theirs/.git", world.path("mine/.git"));
  strictEqual(findRepository(world.path("theirs")), undefined);
});

Deno.test("findRepository() takes a .git directory for what it is, whatever is written in it", () => {
  using world = new SecretsWorld();
  world.repository("mine");
  world.repository("theirs");
  world.write("theirs/.git/commondir", world.path("mine/.git") + "\n");
  world.write("theirs/.git/gitdir", world.path("mine/.git") + "\n");
  strictEqual(
    findRepository(world.path("theirs"))?.commonDir,
    world.path("theirs/.git"),
  );
});
