import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import type { AppError } from "../base/errors.ts";
import { initHome } from "./init.ts";

const NO_DEFAULT = { program: undefined, makeDefault: false };
const DEFAULT = { program: undefined, makeDefault: true };

Deno.test("initHome() makes a closed home with all shims, whatever the umask", async () => {
  using world = new EnvWorld();
  const program = world.write("bin/program", "x");
  const umask = Deno.umask(0);
  try {
    const made = await initHome(
      { program, makeDefault: false },
      world.host(),
    );
    deepStrictEqual(made.madeShims, [
      world.path(".aenv/shims/claude"),
      world.path(".aenv/shims/codex"),
      world.path(".aenv/shims/aenv"),
    ]);
  } finally {
    Deno.umask(umask);
  }
  for (const dir of ["", "/envs", "/shims", "/runs", "/cache"]) {
    strictEqual(world.mode(`.aenv${dir}`), "700", dir);
  }
  deepStrictEqual(world.tree(".aenv/shims"), {
    aenv: `-> ${program}`,
    claude: `-> ${program}`,
    codex: `-> ${program}`,
  });
});

Deno.test("initHome() again mends what is wrong and nothing else", async () => {
  using world = new EnvWorld();
  const program = world.write("bin/program", "x");
  const input = { program, makeDefault: true };
  await initHome(input, world.host());
  const again = await initHome(input, world.host());
  deepStrictEqual(again.madeShims, []);
  strictEqual(again.defaultEnv.state, "exists");
  world.chmod(".aenv", 0o755);
  world.remove(".aenv/shims/claude");
  world.link(".aenv/shims/claude", "/elsewhere");
  const third = await initHome(input, world.host());
  deepStrictEqual(third.madeShims, [world.path(".aenv/shims/claude")]);
  strictEqual(world.mode(".aenv"), "700");
});

Deno.test("initHome() does not replace a file that somebody put in a shim's place", async () => {
  using world = new EnvWorld();
  const program = world.write("bin/program", "x");
  world.write(".aenv/shims/claude", "mine");
  await rejects(
    initHome({ program, makeDefault: true }, world.host()),
    /something that is no link is there/,
  );
  strictEqual(world.read(".aenv/shims/claude"), "mine");
  deepStrictEqual(world.names(".aenv"), ["shims"]);
});

Deno.test("initHome() refuses a program inside the directory of shims: a link would lead to itself", async () => {
  using world = new EnvWorld();
  const program = world.write(".aenv/shims/aenv", "x");
  await rejects(
    initHome({ program, makeDefault: false }, world.host()),
    /the program itself is in the directory of shims/,
  );
});

Deno.test("initHome() refuses a root that is not its own", async () => {
  using world = new EnvWorld();
  world.write("other/file", "x");
  const roots = [world.home, "/", world.path("other")];
  for (const root of roots) {
    await rejects(
      initHome(NO_DEFAULT, world.host({ AENV_HOME: root })),
      (error: AppError) => error.code === "PATH_INVALID",
      root,
    );
  }
  strictEqual(world.mode("other"), "755");
});

Deno.test("initHome() copies the user's configuration into default and leaves it as it was", async () => {
  using world = new EnvWorld();
  world.write(".claude/settings.json", '{"outputStyle":"x"}');
  world.write(".claude/CLAUDE.md", "see ~/.claude/notes.md");
  world.write(".claude/notes.md", "n");
  world.write(".claude/.credentials.json", "SECRET");
  world.write(".claude.json", '{"theme":"dark","userID":"SECRET"}');
  const before = world.tree("");
  const { defaultEnv } = await initHome(DEFAULT, world.host());
  strictEqual(defaultEnv.state, "copied");
  strictEqual(defaultEnv.from, world.path(".claude"));
  const copy = world.tree(".aenv/envs/default/claude");
  deepStrictEqual(Object.keys(copy).sort(), [
    ".claude.json",
    "CLAUDE.md",
    "notes.md",
    "settings.json",
  ]);
  strictEqual(
    copy["CLAUDE.md"],
    "see ~/.aenv/envs/default/claude/notes.md",
  );
  const after = Object.entries(world.tree(""))
    .filter(([path]) => !path.startsWith(".aenv/"));
  deepStrictEqual(Object.fromEntries(after), before);
});

Deno.test("initHome() takes the user's CLAUDE_CONFIG_DIR, but not one of ours", async () => {
  using world = new EnvWorld();
  world.write("config/CLAUDE.md", "mine");
  world.write("config/.claude.json", '{"theme":"light"}');
  const outer = { CLAUDE_CONFIG_DIR: world.path("config") };
  await initHome(DEFAULT, world.host(outer));
  const name = ".aenv/envs/default";
  strictEqual(world.read(`${name}/claude/CLAUDE.md`), "mine");
  world.remove(name);
  // As inside of a session: the variable is the env's, and the launch wrote down what it was.
  const inside = {
    CLAUDE_CONFIG_DIR: world.path(".aenv/envs/x/claude"),
    AENV_RESTORE: JSON.stringify(outer),
  };
  await initHome(DEFAULT, world.host(inside));
  strictEqual(world.read(`${name}/claude/CLAUDE.md`), "mine");
});

Deno.test("initHome() makes an empty default where there is nothing to copy", async () => {
  using world = new EnvWorld();
  const { defaultEnv } = await initHome(DEFAULT, world.host());
  strictEqual(defaultEnv.state, "empty");
  deepStrictEqual(world.names(".aenv/envs/default"), ["aenv.toml"]);
});

Deno.test("initHome() clears away what a killed process left", async () => {
  using world = new EnvWorld();
  world.write(".aenv/state/.new-1-0-abc/slot/aenv.toml", "x");
  world.write(".aenv/trash/a.tmp-2/aenv.toml", "x");
  await initHome(NO_DEFAULT, world.host());
  deepStrictEqual(world.names(".aenv/envs"), []);
  deepStrictEqual(
    world.names(".aenv/state").filter((name) => name.startsWith(".")),
    [],
  );
  deepStrictEqual(world.names(".aenv/trash"), []);
});
