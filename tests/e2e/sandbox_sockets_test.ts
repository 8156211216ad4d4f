/** Unix sockets by name in a launch: none while nothing asks for them, and with `unix_sockets` those that it names. */
import assert from "node:assert/strict";
import { waitFor } from "../support/process.ts";
import { World } from "./agent_world.ts";
import { isThere } from "./mcp_world.ts";

/** What programs do that talk to their own parts. */
const OWN = `
import multiprocessing, os, socket, sys, tempfile, threading
def main():
    with multiprocessing.Manager() as manager:
        manager.dict()["a"] = 1
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=print, args=("from a fork server",))
    process.start(); process.join()
    server = socket.socket(socket.AF_UNIX)
    server.bind("here.sock"); server.listen()
    socket.socket(socket.AF_UNIX).connect("here.sock")
    print("done", process.exitcode)
if __name__ == "__main__":
    main()
`;

/** Runs a command in the env `private`, whose sandbox has these lines. */
async function exec(
  world: World,
  lines: string,
  { command, env = {} }: {
    readonly command: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<{ readonly code: number; readonly text: string }> {
  world.writeEnv(
    "private",
    `isolation = "private"\n[sandbox]\nenabled = true\n${lines}`,
  );
  const words = ["exec", "-E", "private", "--", ...command];
  const { code, stdout, stderr } = await world.aenv.run(words, {
    env: { ...world.aenv.env, ...env },
  });
  return { code, text: stdout + stderr };
}

Deno.test("programs reach sockets that they make themselves once unix_sockets says so", async () => {
  await using world = await World.open();
  Deno.writeTextFileSync(`${world.project}/own.py`, OWN);
  const command = ["python3", "own.py"];
  const lines = 'unix_sockets = ["$TMPDIR"]';
  const without = await exec(world, "", { command });
  assert.match(without.text, /PermissionError/);
  for (const network of ["", 'network = "none"']) {
    const { code, text } = await exec(world, `${lines}\n${network}`, {
      command,
    });
    assert.equal(code, 0, text);
    assert.match(text, /from a fork server\ndone 0/);
    Deno.removeSync(`${world.project}/here.sock`);
  }
});

Deno.test("an agent for keys is there for a program once unix_sockets names its variable", async () => {
  await using world = await World.open();
  const socket = `${world.home}/agent.sock`;
  const agent = new Deno.Command("ssh-agent", {
    args: ["-D", "-a", socket],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await waitFor("the agent", () => isThere(socket) || undefined);
    const call = {
      command: ["sh", "-c", "echo $SSH_AUTH_SOCK; ssh-add -l"],
      env: { SSH_AUTH_SOCK: socket },
    };
    const without = await exec(world, "", call);
    assert.equal(without.code, 2, without.text);
    assert.ok(!without.text.includes(socket), without.text);
    const named = await exec(world, 'unix_sockets = ["$SSH_AUTH_SOCK"]', call);
    assert.equal(named.code, 1, named.text);
    assert.match(named.text, /agent\.sock\nThe agent has no identities/);
    const words = ["sandbox", "explain", "-E", "private", socket];
    const { stdout } = await world.aenv.run(words, {
      env: { ...world.aenv.env, ...call.env },
    });
    assert.match(stdout, /^may connect to .*sandbox\.unix_sockets: \$SSH/);
  } finally {
    agent.kill("SIGTERM");
    await agent.status;
  }
});
