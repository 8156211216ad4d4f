import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { parseEnvName } from "../base/ids.ts";
import { projectSlotName } from "./open.ts";
import { renameEnv } from "./rename.ts";
import { beginRun } from "./runs.ts";

Deno.test("renameEnv() moves the env: comments stay, its files lead to the new place, the default follows", async () => {
  using world = new EnvWorld();
  const old = world.path(".aenv/envs/old");
  world.env("old", `description = "d" # why\n[vars]\nA = "${old}/x"\n`);
  const slot = ".aenv/envs/old";
  const untouched = `said ${old}`;
  world.write(`${slot}/claude/settings.json`, `{"a":"${old}/claude/x.sh"}`);
  world.write(`${slot}/claude/.claude.json`, `{"b":"~/${slot}/claude"}`);
  world.write(`${slot}/claude/plugins/installed_plugins.json`, `"${old}/y"`);
  world.write(`${slot}/claude/projects/p/s.jsonl`, untouched);
  world.write(`${slot}/claude/skills/s/SKILL.md`, "plain");
  world.write(`${slot}/installed/h/p/x`, untouched);
  world.link(`${slot}/claude/link`, `${old}/claude/skills`);
  world.write(".aenv/config.toml", '# c\ndefault_env = "old"\n');
  const pin = world.write("p/.aenv-version", "old\n");
  const manifest = world.read(`${slot}/aenv.toml`);
  const done = await renameEnv({ from: "old", to: "new" }, world.host());
  const place = world.path(".aenv/envs/new");
  deepStrictEqual(done, {
    from: "old",
    to: "new",
    path: place,
    movedDefault: true,
    dangling: [{ kind: "pin", where: pin }],
  });
  deepStrictEqual(world.names(".aenv/envs"), ["new"]);
  deepStrictEqual(world.tree(".aenv/envs/new"), {
    "aenv.toml": manifest.replace('"old"', '"new"').replace(old, place),
    "claude/.claude.json": '{"b":"~/.aenv/envs/new/claude"}',
    "claude/link": `-> ${place}/claude/skills`,
    "claude/plugins/installed_plugins.json": `"${place}/y"`,
    "claude/projects/p/s.jsonl": untouched,
    "claude/settings.json": `{"a":"${place}/claude/x.sh"}`,
    "claude/skills/s/SKILL.md": "plain",
    "installed/h/p/x": untouched,
  });
  strictEqual(world.read(".aenv/config.toml"), '# c\ndefault_env = "new"\n');
});

Deno.test("renameEnv() refuses names that are bad or taken, and leaves all as it was", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.env("b");
  world.write(".aenv/envs/broken/aenv.toml", "[env");
  const before = world.tree(".aenv/envs");
  const cases: readonly (readonly [string, string, string])[] = [
    ["a", "b", "ENV_EXISTS"],
    ["a", "a", "ENV_EXISTS"],
    ["a", "global", "ENV_RESERVED"],
    ["global", "c", "ENV_RESERVED"],
    ["a", "..", "NAME_INVALID"],
    ["ghost", "c", "ENV_NOT_FOUND"],
    ["broken", "c", "MANIFEST_INVALID"],
  ];
  for (const [from, to, code] of cases) {
    const names = `${from} to ${to}`;
    await rejects(renameEnv({ from, to }, world.host()), { code }, names);
  }
  deepStrictEqual(world.tree(".aenv/envs"), before);
});

Deno.test("renameEnv() refuses a project's slot and says what to change", async () => {
  using world = new EnvWorld();
  const manifest = world.write("p/aenv.toml", '[env]\nname = "app"\n');
  const slot = projectSlotName(parseEnvName("app"), world.path("p"));
  world.write(`.aenv/envs/${slot}/project`, manifest + "\n");
  await rejects(renameEnv({ from: slot, to: "c" }, world.host()), {
    code: "NOT_SUPPORTED",
    hint: `Change [env].name in ${manifest}`,
  });
});

Deno.test("renameEnv() refuses while an agent runs in the env", async () => {
  using world = new EnvWorld();
  world.env("a");
  const run = { label: "a", slotName: "a", agent: "claude", cwd: "/" };
  beginRun(world.dirs, world.host(), run);
  await rejects(renameEnv({ from: "a", to: "b" }, world.host()), {
    code: "ENV_BUSY",
  });
  deepStrictEqual(world.names(".aenv/envs"), ["a"]);
});

Deno.test("renameEnv() undoes everything when the last step fails", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.write(
    ".aenv/envs/a/claude/settings.json",
    `{"a":"${world.path(".aenv/envs/a")}"}`,
  );
  // So deep that config.toml can be read there, but no temporary file with its longer name be made: also for root.
  const longest = Deno.build.os === "linux" ? 4096 : 1024;
  const room = longest - 26 - world.home.length;
  const deep = `${"d".repeat(room % 100 + 99)}/${"d".repeat(99)}`;
  const dir = deep + `/${"d".repeat(99)}`.repeat((room - deep.length) / 100);
  world.write(`${dir}/config.toml`, 'default_env = "a"\n');
  world.link(".aenv/config.toml", world.path(`${dir}/config.toml`));
  const before = world.tree(".aenv/envs");
  await rejects(renameEnv({ from: "a", to: "b" }, world.host()), {
    code: "IO",
    message: /the name is too long/,
  });
  deepStrictEqual(world.tree(".aenv/envs"), before);
});
