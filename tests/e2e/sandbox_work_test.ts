/** Ordinary work in the sandbox, through `aenv exec`: what goes on as ever, and what the README says does not. */
import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { Tmux } from "../support/tmux.ts";
import { registryClaim, workClaim, WorkWorld } from "./sandbox_work_world.ts";

workClaim(
  "git works inside: commits, branches, worktrees, merges, clones, gc",
  async (world) => {
    const out = await world.prints(`
git init -q repo; cd repo
echo 1 > file; git add file; git commit -qm first
git checkout -qb two; echo 2 >> file; git commit -qam second; git stash list
git checkout -q main; git merge -q two; git tag v1; git config user.name other
git worktree add -q ../tree -b three; cd ../tree; echo 3 >> file; git commit -qam third; cd ../repo
git rebase -q three; git worktree remove ../tree; git gc -q
git clone -q "file://$PWD" ../clone; git clone -q . ../local
git -C ../clone log --format=%s; git -C ../local rev-list --count HEAD; git fsck 2>&1`);
    assert.equal(out, "third\nsecond\nfirst\n3");
  },
);

workClaim(
  "a repository made inside is nothing to ask about, and a hook in it is",
  async (world) => {
    await world.prints("git init -q repo");
    assert.equal(await world.prints("echo still"), "still");
    await world.prints("echo x > repo/.git/hooks/post-checkout");
    const next = await world.shell("true");
    assert.equal(next.code, 3);
    assert.match(next.stderr, /protected files were changed/);
    assert.match(next.stderr, /aenv sandbox review/);
    const review = ["sandbox", "review", "-E", "box", "--accept"];
    const { code, stderr } = await world.aenv(review);
    assert.equal(code, 0, stderr);
    assert.equal(await world.prints("echo again"), "again");
  },
);

registryClaim(
  "npm installs and runs a package, with its cache in a directory that was granted",
  async (world, registry) => {
    await registry.publish("hello", "1.0.0", {
      files: { "index.js": "module.exports = 6 * 7;" },
    });
    const out = await world.prints(`
npm init -y > init.out; npm install --no-audit --no-fund hello 2>&1 | tail -1
npm pkg set scripts.go='node -p "require(\\"hello\\")"'; npm run -s go
rm -r node_modules; npm ci --offline --no-audit --no-fund > ci.out; npm run -s go`);
    assert.match(out, /^added 1 package in \S+\n42\n42$/);
    assert.ok([...Deno.readDirSync(`${world.home}/.npm`)].length > 0);
  },
  () => 'cache_dirs = ["~/.npm"]',
);

registryClaim(
  "npm installs through the proxy when its registry is among the listed hosts",
  async (world, registry) => {
    await registry.publish("hello", "1.0.0");
    const out = await world.prints(
      "npm init -y > init.out; npm install --no-audit --no-fund hello >&2; ls node_modules",
    );
    assert.equal(out, "hello");
  },
  ({ url }) =>
    `network = { mode = "hosts", allow = ["localhost:${new URL(url).port}"] }`,
);

workClaim(
  "node works inside: children, workers, watchers, temporary files",
  async (world) => {
    Deno.writeTextFileSync(`${world.project}/a.mjs`, NODE);
    world.own();
    assert.equal(await world.prints("node a.mjs"), "child worker true true");
  },
);

const NODE = `
import { execFileSync, fork } from "node:child_process";
import { mkdtempSync, watch, writeFileSync } from "node:fs";
import { tmpdir, cpus } from "node:os";
import { Worker } from "node:worker_threads";
if (process.send) { process.send("child"); process.disconnect(); } else {
  const said = [];
  const take = (from) => new Promise((done) => from.on("message", done));
  said.push(await take(fork("a.mjs")));
  said.push(await take(new Worker("require('worker_threads').parentPort.postMessage('worker')", { eval: true })));
  const dir = mkdtempSync(tmpdir() + "/x-");
  const seen = new Promise((done) => { const w = watch(dir, () => { w.close(); done(true); }); });
  writeFileSync(dir + "/f", execFileSync("id"));
  said.push(await seen, cpus().length > 0);
  console.log(said.join(" "));
}
`;

workClaim(
  "python works inside: virtual environments, subprocesses, pools of processes, shared memory",
  async (world) => {
    Deno.writeTextFileSync(`${world.project}/a.py`, PYTHON);
    world.own();
    const out = await world.prints(
      "python3 -m venv --without-pip v; . v/bin/activate; python a.py",
    );
    assert.equal(out, "True [0, 1, 4] [0, 1, 4] 1 b'x' True");
  },
);

const PYTHON = `
import multiprocessing as m, multiprocessing.shared_memory as s, subprocess, sys, tempfile
def square(x): return x * x
if __name__ == "__main__":
    print(sys.prefix.endswith("/v"), end=" ")
    for way in ("fork", "spawn"):
        with m.get_context(way).Pool(2) as pool: print(pool.map(square, range(3)), end=" ")
    queue = m.Queue(); queue.put(1); print(queue.get(), end=" ")
    memory = s.SharedMemory(create=True, size=9); memory.buf[0:1] = b"x"
    print(bytes(memory.buf[0:1]), end=" "); memory.close(); memory.unlink()
    with tempfile.NamedTemporaryFile() as file: print(subprocess.check_output(["cat", file.name]) == b"")
`;

Deno.test("a directory of PATH that is closed to the user is passed over, inside and outside", async () => {
  using world = await WorkWorld.open("somebody");
  const shut = `${world.root}/shut`;
  Deno.mkdirSync(`${shut}/bin`, { recursive: true });
  Deno.chmodSync(shut, 0);
  const env = { ...world.env, PATH: `${shut}/bin:${world.env["PATH"]}` };
  for (const AENV of ["box", "global"]) {
    const [program, words] = world.command("bash", "-c", "echo found");
    const options = { env: { ...env, AENV }, cwd: world.project };
    const { code, stdout, stderr } = await run(program, words, options);
    assert.deepEqual([code, stdout], [0, "found\n"], stderr);
  }
});

workClaim("a C program is built and run, by make", async (world) => {
  const out = await world.prints(`
printf '#include <stdio.h>\\nint main(void) { puts("built"); }\\n' > a.c
printf 'all: a.o\\n\\tgcc -pipe -flto -o a a.o\\na.o: a.c\\n\\tgcc -O2 -flto -c a.c\\n' > Makefile
make -s -j2; ./a; cp a "$TMPDIR/a"; "$TMPDIR/a"`);
  assert.equal(out, "built\nbuilt");
});

workClaim(
  "a shell works inside: temporary files, here-documents, substitutions, jobs, pipes of 100 MB",
  async (world) => {
    const out = await world.prints(`
seq 300000 | sort -R -S 1M | sort -n -S 1M | tail -1
cat <<X
here
X
diff <(echo same) <(echo same) && echo same
cat <<X | wc -l
$(seq 100000)
X
head -c 100000000 /dev/zero | cat | wc -c
mkfifo f; (echo fifo > f &); cat f
sleep 99 & kill %1; wait %1 || echo $?
timeout 1 sleep 99 || echo $?
printf '#!/bin/sh\\necho script\\n' > s; chmod +x s; ./s
mkdir d; echo x > d/x; mv d/x y; ln y d/z; ln -s ../y d/l; cat d/l
tar cf - d | tar tf - | wc -l
mktemp | grep -c "^$TMPDIR/"`);
    assert.equal(
      out,
      "300000\nhere\nsame\n100000\n100000000\nfifo\n143\n124\nscript\nx\n3\n1",
    );
  },
);

workClaim("ps shows the processes of the machine", async (world) => {
  const out = await world.prints(
    "ps -o comm= -p $$; ps aux | wc -l; pgrep -x bash | grep -cx $$",
  );
  const [name, rows, found] = out.split("\n");
  assert.deepEqual([name, found], ["bash", "1"]);
  assert.ok(Number(rows) > 3);
});

workClaim("databases and locks work inside", async (world) => {
  const out = await world.prints(`
python3 - <<X
import sqlite3
for mode in ("delete", "wal"):
    c = sqlite3.connect(mode); c.execute("pragma journal_mode=" + mode)
    c.execute("create table t(a)"); c.execute("insert into t values (7)"); c.commit()
    print(c.execute("select a from t").fetchone()[0])
X
flock l flock -n l true || echo locked
python3 -c 'import fcntl; fcntl.lockf(open("m", "w"), fcntl.LOCK_EX); print("locked")'`);
  assert.equal(out, "7\n7\nlocked\nlocked");
});

workClaim(
  "sockets on this machine work while the network is open",
  async (world) => {
    const out = await world.prints(`python3 - <<X
import socket
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server = socket.create_server((address, 0), family=family)
    client = socket.create_connection(server.getsockname()[:2]); server.accept()[0].send(b"tcp"); print(client.recv(9))
udp = socket.socket(type=socket.SOCK_DGRAM); udp.bind(("127.0.0.1", 0)); udp.sendto(b"udp", udp.getsockname()); print(udp.recv(9))
a, b = socket.socketpair(); a.send(b"pair"); print(b.recv(9))
X`);
    assert.equal(out, "b'tcp'\nb'tcp'\nb'udp'\nb'pair'");
  },
);

// What the README lists.
workClaim(
  "what the sandbox does not let you do fails at once, and says so",
  async (world) => {
    const commands = {
      "a Unix socket":
        `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'`,
      "a terminal of its own": "script -qec true /dev/null",
      "/tmp": "echo x > /tmp/aenv-work-$$",
      "/var/tmp": "echo x > /var/tmp/aenv-work-$$",
      "a debugger": "strace -o log true",
      "another user": "su -c true",
      "a set-user-id program": "cp /bin/true t; chmod u+s t",
      "a namespace": "unshare -r true",
      "the home, listed": 'ls "$HOME"',
      "the home, written": 'mkdir "$HOME/x"',
      "a process's name, in /proc": "echo x > /proc/self/comm",
    };
    for (const [what, command] of Object.entries(commands)) {
      const { code, stderr } = await world.shell(command);
      assert.ok(code > 0 && code < 128, `${what}: ${code}`);
      assert.match(stderr, /not permitted|denied|failure/i, what);
    }
  },
);

workClaim(
  "Unix sockets and their users work inside where the network is a list of hosts",
  async (world) => {
    const out = await world.prints(`
python3 - <<X
import multiprocessing as m, socket
server = socket.socket(socket.AF_UNIX); server.bind("s"); server.listen()
client = socket.socket(socket.AF_UNIX); client.connect("s"); server.accept()[0].send(b"x"); print(client.recv(9))
with m.Manager() as manager: print(manager.list([1]))
X`);
    assert.equal(out, "b'x'\n[1]");
  },
  'network = { mode = "hosts", allow = [] }',
);

Deno.test("programs of a terminal work inside: less, vi, job control", async () => {
  const user = Deno.uid() === 0 ? "root" : "somebody";
  using world = await WorkWorld.open(user);
  Deno.writeTextFileSync(`${world.project}/text`, "first\nsecond\n");
  await using tmux = await Tmux.open({ cwd: world.project, env: world.env });
  const [program, words] = world.command("bash", "--norc");
  await tmux.start([program, ...words].join(" "));
  await tmux.type("PS1='inside> '; clear; tty");
  await tmux.waitForLine(/^\/dev\/pts\/\d+$/);
  await tmux.type("less text; echo 'less'-ended");
  await tmux.waitForLine(/^second$/);
  await tmux.keys("q");
  await tmux.waitForLine(/^less-ended$/);
  await tmux.type("vi -u NONE text; echo 'vi'-ended");
  await tmux.waitForLine(/^"text" 2/);
  await tmux.type("ggOzeroth");
  await tmux.keys("Escape");
  await tmux.type(":wq");
  await tmux.waitForLine(/^vi-ended$/);
  await tmux.type("clear; bash -c 'echo ready; exec sleep 99'");
  await tmux.waitForLine(/^ready$/);
  await tmux.keys("C-z");
  await tmux.waitForLine(/Stopped/);
  await tmux.type("clear; jobs; kill %1; head -1 text");
  await tmux.waitForLine(/^zeroth$/);
  await tmux.type("exit 3");
  assert.equal(await tmux.exitCode(), 3);
});
