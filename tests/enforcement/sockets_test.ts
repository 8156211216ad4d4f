/** Unix sockets: those of programs outside are closed unless granted, whatever they are called. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import { Servers } from "./servers.ts";
import { claim, type RunParts, type World } from "./world.ts";

const WHY = { source: "manifest", text: "a test" } as const;

function granting(...paths: string[]): RunParts {
  const unixSockets = paths.map((path) => ({
    path: path as AbsPath,
    why: WHY,
  }));
  return { supervised: true, policy: { unixSockets } };
}

/** A program outside that has said that it is ready. */
async function python(script: string): Promise<Disposable> {
  const program = new Deno.Command("/usr/bin/python3", {
    args: ["-c", script],
    stdout: "piped",
  }).spawn();
  await program.stdout.getReader().read();
  return { [Symbol.dispose]: () => program.kill("SIGKILL") };
}

/** A socket such as that of Docker, in a directory that is not granted. */
function docker(world: World, servers: Servers): string {
  return servers.unix(`${world.home}/docker.sock`, "forbidden");
}

claim(
  "a socket outside is closed to a program without a supervisor",
  async (world) => {
    // Guards: docker.sock, ssh-agent, the session bus (systemd-run --user).
    using servers = new Servers();
    const socket = docker(world, servers);
    await world.isStopped(["connect-unix", socket], "EACCES");
  },
);

claim("a socket outside is closed by every one of its names", async (world) => {
  // Guards: links, relative paths and /proc on the way to docker.sock.
  using servers = new Servers();
  const socket = docker(world, servers);
  const parts = granting();
  Deno.symlinkSync(socket, `${world.project}/link.sock`);
  Deno.symlinkSync(world.home, `${world.project}/dir`);
  for (
    const name of [
      socket,
      "../home/docker.sock",
      "./link.sock",
      "dir/docker.sock",
      `${world.project}/../home/docker.sock`,
      `/proc/self/root${socket}`,
      "/proc/self/cwd/link.sock",
    ]
  ) await world.isStopped(["connect-unix", name], "EACCES", parts);
});

claim("a second name in the project opens no socket", async (world) => {
  // Guards: a hard link that somebody made, or that was there before.
  using servers = new Servers();
  const socket = docker(world, servers);
  Deno.linkSync(socket, `${world.project}/hard.sock`);
  const words = ["connect-unix", `${world.project}/hard.sock`];
  await world.isStopped(words, "EACCES", granting());
});

claim("a granted socket is reached, and nothing beside it", async (world) => {
  // Guards: a database's socket in a directory with others.
  using servers = new Servers();
  const granted = servers.unix(`${world.home}/db.sock`, "the database");
  const other = docker(world, servers);
  const parts = granting(granted);
  const found = await world.attack(["connect-unix", granted], parts);
  assert.equal(found, "done the database");
  await world.isStopped(["connect-unix", other], "EACCES", parts);
  const asked = await world.run(
    world.attacker,
    ["connect-unix", other],
    parts,
  );
  assert.deepEqual(asked.asked, [`EACCES ${other}`]);
});

claim(
  "changing the path while it is looked at does not help",
  async (world) => {
    // Guards: the time between the check and the use: the text, and a link.
    using servers = new Servers();
    const good = servers.unix(`${world.project}/good.sock`, "good");
    const bad = docker(world, servers);
    const parts = granting();
    const link = `${world.project}/changing.sock`;
    for (
      const words of [
        ["race-path", "2000", good, bad],
        ["race-link", "2000", good, bad, link],
      ]
    ) {
      const found = await world.attack(words, parts);
      assert.match(found, /^done escaped=0 reached=some denied=/, words[0]);
    }
    const free = ["race-link", "2000", good, bad, link];
    assert.doesNotMatch(await world.attackFreely(free), /escaped=0/);
  },
);

claim("datagrams go to no socket outside", async (world) => {
  // Guards: /dev/log and every socket that is sent to without a connection.
  const socket = `${world.home}/log.sock`;
  using _log = await python(`import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("${socket}")
import os; os.chmod("${socket}", 0o777); print("ready", flush=True)
while True: s.recv(9)`);
  for (const parts of [{}, granting()]) {
    for (const call of ["send-unix", "send-pair"]) {
      assert.equal(await world.attack([call, socket], parts), "EACCES");
      assert.equal(await world.attackFreely([call, socket]), "done");
    }
  }
});

claim("an abstract socket outside is not reached", async (world) => {
  // Guards: X11 and session buses that have no path.
  const name = `aenv-test-${crypto.randomUUID()}`;
  using _server = await python(`import socket
s = socket.socket(socket.AF_UNIX); s.bind("\\0${name}"); s.listen()
print("ready", flush=True)
while True: s.accept()[0].send(b"forbidden\\n")`);
  for (const parts of [{}, granting()]) {
    await world.isStopped(["connect-abstract", name], "EACCES", parts);
  }
});

claim("sockets that are made inside work inside", async (world) => {
  // Guards: build tools and test runners that talk to themselves.
  const parts = granting();
  const words = ["serve-unix", `${world.project}/own.sock`];
  assert.equal(await world.attack(words, parts), "done from inside");
  const relative = ["serve-unix", "relative.sock"];
  assert.equal(await world.attack(relative, parts), "done from inside");
  const pool = "import multiprocessing as m; " +
    "print(m.Manager().list([1, 2]))";
  const { output, errors } = await world.run(
    "/usr/bin/python3",
    ["-c", pool],
    parts,
  );
  assert.equal(output, "[1, 2]\n", errors);
});

claim("a socket whose listener is busy is waited for", async (world) => {
  // Guards: a full queue, which a program outside would wait for as well.
  const script = `import socket, threading, time
s = socket.socket(socket.AF_UNIX); s.bind("busy.sock"); s.listen(0)
def connect():
    c = socket.socket(socket.AF_UNIX); c.connect("busy.sock"); done.append(c)
done = []
threads = [threading.Thread(target=connect) for _ in range(4)]
for t in threads: t.start()
while len(done) < 1: time.sleep(0.01)
accepted = [s.accept() for _ in range(4)]
for t in threads: t.join()
print(len(done))`;
  const { output, errors } = await world.run(
    "/usr/bin/python3",
    ["-c", script],
    granting(),
  );
  assert.equal(output, "4\n", errors);
});
