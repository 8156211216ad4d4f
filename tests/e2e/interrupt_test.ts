/** A server that never answers, on a real terminal: what is asked is shown, and Ctrl-C and SIGTERM leave everything as it was. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import { snapshot } from "../support/snapshot.ts";
import { TempDir } from "../support/temp.ts";
import { Tmux } from "../support/tmux.ts";

/** Takes connections and says nothing. */
class SilentServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #taken: Deno.Conn[] = [];
  readonly #done = this.#accept();

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** How many connections there were. */
  get count(): number {
    return this.#taken.length;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#taken.push(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#done;
    for (const connection of this.#taken) connection.close();
  }
}

interface World extends AsyncDisposable {
  readonly aenv: Aenv;
  readonly home: string;
  readonly server: SilentServer;
  readonly tmux: Tmux;
  /** Everything but what says that somebody was there. */
  state(): Readonly<Record<string, string>>;
}

async function makeWorld(): Promise<World> {
  const temp = new TempDir();
  const home = temp.path;
  const project = `${home}/project`;
  const server = new SilentServer();
  const [agent] = claudePrograms();
  const env = { "npm_config_registry": `https://${server.address}/` };
  const aenv = new Aenv({ home, cwd: project, agent, env });
  writeText(`${project}/strict/SKILL.md`, "Be strict.\n");
  await aenv.must(["init", "--no-default"]);
  await aenv.must(["init", "--here", "app"]);
  await aenv.must(["add", "skill", "strict", "--source", "./strict"]);
  const tmux = await Tmux.open({ cwd: project, env: { ...aenv.env } });
  return {
    aenv,
    home,
    server,
    tmux,
    state: () =>
      Object.fromEntries(
        Object.entries(snapshot(home)).filter(([path]) =>
          !path.startsWith("/.bash")
        ),
      ),
    async [Symbol.asyncDispose]() {
      await tmux[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      temp[Symbol.dispose]();
    },
  };
}

const SOURCES = [
  ["npm:x", /^x.*: looking up x$/],
  ["git+https://SERVER/x.git", /^x.*: looking up https:/],
  ["https://SERVER/x.tgz", /^x.*: fetching https:/],
  ["x@https://SERVER/marketplace.json", /^x.*: fetching https:/],
] as const;

for (const [source, shown] of SOURCES) {
  for (const how of ["Ctrl-C", "SIGTERM"]) {
    Deno.test(`${how} stops "aenv add" of ${source} at once, and nothing has changed`, async () => {
      await using world = await makeWorld();
      const { server, tmux } = world;
      const before = world.state();
      const address = source.replace("SERVER", server.address);
      await tmux.start(`clear; aenv add plugin x --source '${address}'`);
      await tmux.waitForLine(shown);
      await waitFor("a connection", () => server.count > 0 || undefined);
      const start = performance.now();
      if (how === "Ctrl-C") await tmux.keys("C-c");
      else Deno.kill(await tmux.foreground(), "SIGTERM");
      assert.equal(await tmux.exitCode(), 130);
      // By itself it gives up after 30 seconds.
      assert.ok(performance.now() - start < 20_000);
      const screen = await tmux.screen();
      assert.ok(
        screen.includes('aenv: Cannot finish "aenv add": it was interrupted'),
        screen.join("\n"),
      );
      assert.ok(!screen.some((line) => shown.test(line)), screen.join("\n"));
      assert.deepEqual(world.state(), before);
    });
  }
}

Deno.test("Ctrl-C stops update and install as well, and a second time is not needed", async () => {
  await using world = await makeWorld();
  const { server, tmux, home } = world;
  const manifest = `${home}/project/aenv.toml`;
  const more = '\n[[plugins.enabled]]\nname = "x"\nsource = "npm:x"\n';
  Deno.writeTextFileSync(manifest, Deno.readTextFileSync(manifest) + more);
  const before = world.state();
  for (const words of ["install", "lock", "update"]) {
    const known = server.count;
    await tmux.start(`clear; aenv ${words}`);
    await waitFor("a connection", () => server.count > known || undefined);
    await tmux.keys("C-c");
    assert.equal(await tmux.exitCode(), 130, words);
    assert.deepEqual(world.state(), before, words);
  }
});

Deno.test("in a pipe there is no progress", async () => {
  await using world = await makeWorld();
  const { tmux, aenv } = world;
  const { stdout, stderr } = await aenv.run(["update"]);
  assert.match(stdout, /skill strict/);
  assert.equal(stderr, "");
  await tmux.start("clear; aenv update 2>&1 | cat -v");
  assert.equal(await tmux.exitCode(), 0);
  const screen = (await tmux.screen()).join("\n");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(screen, /\^\[|\u001b/);
});
