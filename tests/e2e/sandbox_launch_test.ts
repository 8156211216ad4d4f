/** Confined launches by hand: how they end, what outlives them, what they may connect to. */
import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { Aenv, aenvBinary } from "../support/aenv.ts";
import { waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { manifestOf } from "./agent_world.ts";

/** A home with one env, whose sandbox has `lines`, and a project. */
class Place extends TempDir {
  readonly project = `${this.path}/home/work`;
  readonly aenv = new Aenv({
    home: `${this.path}/home`,
    cwd: this.project,
    agent: claudePrograms()[0],
    env: { AENV: "e", AENV_QUIET: "1" },
  });

  constructor(lines = "") {
    super();
    for (const dir of [this.project, `${this.aenv.root}/envs/e`]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    Deno.writeTextFileSync(
      `${this.aenv.root}/envs/e/aenv.toml`,
      manifestOf("e", `[sandbox]\nenabled = true\n${lines}`),
    );
  }
}

const NO_HOST = 'network = { mode = "hosts", allow = [] }';

for (const [how, lines] of [["becomes it", ""], ["stays", NO_HOST]] as const) {
  Deno.test(`a confined program ends as it would: aenv ${how}`, async () => {
    using place = new Place(lines);
    for (const [script, code] of [["exit 7", 7], ["kill -TERM $$", 143]]) {
      const words = ["exec", "--", "sh", "-c", `${script}`];
      const { code: found, stderr } = await place.aenv.run(words);
      assert.equal(found, code, stderr);
    }
  });
}

Deno.test("nothing confined outlives the process that stayed beside it, also when that is killed", async () => {
  for (const isKilled of [false, true]) {
    using place = new Place(NO_HOST);
    const seconds = `${1000 + Math.floor(Math.random() * 1e6)}`;
    const script =
      `setsid sleep ${seconds} & (trap '' TERM HUP; sleep ${seconds} &) ; sleep ${seconds} & echo here; ${
        isKilled ? "wait" : ""
      }`;
    const child = new Deno.Command(
      aenvBinary(),
      {
        args: ["exec", "--", "sh", "-c", `${script}`],
        env: { ...place.aenv.env },
        clearEnv: true,
        cwd: place.project,
        stdout: "piped",
        stderr: "null",
      },
    ).spawn();
    const reader = child.stdout.getReader();
    assert.equal(
      new TextDecoder().decode((await reader.read()).value),
      "here\n",
    );
    if (isKilled) child.kill("SIGKILL");
    await child.status;
    await waitFor("the end of all", () => sleepers(seconds) === 0 || undefined);
    await reader.cancel();
  }
});

function sleepers(seconds: string): number {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`) ===
        `sleep\0${seconds}\0`;
    } catch {
      return false;
    }
  }).length;
}

Deno.test("a granted Unix socket can be connected to, and no other", async () => {
  using place = new Place();
  const [granted, other] = ["granted", "other"].map((name) =>
    `${place.path}/${name}.sock`
  ) as [string, string];
  const servers = [granted, other].map((path) =>
    Deno.listen({ transport: "unix", path })
  );
  Deno.writeTextFileSync(
    `${place.aenv.root}/envs/e/aenv.toml`,
    manifestOf("e", `[sandbox]\nenabled = true\npaths = ["${granted}:rw"]`),
  );
  const script = `import socket, sys
for path in sys.argv[1:]:
    try:
        socket.socket(socket.AF_UNIX).connect(path); print("connected")
    except OSError as error: print(error.strerror)`;
  const words = ["exec", "--", "python3", "-c", script, granted, other];
  const { stdout, stderr } = await place.aenv.run(words);
  for (const server of servers) server.close();
  assert.equal(stdout, "connected\nPermission denied\n", stderr);
});
