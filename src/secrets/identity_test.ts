import { ok, rejects, strictEqual, throws } from "node:assert/strict";
import { SecretsWorld } from "../../tests/support/secrets_world.ts";
import { join } from "../base/paths.ts";
import { findIdentity, giveIdentity } from "./identity.ts";
import type { EnvFacts } from "./types.ts";

function place(world: SecretsWorld) {
  return { host: world.host(), dirs: world.dirs };
}

function give(world: SecretsWorld, facts: EnvFacts): string {
  const { identity } = giveIdentity(facts, place(world));
  strictEqual(find(world, facts), identity);
  strictEqual(giveIdentity(facts, place(world)).identity, identity);
  return identity;
}

function find(world: SecretsWorld, facts: EnvFacts): string | undefined {
  return findIdentity(facts, place(world))?.identity;
}

Deno.test("findIdentity() finds none before one was given, and writes nothing", () => {
  using world = new SecretsWorld();
  world.repository("app");
  for (const facts of [world.named("work"), world.project("app", "p-1")]) {
    strictEqual(find(world, facts), undefined);
  }
  strictEqual(world.exists(".aenv/secrets"), false);
  strictEqual(world.exists("app/.git/aenv"), false);
});

Deno.test("a named env keeps its identity when it is renamed, and one that is made anew has another", () => {
  using world = new SecretsWorld();
  const identity = give(world, world.named("work"));
  ok(/^[0-9a-f]{32}$/.test(identity));
  const { envs } = world.dirs;
  Deno.renameSync(join(envs, "work"), join(envs, "job"));
  strictEqual(find(world, world.named("job")), identity);
  strictEqual(find(world, world.named("work")), undefined);
  ok(give(world, world.named("work")) !== identity);
});

Deno.test("a clone keeps its identity when it is moved, and all its work trees share it", () => {
  using world = new SecretsWorld();
  world.repository("app");
  const identity = give(world, world.project("app", "p-1"));
  strictEqual(world.mode("app/.git/aenv"), "700");
  strictEqual(world.mode("app/.git/aenv/id"), "600");
  world.git("app", "worktree", "add", "-q", "../tree");
  strictEqual(find(world, world.project("tree", "p-2")), identity);
  Deno.renameSync(world.path("app"), world.path("moved"));
  strictEqual(find(world, world.project("moved", "p-3")), identity);
  strictEqual(give(world, world.project("moved", "p-3")), identity);
});

Deno.test("projects in one repository have identities of their own", () => {
  using world = new SecretsWorld();
  world.repository("app");
  const root = give(world, world.project("app", "p-1"));
  const below = give(world, world.project("app/a/b", "p-2"));
  ok(root !== below);
  Deno.renameSync(world.path("app"), world.path("moved"));
  strictEqual(find(world, world.project("moved/a/b", "p-3")), below);
  for (const name of ["__proto__", "constructor"]) {
    ok(give(world, world.project(`moved/${name}`, "p-4")) !== root);
  }
});

Deno.test("a clone of a clone, an archive and a copy have no identity of the first", () => {
  using world = new SecretsWorld();
  world.repository("app");
  const identity = give(world, world.project("app", "p-1"));
  world.git(".", "clone", "-q", "app", "clone");
  strictEqual(find(world, world.project("clone", "p-2")), undefined);
  copyTree(world.path("app"), world.path("copy"));
  ok(world.exists("copy/.git/aenv/id"));
  const copy = world.project("copy", "p-3");
  strictEqual(find(world, copy), undefined);
  ok(give(world, copy) !== identity);
  strictEqual(find(world, world.project("app", "p-1")), identity);
});

Deno.test("a repository that brings an id along gets nothing for it", () => {
  using world = new SecretsWorld();
  world.repository("mine");
  give(world, world.project("mine", "p-1"));
  const id = world.read("mine/.git/aenv/id");
  world.repository("theirs");
  const facts = world.project("theirs", "p-2");
  // Made up, in the form that ids have.
  world.write("theirs/.git/aenv/id", `${"a".repeat(32)} ${"b".repeat(32)}\n`);
  strictEqual(find(world, facts), undefined);
  // Right for this home, and never given to anybody.
  world.write("theirs/.git/aenv/id", `${id.slice(0, 32)} ${"b".repeat(32)}\n`);
  strictEqual(find(world, facts), undefined);
  // Stolen from a clone that is still there.
  world.write("theirs/.git/aenv/id", id);
  strictEqual(find(world, facts), undefined);
  ok(give(world, facts) !== find(world, world.project("mine", "p-1")));
});

Deno.test("two homes give one clone an identity each, and leave the other's alone", () => {
  using one = new SecretsWorld();
  using two = new SecretsWorld();
  one.repository("app");
  const facts = one.project("app", "p-1");
  const first = give(one, facts);
  const there = { ...facts, slot: two.named("p-1").slot };
  ok(give(two, there) !== first);
  strictEqual(find(one, facts), first);
});

Deno.test("a project without git has the identity of its path, which another one at a slot of the same name has not", () => {
  using world = new SecretsWorld();
  const identity = give(world, world.project("plain", "p-1"));
  Deno.renameSync(world.path("plain"), world.path("moved"));
  strictEqual(find(world, world.project("moved", "p-2")), undefined);
  const collided = world.project("collided", "p-1");
  ok(find(world, collided) !== identity);
  // The slot is the other project's: its file says so.
  world.write(".aenv/envs/p-1/project", world.path("plain/aenv.toml"));
  strictEqual(find(world, collided), undefined);
});

Deno.test("a project that becomes a repository later keeps what it had", () => {
  using world = new SecretsWorld();
  const facts = world.project("app", "p-1");
  const identity = give(world, facts);
  world.repository("app");
  strictEqual(give(world, facts), identity);
});

Deno.test("findIdentity() believes no id that others can write or that a link leads to", async () => {
  using world = new SecretsWorld();
  const facts = world.named("work");
  give(world, facts);
  world.chmod(".aenv/envs/work/.secrets.id", 0o666);
  throws(() => find(world, facts), {
    code: "IO",
    message: /others may write it$/,
  });
  const id = world.read(".aenv/envs/work/.secrets.id");
  world.remove(".aenv/envs/work/.secrets.id");
  world.link(".aenv/envs/work/.secrets.id", world.write("elsewhere", id));
  await rejects(() => Promise.resolve().then(() => find(world, facts)), {
    code: "IO",
    message: /it is not a regular file$/,
  });
});

Deno.test("giveIdentity() writes no id through a link that a repository planted", () => {
  using world = new SecretsWorld();
  world.repository("app");
  Deno.mkdirSync(world.path("victim"));
  world.link("app/.git/aenv", world.path("victim"));
  throws(() => giveIdentity(world.project("app", "p-1"), place(world)), {
    code: "IO",
    message: /it is no directory$/,
  });
  strictEqual(world.names("victim").length, 0);
});

function copyTree(from: string, to: string): void {
  const { success } = new Deno.Command("cp", { args: ["-a", from, to] })
    .outputSync();
  ok(success);
}
