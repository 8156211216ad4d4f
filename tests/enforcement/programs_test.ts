/** Programs: what is closed is closed to every one of them, however it is started and whoever it asks. */
import assert from "node:assert/strict";
import { launchClaim } from "./launch_world.ts";
import { Outside } from "./outside.ts";

launchClaim("a closed file is closed to every program", async (world) => {
  // Guards against nono's list of dangerous commands: what `cat` may not do, another program does.
  const key = `${world.home}/.ssh/id_rsa`;
  await world.refuses({
    cat: `cat ${key}`,
    shell: `read -r line < ${key}`,
    dd: `dd if=${key} of=copy`,
    cp: `cp ${key} copy`,
    tar: `tar -cPf copy.tar ${key}`,
    grep: `grep -r private ${world.home}/.ssh`,
    curl: `curl -sS file://${key}`,
    git: `git diff --no-index ${key} file; [ $? -eq 1 ]`,
    "git hash": `git hash-object ${key}`,
    python: `python3 -c 'open("${key}").read()'`,
    perl: `perl -e 'open(F, "<", "${key}") or exit 1'`,
    node: `node -e 'require("fs").readFileSync("${key}")'`,
    find: `find ${world.home}/.ssh -type f -size +0 | grep .`,
    "openssl": `openssl dgst ${key}`,
  });
});

launchClaim(
  "the loader runs no program from outside the grants",
  async (world) => {
    // Guards against `ld-linux.so PROGRAM` (Ona's write-up): a program is mapped, not executed, so rules about executing are not asked.
    const program = `${world.home}/tool`;
    Deno.copyFileSync(world.attacker, program);
    Deno.chmodSync(program, 0o755);
    world.own();
    const loader =
      "$(ls /lib64/ld-linux-*.so.? /lib/ld-linux-*.so.? | head -1)";
    const library = `LD_PRELOAD=${world.home}/evil.so`;
    await world.refuses({
      program: `${program} list /usr | grep done`,
      loader: `${loader} ${program} list /usr | grep done`,
      "loader and library": `${loader} --preload ${program} /bin/true 2>&1 |
        grep -v cannot; $attack read ${program} | grep done`,
      "interpreter": `bash ${world.home}/.bashrc`,
      "shared library": `python3 -c 'import mmap, os
f = os.open("${program}", os.O_RDONLY)
mmap.mmap(f, 0, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE)'`,
      "source": `. ${world.home}/.bashrc`,
    });
    const own = await world.shell(
      `cp $attack own && ${loader} ./own list /usr && ${library} true && echo ok`,
    );
    assert.match(own, /^done[\s\S]*ok$/);
  },
);

launchClaim(
  "a program that another one starts is confined too",
  async (world) => {
    // Guards against hooks, servers and tools that were outside the sandbox of their agent: every child is inside.
    const read = `cat ${world.home}/.ssh/id_rsa`;
    await world.refuses({
      "a grandchild": `sh -c 'sh -c "${read}"'`,
      "a new session": `setsid --wait ${read}`,
      xargs: `echo ${world.home}/.ssh/id_rsa | xargs cat`,
      env: `env -i /usr/bin/${read}`,
      nohup: `nohup ${read} >out 2>&1`,
      timeout: `timeout 5 ${read}`,
      "a git alias": `git -c alias.x='!${read}' x`,
      make: `printf 'all:\\n\\t${read}\\n' | make -f -`,
      node: `node -e 'require("child_process").execSync("${read}")'`,
      python: `python3 -c 'import os; exit(1 if os.system("${read}") else 0)'`,
      "a thread": `python3 -c 'import threading as t, os
r = []; x = t.Thread(target=lambda: r.append(os.system("${read}"))); x.start()
x.join(); exit(r[0] and 1)'`,
      daemon: `python3 -c 'import os, time
if os.fork(): exit(not (os.wait()[1] == 0))
os.setsid(); exit(1 if os.system("${read}") else 0)'`,
    });
  },
);

launchClaim(
  "other environments' sessions and logins cannot be read",
  async (world) => {
    // Guards against claude-code #47661 and #70697: one credentials file for all, and every environment in reach of each.
    for (
      const name of ["claude/.credentials.json", "claude/.claude.json"]
        .concat(["claude/projects/x/s.jsonl", "cache/npm/x", ".secrets.list"])
    ) world.file(`home/.aenv/envs/other/${name}`, "theirs\n");
    world.file("home/.aenv/envs/e/claude/projects/x/s.jsonl", "ours\n");
    world.own();
    const other = `${world.aenvHome}/envs/other`;
    await world.refuses({
      login: `cat ${other}/claude/.credentials.json`,
      state: `cat ${other}/claude/.claude.json`,
      session: `cat ${other}/claude/projects/x/s.jsonl`,
      cache: `cat ${other}/cache/npm/x`,
      keys: `cat ${other}/.secrets.list`,
      list: `ls ${world.aenvHome}/envs`,
      up: `cat ${world.slot}/claude/../../other/claude/.claude.json`,
    });
    const own = `cat ${world.slot}/claude/projects/x/s.jsonl`;
    assert.equal(await world.shell(own), "ours");
  },
);

launchClaim(
  "nothing of the machine that only root reads is read",
  async (world) => {
    // Guards against an agent that runs as root in a container, and reads what no user could.
    const closed = [
      ...["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/root/.bashrc"],
      ...["/proc/kcore", "/proc/kmsg", "/proc/1/environ", "/proc/1/mem"],
      ...["/dev/mem", "/dev/kmsg", "/dev/port", "/sys/kernel/debug/x"],
      ...["/var/log/dpkg.log", "/var/lib/dpkg/status", "/run/utmp"],
    ];
    const script = closed.map((path) =>
      `echo ${path} $($attack open ${path} r)`
    );
    const found = await world.shell(script.join("\n"));
    for (const line of found.split("\n")) {
      assert.match(line, / E(ACCES|PERM|NOENT|ROFS)$/, line);
    }
    const free = await world.shellFreely(script.join("\n"));
    assert.match(free, /dpkg\/status done/);
    if (world.user === "root") assert.match(free, /shadow done/);
  },
);

launchClaim(
  "a process outside cannot be held, waited for or followed",
  async (world) => {
    // Guards against pidfds: a handle on a process gives its descriptors, its end, its namespaces.
    await using outside = new Outside(world, "/usr/bin/sleep", ["1000"]);
    const script = `import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
fd = os.pidfd_open(${outside.pid})
def check(result):
    if result < 0: raise OSError(ctypes.get_errno(), "")
def attempt(name, call):
    try: call(); print(name, "done")
    except OSError as e: print(name, "refused")
attempt("signal", lambda: signal.pidfd_send_signal(fd, 0))
attempt("descriptor", lambda: check(libc.syscall(438, fd, 0, 0)))
attempt("namespaces", lambda: check(libc.setns(fd, 0x10000000)))
attempt("wait", lambda: os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG))`;
    const path = world.file("home/work/project/hold.py", script);
    world.own();
    const found = await world.shell(`python3 ${path}`);
    const names = ["signal", "descriptor", "namespaces", "wait"];
    assert.deepEqual(found.split("\n"), names.map((name) => `${name} refused`));
    const free = await world.shellFreely(`python3 ${path}`);
    assert.match(free, /^signal done\ndescriptor done$/m);
  },
);
