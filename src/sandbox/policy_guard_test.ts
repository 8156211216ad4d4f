import assert from "node:assert/strict";
import {
  SandboxWorld,
  type WorldOptions,
} from "../../tests/support/sandbox_world.ts";
import { parseGitConfig } from "./host_facts_git.ts";

/** What is protected below the world: state, path, `/**` for whole trees. */
function guarded(world: SandboxWorld, options?: WorldOptions): string[] {
  return world.policy(options).protected.map(({ path, state, tree }) =>
    `${state} ${path.slice(world.root.length + 1)}${tree ? "/**" : ""}`
  );
}

/** The built-in names in a directory without any of them. */
function names(dir: string): string[] {
  return [
    `missing ${dir}/.aenv-version`,
    `missing ${dir}/.claude/**`,
    `missing ${dir}/.codex/**`,
    `missing ${dir}/.envrc`,
    `missing ${dir}/.gitmodules`,
    `missing ${dir}/.idea/**`,
    `missing ${dir}/.mcp.json`,
    `missing ${dir}/.vscode/**`,
    `missing ${dir}/aenv.lock`,
    `missing ${dir}/aenv.toml`,
  ];
}

function gitNames(dir: string, state = "file"): string[] {
  return [
    `missing ${dir}/aenv/**`,
    `missing ${dir}/commondir`,
    `${state} ${dir}/config`,
    `missing ${dir}/config.worktree`,
    `directory ${dir}/hooks/**`,
  ];
}

function repository(world: SandboxWorld, dir: string): void {
  world.dir(dir);
  world.git(dir, "init", "-q", "-b", "main");
  world.file(`${dir}/x`, "x");
  world.git(dir, "add", "x");
  world.git(dir, "commit", "-q", "-m", "x");
}

Deno.test("what runs outside is protected in the project whether it is there or not", () => {
  using world = new SandboxWorld();
  assert.deepEqual(guarded(world), names("project"));
  world.file("project/.mcp.json", "{}");
  world.dir("project/.claude");
  const found = guarded(world);
  assert.ok(found.includes("file project/.mcp.json"));
  assert.ok(found.includes("directory project/.claude/**"));
});

Deno.test("hooks and configuration of the repository are protected, and its .git in its place", () => {
  using world = new SandboxWorld();
  repository(world, "project");
  assert.deepEqual(guarded(world), [
    "missing project/.aenv-version",
    "missing project/.claude/**",
    "missing project/.codex/**",
    "missing project/.envrc",
    "directory project/.git",
    ...gitNames("project/.git"),
    ...names("project").slice(4),
  ]);
  const policy = world.policy();
  const allowed = ["objects/x", "refs/heads/x", "HEAD", "index.lock", "info/x"]
    .every((name) =>
      world.allows(policy, "create", world.at(`project/.git/${name}`))
    );
  assert.ok(allowed);
});

Deno.test("every directory from the cwd up to the root of the project is looked at, and none outside", () => {
  using world = new SandboxWorld();
  world.dir("project/a/b");
  const found = guarded(world, { cwd: "project/a/b", root: "project" });
  for (const dir of ["project", "project/a", "project/a/b"]) {
    for (const name of names(dir)) assert.ok(found.includes(name), name);
  }
  assert.equal(found.length, 30);
});

Deno.test("where a protected link leads is protected too", () => {
  using world = new SandboxWorld();
  world.file("project/shared/settings.json", "{}");
  world.link("project/.claude", "shared");
  const found = guarded(world);
  assert.ok(found.includes("symlink project/.claude/**"));
  assert.ok(found.includes("directory project/shared/**"));
});

Deno.test("a worktree gets the directory of its repository, with hooks and configuration protected", () => {
  using world = new SandboxWorld();
  repository(world, "main");
  world.git("main", "worktree", "add", "-q", world.at("tree"));
  const policy = world.policy({ cwd: "tree" });
  const { grants } = policy;
  assert.ok(
    grants.some(({ path, access }) =>
      path === world.at("main/.git") && access === "write"
    ),
  );
  assert.ok(!world.allows(policy, "read", world.at("main/x")));
  assert.ok(!world.allows(policy, "write", world.at("main/.git/config")));
  assert.ok(!world.allows(policy, "create", world.at("main/.git/hooks/x")));
  assert.ok(!world.allows(policy, "write", world.at("tree/.git")));
  assert.ok(
    world.allows(policy, "create", world.at("main/.git/worktrees/tree/index")),
  );
});

Deno.test("a .git file that points to somebody else's directory gives nothing", () => {
  using world = new SandboxWorld();
  repository(world, "other");
  world.git("other", "worktree", "add", "-q", world.at("tree"));
  world.dir("home/secret");
  for (
    const target of [
      world.at("other/.git"),
      world.at("other/.git/worktrees/tree"),
      world.at("home/secret"),
      "../home/secret",
    ]
  ) {
    world.file("project/.git", `gitdir: ${target}\n`);
    const policy = world.policy();
    const writable = policy.grants.filter(({ access }) => access === "write")
      .map(({ path }) => path).filter((path) =>
        !path.startsWith(world.aenvHome)
      );
    assert.deepEqual(writable, [world.at("project")], target);
    assert.equal(policy.leftOut.length, 1, target);
  }
});

Deno.test("a forged directory of a worktree must lie in the repository that it names", () => {
  using world = new SandboxWorld();
  repository(world, "other");
  // Made inside: the pointers fit each other, and lead to a foreign common directory.
  world.file("project/fake/gitdir", `${world.at("project")}/.git\n`);
  world.file("project/fake/commondir", `${world.at("other/.git")}\n`);
  world.file("project/.git", "gitdir: fake\n");
  const policy = world.policy();
  assert.ok(!world.allows(policy, "read", world.at("other/.git/config")));
  assert.match(policy.leftOut[0]!.why, /is not the directory of this worktree/);
});

Deno.test("submodules and the hooks that core.hooksPath names are protected", () => {
  using world = new SandboxWorld();
  repository(world, "library");
  repository(world, "project");
  world.git(
    "project",
    ...["-c", "protocol.file.allow=always", "submodule", "add", "-q"],
    ...[world.at("library"), "library"],
  );
  world.git("project", "config", "core.hooksPath", ".husky/_");
  world.dir("project/.husky/_");
  const found = guarded(world);
  const modules = "project/.git/modules/library";
  for (const name of gitNames(modules)) assert.ok(found.includes(name), name);
  assert.ok(found.includes("file project/library/.git"));
  assert.ok(found.includes("directory project/.husky/**"));
  // Started in the submodule: its git directory lies in the repository above.
  const inside = world.policy({ cwd: "project/library" });
  assert.ok(world.allows(inside, "create", world.at(`${modules}/index`)));
  assert.ok(!world.allows(inside, "write", world.at(`${modules}/config`)));
  assert.ok(!world.allows(inside, "read", world.at("project/x")));
});

Deno.test("other writable directories are guarded like projects, and manifests wherever they lie", () => {
  using world = new SandboxWorld();
  repository(world, "shared");
  world.file("shared/conf/aenv.toml");
  const found = guarded(world, {
    wishes: { paths: [{ path: "../shared", access: "rw" }] },
    input: { manifests: [world.at("shared/conf/aenv.toml")] },
  });
  assert.ok(found.includes("directory shared/.git/hooks/**"));
  assert.ok(found.includes("missing shared/.envrc"));
  assert.ok(found.includes("file shared/conf/aenv.toml"));
  assert.ok(found.includes("missing shared/conf/aenv.lock"));
});

Deno.test("protect adds names and patterns, and directories of PATH in the project are protected", () => {
  using world = new SandboxWorld();
  world.file("project/.env.local");
  world.dir("project/tools");
  world.dir("project/node_modules/.bin");
  const dirs = ["project/tools", "project/node_modules/.bin"];
  const options = {
    wishes: { protect: [".env", ".env.*", "secret/key"] },
    input: {
      variables: { PATH: dirs.map((dir) => world.at(dir)).join(":") },
    },
  };
  const found = guarded(world, options);
  for (
    const name of [
      "missing project/.env/**",
      "file project/.env.local/**",
      "missing project/secret/key/**",
      "directory project/tools/**",
    ]
  ) assert.ok(found.includes(name), name);
  // Package managers write there: said, not forbidden.
  assert.deepEqual(world.policy(options).leftOut.map(({ path }) => path), [
    world.at("project/node_modules/.bin"),
  ]);
});

Deno.test("parts of the agent's own state that steer the next session are protected", () => {
  using world = new SandboxWorld();
  const path = world.at("home/.aenv/envs/e/claude/settings.json");
  const why = { source: "agent", text: "it steers" } as const;
  const found = guarded(world, {
    input: { guarded: [{ path, tree: false, why }] },
  });
  assert.ok(found.includes("missing home/.aenv/envs/e/claude/settings.json"));
});

Deno.test("parseGitConfig() reads sections, quoted values and remarks", () => {
  const text = [
    "[core] bare = false",
    '  hooksPath = "a b"  ; remark',
    "[Include]",
    "\tpath = ~/x # remark",
    '[includeIf "gitdir:~/w/"] path=y',
    "[alias]",
    "  x",
    "nonsense ] = ",
  ].join("\n");
  assert.deepEqual(
    parseGitConfig(text).map(({ section, key, value }) =>
      `${section}|${key}|${value}`
    ),
    [
      "core|bare|false",
      "core|hookspath|a b",
      "include|path|~/x",
      "includeif gitdir:~/w/|path|y",
      "alias|x|true",
    ],
  );
});
