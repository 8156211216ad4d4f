/** The picker of `aenv add mcp --from`, on a real terminal. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { TempDir } from "../support/temp.ts";
import { Tmux } from "../support/tmux.ts";

const TOKEN = "a-value-that-is-nowhere-shown";
const SERVERS = {
  mcpServers: {
    first: { command: "one", args: ["--x"] },
    second: { command: "two", env: { API_KEY: TOKEN } },
    third: { command: "three", envFile: ".env" },
  },
};

interface World extends Disposable {
  readonly aenv: Aenv;
  readonly cwd: string;
  manifest(): string;
}

async function makeWorld(): Promise<World> {
  const temp = new TempDir();
  const cwd = `${temp.path}/w`;
  Deno.mkdirSync(cwd);
  const [agent] = claudePrograms();
  const env = { AENV: "w", AENV_SECRET_BACKEND: "file" };
  const aenv = new Aenv({ home: temp.path, cwd, agent, env });
  await aenv.must(["init", "--no-default"]);
  await aenv.must(["new", "w"]);
  Deno.writeTextFileSync(`${cwd}/mcp.json`, JSON.stringify(SERVERS));
  return {
    aenv,
    cwd,
    manifest: () => Deno.readTextFileSync(`${aenv.root}/envs/w/aenv.toml`),
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

Deno.test("the picker offers every server, those that can be taken chosen, and adds what is left chosen", async () => {
  using world = await makeWorld();
  const { aenv, cwd } = world;
  await using tmux = await Tmux.open({ cwd, env: aenv.env });
  await tmux.start("aenv add mcp --from mcp.json --secrets keyring");
  const lines = await tmux.waitForLine(/third/);
  const marks = ["first", "second", "third"].map((name) =>
    lines.find((line) => line.includes(name))?.includes("◼")
  );
  assert.deepEqual(marks, [true, true, false], lines.join("\n"));
  assert.ok(!lines.join("").includes(TOKEN));
  // Takes the first one out.
  await tmux.keys("Space");
  await tmux.keys("Enter");
  assert.equal(await tmux.exitCode(), 0);
  const text = world.manifest();
  assert.doesNotMatch(text, /\[mcp\.(first|third)\]/);
  assert.match(
    text,
    /\[mcp\.second\]\ncommand = "two"\nenv = \{ API_KEY = "\$\{secret:second-API_KEY\}" \}/,
  );
  assert.ok(!(await tmux.screen()).join("").includes(TOKEN));
});

Deno.test("leaving the picker adds nothing, and the terminal is as it was", async () => {
  using world = await makeWorld();
  const { aenv, cwd } = world;
  const before = world.manifest();
  await using tmux = await Tmux.open({ cwd, env: aenv.env });
  for (const key of ["Escape", "C-c"]) {
    await tmux.start("aenv add mcp --from mcp.json");
    await tmux.waitForLine(/third/);
    await tmux.keys(key);
    assert.equal(await tmux.exitCode(), 130, key);
    assert.equal(world.manifest(), before);
  }
  await tmux.start("stty -a | grep -o ' icanon\\| echo ' | tr -d '\\n'");
  await tmux.waitForLine(/icanon.*echo/);
});
