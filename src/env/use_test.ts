import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { useEnv, useTarget } from "./use.ts";

const PIN = "p/sub/.aenv-version";

function use(
  world: EnvWorld,
  name: string,
  options: { global?: boolean; env?: Record<string, string> } = {},
) {
  return useEnv(
    { name, global: options.global ?? false },
    world.host(options.env),
  );
}

Deno.test("useEnv() pins an env, or global, to the current directory", async () => {
  using world = new EnvWorld();
  world.env("a");
  deepStrictEqual(await use(world, "a"), {
    name: "a",
    kind: "pin",
    file: world.path(PIN),
    shadowedBy: [],
    mismatch: undefined,
  });
  strictEqual(world.read(PIN), "a\n");
  strictEqual(world.mode(PIN), "644");
  await use(world, "global");
  strictEqual(world.read(PIN), "global\n");
  deepStrictEqual(world.names("p/sub"), [".aenv-version"]);
});

Deno.test("useEnv() refuses what cannot be opened and writes nothing", async () => {
  using world = new EnvWorld();
  world.write(".aenv/envs/broken/aenv.toml", "[env");
  const cases: readonly (readonly [string, string])[] = [
    ["ghost", "ENV_NOT_FOUND"],
    ["broken", "MANIFEST_INVALID"],
    ["Global", "ENV_RESERVED"],
    ["..", "NAME_INVALID"],
    ["a\nb", "NAME_INVALID"],
  ];
  for (const [name, code] of cases) {
    for (const global of [false, true]) {
      await rejects(use(world, name, { global }), { code }, name);
    }
  }
  strictEqual(world.exists(PIN), false);
  strictEqual(world.exists(".aenv/config.toml"), false);
});

Deno.test("useEnv() replaces a link and does not write where it leads", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.write("precious", "mine");
  world.link(PIN, world.path("precious"));
  await use(world, "a");
  strictEqual(world.read("precious"), "mine");
  deepStrictEqual(world.tree("p/sub"), { ".aenv-version": "a\n" });
  world.remove(PIN);
  world.write(`${PIN}/x`, "");
  await rejects(use(world, "a"), { code: "PATH_INVALID" });
});

Deno.test("useEnv() with global sets the default and keeps comments", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.write(".aenv/config.toml", '# mine\n[agents]\nclaude = "/x"\n');
  const done = await use(world, "a", { global: true });
  strictEqual(done.kind, "default_env");
  strictEqual(
    world.read(".aenv/config.toml").replaceAll(/\n+/g, "\n"),
    '# mine\ndefault_env = "a"\n[agents]\nclaude = "/x"\n',
  );
});

Deno.test("useEnv() says what comes before, unless the shell function clears it", async () => {
  using world = new EnvWorld();
  world.env("a");
  const env = { AENV: "b", AENV_OVERRIDE: "global", AENV_SHELL: "c" };
  const shadows = async (more: Record<string, string>, global = false) =>
    (await use(world, "a", { env: { ...env, ...more }, global })).shadowedBy;
  deepStrictEqual(await shadows({}), ["AENV_OVERRIDE", "AENV"]);
  const inFunction = { AENV_SHELL_FUNCTION: "1" };
  deepStrictEqual(await shadows(inFunction), []);
  deepStrictEqual(await shadows(inFunction, true), [
    "AENV_OVERRIDE",
    "AENV",
    "AENV_SHELL",
    world.path(PIN),
  ]);
});

Deno.test("useEnv() in a project explains that its manifest decides", async () => {
  using world = new EnvWorld();
  const manifest = world.write("p/aenv.toml", '[env]\nname = "app"\n');
  const done = await use(world, "app");
  deepStrictEqual([done.kind, done.file], ["manifest", manifest]);
  strictEqual(world.exists(PIN), false);
  await rejects(use(world, "app", { global: true }), {
    code: "ENV_NOT_FOUND",
  });
  const pin = world.write(PIN, "other\n");
  await rejects(use(world, "app"), {
    code: "ENV_NOT_FOUND",
    hint: `Remove that pin: rm ${pin}`,
  });
  // A global env of that name is another env: it can be pinned.
  world.env("app");
  strictEqual((await use(world, "app")).kind, "pin");
});

Deno.test("useEnv() warns when the installed claude is not what the manifest was made for", async () => {
  using world = new EnvWorld();
  world.env("a", 'compat = { claude = ">=3" }\n');
  world.write("bin/claude", "#!/bin/sh\necho '2.1.5 (Claude Code)'\n");
  world.chmod("bin/claude", 0o755);
  const env = { PATH: world.path("bin") };
  const done = await use(world, "a", { env });
  strictEqual(done.mismatch, "version 2.1.5 is outside >=3");
  strictEqual((await use(world, "a")).mismatch, undefined);
});

Deno.test("useTarget() names what exists, and nothing else", () => {
  using world = new EnvWorld();
  world.env("a");
  const host = world.host();
  const seen = ["a", "global", "ghost", "..", ""].map((name) =>
    useTarget(name, host)
  );
  deepStrictEqual(seen, ["a", "global", undefined, undefined, undefined]);
});
