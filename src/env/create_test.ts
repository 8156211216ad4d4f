import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { parseManifest } from "../manifest/mod.ts";
import { createEnv } from "./create.ts";

function create(
  world: EnvWorld,
  name: string,
  options: { from?: string; bare?: boolean; sandbox?: boolean } = {},
) {
  const { from, bare = false, sandbox = true } = options;
  return createEnv({ name, from, bare, sandbox }, world.host());
}

/** `[plugins]` and `[skills]` of these sources. */
function sources(plugin: string, skill: string): string {
  return `
[[plugins.enabled]] # a plugin
name = "p"
source = "${plugin}" # from here

[[skills.enabled]]
name = "s"
source = "${skill}"
`;
}

Deno.test("createEnv() makes a closed env with a valid manifest", async () => {
  using world = new EnvWorld();
  const umask = Deno.umask(0);
  try {
    await create(world, "a");
    await create(world, "b", { bare: true });
  } finally {
    Deno.umask(umask);
  }
  for (const name of ["a", "b"]) {
    const manifest = world.read(`.aenv/envs/${name}/aenv.toml`);
    strictEqual(parseManifest(manifest, "m").name, name);
    strictEqual(world.mode(`.aenv/envs/${name}`), "700");
    strictEqual(world.mode(`.aenv/envs/${name}/aenv.toml`), "600");
  }
  strictEqual(world.mode(".aenv"), "700");
  ok(!world.read(".aenv/envs/b/aenv.toml").includes("#"));
});

Deno.test("createEnv() makes an env with the sandbox or without, and a copy has that of its source", async () => {
  using world = new EnvWorld();
  for (const sandbox of [true, false]) {
    const [made, bare, copy] = sandbox ? ["a", "b", "c"] : ["d", "e", "f"];
    const results = [
      await create(world, made!, { sandbox }),
      await create(world, bare!, { sandbox, bare: true }),
      await create(world, copy!, { sandbox: !sandbox, from: made! }),
    ];
    for (const { name, confined } of results) {
      const text = world.read(`.aenv/envs/${name}/aenv.toml`);
      const { enabled = false } = parseManifest(text, "m").sandbox ?? {};
      deepStrictEqual([enabled, confined], [sandbox, sandbox], name);
    }
  }
});

Deno.test("createEnv() refuses names that are bad, reserved or taken, and makes nothing", async () => {
  using world = new EnvWorld();
  const bad = ["", "..", ".x", "-x", "a/b", "a b", "a\n", "é", "x".repeat(300)];
  for (const name of bad) {
    await rejects(create(world, name), { code: "NAME_INVALID" }, name);
  }
  for (const name of ["global", "Global"]) {
    await rejects(create(world, name), { code: "ENV_RESERVED" }, name);
  }
  strictEqual(world.exists(".aenv"), false);
  world.env("a");
  const before = world.tree(".aenv/envs");
  await rejects(create(world, "a"), { code: "ENV_EXISTS" });
  await rejects(create(world, "a", { from: "a" }), { code: "ENV_EXISTS" });
  deepStrictEqual(world.tree(".aenv/envs"), before);
});

Deno.test("createEnv() copies an env: comments stay, only the name changes, its own sources come along", async () => {
  using world = new EnvWorld();
  const old = world.path(".aenv/envs/old");
  const rest = `description = "d" # why
[vars]
PLACE = "${old}/data"
${sources("./plugins/p", "../shared/s")}`;
  world.env("old", rest);
  world.write(".aenv/envs/old/plugins/p/commands/c.md", `in ${old}/x`);
  world.write(".aenv/envs/old/plugins/p/.env", "SECRET");
  world.write(".aenv/envs/old/aenv.lock", "# lock\n");
  world.write(".aenv/envs/old/claude/settings.json", '{"model":"m"}');
  world.write(".aenv/envs/old/claude/projects/x.jsonl", "SECRET");
  world.write(".aenv/envs/old/installed/h/p/x", "generated");
  const made = await create(world, "new", { from: "old" });
  deepStrictEqual(made.leftOut, [
    { path: "plugins/p/.env", why: "it may hold a login" },
  ]);
  const copy = world.tree(".aenv/envs/new");
  const place = world.path(".aenv/envs/new");
  deepStrictEqual(Object.keys(copy).sort(), [
    "aenv.lock",
    "aenv.toml",
    "claude/.claude.json",
    "claude/settings.json",
    "plugins/p/commands/c.md",
  ]);
  strictEqual(
    copy["aenv.toml"],
    world.read(".aenv/envs/old/aenv.toml").replace('"old"', '"new"')
      .replaceAll(old, place),
  );
  strictEqual(copy["plugins/p/commands/c.md"], `in ${place}/x`);
  ok(!JSON.stringify(copy).includes(old));
});

Deno.test("createEnv() copies a project: its sources become absolute, its hook stays behind", async () => {
  using world = new EnvWorld();
  const file = "p/aenv.toml";
  world.write(
    file,
    `# project
[env]
name = "app"
${sources("./plugins/p", "~/skills/s")}
[sandbox]
paths = ["../data:ro", "~/x:rw"]
[hooks]
pre_activate = "echo hi" # boo
`,
  );
  for (const from of ["..", "../aenv.toml"]) {
    const name = from === ".." ? "one" : "two";
    const made = await create(world, name, { from });
    deepStrictEqual(made.leftOut.map((item) => item.path), [
      "aenv.toml: hooks.pre_activate",
    ]);
    const text = world.read(`.aenv/envs/${name}/aenv.toml`);
    const manifest = parseManifest(text, "m");
    strictEqual(manifest.name, name);
    strictEqual(manifest.preActivate, undefined);
    deepStrictEqual(
      [...manifest.plugins, ...manifest.skills].map((entry) => entry.source),
      [world.path("p/plugins/p"), "~/skills/s"],
    );
    deepStrictEqual(manifest.sandbox?.paths.map((grant) => grant.path), [
      world.path("data"),
      "~/x",
    ]);
    ok(text.includes("# project") && text.includes("# from here"));
  }
});

Deno.test("createEnv() copies the manifest that was checked, not what stands in the file afterwards", async () => {
  using world = new EnvWorld();
  const checked = '[env]\nname = "app"\n[vars]\nA = "checked"\n';
  world.write("p/aenv.toml", checked);
  await createEnv({
    name: "copy",
    from: "../aenv.toml",
    bare: false,
    sandbox: true,
    check: () => world.write("p/aenv.toml", checked.replace("checked", "evil")),
  }, world.host());
  match(world.read(".aenv/envs/copy/aenv.toml"), /A = "checked"/);
});

Deno.test("createEnv() copies the user's own configuration from global, and only that", async () => {
  using world = new EnvWorld();
  world.write(".claude/CLAUDE.md", "mine");
  world.write("secret.txt", "SECRET");
  await create(world, "mine", { from: "global" });
  deepStrictEqual(Object.keys(world.tree(".aenv/envs/mine")).sort(), [
    "aenv.toml",
    "claude/.claude.json",
    "claude/CLAUDE.md",
  ]);
});

Deno.test("createEnv() leaves nothing behind when a copy fails", async () => {
  using world = new EnvWorld();
  world.env("old");
  // A lock that is a directory cannot be read: the copy fails after it has begun.
  world.write(".aenv/envs/old/aenv.lock/x", "");
  await rejects(create(world, "new", { from: "old" }), { code: "IO" });
  deepStrictEqual(world.names(".aenv/envs"), ["old"]);
});

Deno.test("createEnv() refuses a source that cannot be opened", async () => {
  using world = new EnvWorld();
  world.write(".aenv/envs/broken/aenv.toml", "[env]");
  const cases: readonly (readonly [string, string])[] = [
    ["ghost", "ENV_NOT_FOUND"],
    ["broken", "MANIFEST_INVALID"],
    ["./", "ENV_NOT_FOUND"],
    ["a b", "NAME_INVALID"],
  ];
  for (const [from, code] of cases) {
    await rejects(create(world, "new", { from }), { code }, from);
  }
  await rejects(create(world, "new", { from: "global", bare: true }), {
    code: "USAGE",
  });
  deepStrictEqual(world.names(".aenv/envs"), ["broken"]);
});

Deno.test("createEnv() lets only one of two at once have a name", async () => {
  using world = new EnvWorld();
  const results = await Promise.allSettled(
    [1, 2, 3].map(() => create(world, "same")),
  );
  deepStrictEqual(results.map((result) => result.status).sort(), [
    "fulfilled",
    "rejected",
    "rejected",
  ]);
  deepStrictEqual(world.names(".aenv/envs"), ["same"]);
});
