/** Files: what is not granted cannot be read, changed, made or executed by any way. */
import assert from "node:assert/strict";
import { claim, grant, type World } from "./world.ts";

/** What is in the file is what was there at first. */
function isUntouched(world: World): void {
  const text = Deno.readTextFileSync(`${world.home}/.bashrc`);
  assert.equal(text, "# the shell's file\n");
}

claim("a private key in HOME cannot be read", async (world) => {
  // Guards: the first thing that every stealer does.
  await world.isStopped(["read", `${world.home}/.ssh/id_rsa`], "EACCES");
  const book = await world.attack(["read", `${world.library}/book`]);
  assert.equal(book, "done a book");
});

claim("a directory that is not granted cannot be listed", async (world) => {
  // Guards: names tell as much as contents.
  await world.isStopped(["list", world.home], "EACCES");
  await world.isStopped(["list", world.dir.path], "EACCES");
  assert.equal(await world.attack(["list", world.library]), "done");
});

claim("the shell's startup file cannot be written", async (world) => {
  // Guards: code that runs the next time that somebody opens a terminal.
  const file = `${world.home}/.bashrc`;
  for (const how of ["w", "rw", "wt", "rt", "xt", "x", "wc"]) {
    const found = await world.attack(["open", file, how]);
    // Asking for no right at all gives a descriptor that can do nothing.
    assert.equal(found, how === "x" ? "done" : "EACCES", how);
  }
  isUntouched(world);
  assert.equal(await world.attackFreely(["open", file, "w"]), "done");
});

claim("a file that may not be written cannot be emptied", async (world) => {
  // Guards: truncation, which Landlock had no right for at first.
  for (const name of ["home/.bashrc", "library/book"]) {
    const path = `${world.dir.path}/${name}`;
    assert.equal(await world.attack(["truncate", path]), "EACCES", name);
    assert.equal(await world.attack(["open", path, "rt"]), "EACCES", name);
    assert.notEqual(Deno.readTextFileSync(path), "", name);
  }
  const file = `${world.home}/.bashrc`;
  assert.equal(await world.attackFreely(["truncate", file]), "done");
});

claim("nothing can be made in HOME", async (world) => {
  // Guards: settings that do not exist yet, made from inside (CVE-2026-25725).
  const at = (name: string) => `${world.home}/${name}`;
  await world.isStopped(["open", at("new"), "wc"], "EACCES");
  await world.isStopped(["mkdir", at("dir")], "EACCES");
  await world.isStopped(["symlink", "/etc/passwd", at("link")], "EACCES");
  await world.isStopped(["mkfifo", at("pipe")], "EACCES");
  await world.isStopped(["open", world.home, "wT"], "EACCES");
});

claim("nothing can be removed or moved away in HOME", async (world) => {
  // Guards: replacing a file by removing it first.
  const file = `${world.home}/.bashrc`;
  assert.equal(await world.attack(["unlink", file]), "EACCES");
  const to = `${world.project}/moved`;
  assert.equal(await world.attack(["rename", file, to]), "EACCES");
  const own = `${world.project}/file`;
  assert.equal(await world.attack(["rename", own, file]), "EACCES");
  assert.equal(await world.attack(["exchange", own, file]), "EACCES");
  isUntouched(world);
  assert.equal(await world.attackFreely(["exchange", own, file]), "done");
});

claim(
  "another way to the root of the files leads nowhere else",
  async (world) => {
    // Guards: /proc/self/root as an alias that path lists do not know.
    const key = `${world.home}/.ssh/id_rsa`;
    await world.isStopped(["read", `/proc/self/root${key}`], "EACCES");
    await world.isStopped(["read", `/proc/thread-self/root${key}`], "EACCES");
    await world.isStopped(["read", "/proc/self/cwd/../home/.bashrc"], "EACCES");
    const up = "../".repeat(20) + key.slice(1);
    await world.isStopped(["read", up], "EACCES");
  },
);

claim("a symbolic link in the project leads nowhere new", async (world) => {
  // Guards: reading and writing through a link (CVE-2026-39861).
  const link = `${world.project}/link`;
  Deno.symlinkSync(`${world.home}/.bashrc`, link);
  Deno.symlinkSync(world.home, `${world.project}/dir`);
  await world.isStopped(["read", link], "EACCES");
  await world.isStopped(["open", link, "w"], "EACCES");
  await world.isStopped(["open", `${world.project}/dir/new`, "wc"], "EACCES");
  isUntouched(world);
});

claim("a file of HOME cannot be linked into the project", async (world) => {
  // Guards: a second name in a place where writing is allowed.
  const own = `${world.project}/second`;
  for (const name of ["home/.bashrc", "library/book"]) {
    const path = `${world.dir.path}/${name}`;
    assert.match(await world.attack(["link", path, own]), /^E(ACCES|XDEV)$/);
    assert.equal(await world.attackFreely(["link", path, own]), "done");
    Deno.removeSync(own);
  }
});

claim(
  "a granted file cannot be moved to where more is allowed",
  async (world) => {
    // Guards: rights follow the place, so a move must not add any.
    const book = `${world.library}/book`;
    const own = `${world.project}/file`;
    for (
      const words of [
        ["rename", book, `${world.project}/book`],
        ["exchange", book, own],
        ["rename", own, `${world.library}/file`],
        ["link", own, `${world.library}/file`],
      ]
    ) {
      assert.match(await world.attack(words), /^E(ACCES|XDEV)$/, words[0]);
    }
    assert.equal(Deno.readTextFileSync(book), "a book\n");
  },
);

claim("an unnamed file gets no name outside the project", async (world) => {
  // Guards: O_TMPFILE and linkat, which make a file without creating one.
  const words = ["link-temporary", world.project, `${world.library}/new`];
  assert.match(await world.attack(words), /^E(ACCES|XDEV)$/);
  assert.equal(
    await world.attack([
      "link-temporary",
      world.project,
      `${world.project}/new`,
    ]),
    "done",
  );
  assert.equal(await world.attackFreely(words), "done");
});

claim("a neighbour whose name begins alike is not granted", async (world) => {
  // Guards: comparing paths as texts (CVE-2025-54794).
  const neighbour = `${world.project}-evil`;
  Deno.mkdirSync(neighbour, { mode: 0o777 });
  Deno.chmodSync(neighbour, 0o777);
  await world.isStopped(["open", `${neighbour}/new`, "wc"], "EACCES");
  await world.isStopped(["list", neighbour], "EACCES");
});

claim("the project itself cannot be moved away", async (world) => {
  // Guards: putting another directory where the next launch looks.
  const words = ["rename", world.project, `${world.dir.path}/gone`];
  await world.isStopped(words, "EACCES");
});

claim("a program that is not granted cannot be executed", async (world) => {
  // Guards: programs in HOME, and the loader as a way to run them.
  const program = `${world.home}/program`;
  Deno.copyFileSync(world.attacker, program);
  Deno.chmodSync(program, 0o755);
  await world.isStopped(["exec", program, "read", "/etc/hostname"], "EACCES");
  const loader = Deno.build.arch === "aarch64"
    ? "/lib/ld-linux-aarch64.so.1"
    : "/lib64/ld-linux-x86-64.so.2";
  const { code, errors } = await world.run(loader, [
    program,
    "read",
    "/dev/null",
  ]);
  assert.equal(code, 127);
  assert.match(errors, /cannot open shared object file|Permission denied/);
});

claim(
  "a program that is in no file is confined all the same",
  async (world) => {
    // Guards: memfd_create and fexecve, which no rule about paths sees.
    const key = `${world.home}/.ssh/id_rsa`;
    await world.isStopped(
      ["run-memory", world.attacker, "read", key],
      "EACCES",
    );
  },
);

claim("a grant for one file gives nothing beside it", async (world) => {
  // Guards: dotfiles, which are granted one by one.
  const file = `${world.home}/.bashrc`;
  const policy = world.policy();
  const grants = [...policy.grants, grant(file, "read", "file")];
  const parts = { policy: { grants } };
  const shown = await world.attack(["read", file], parts);
  assert.equal(shown, "done # the shell's file");
  const key = `${world.home}/.ssh/id_rsa`;
  assert.equal(await world.attack(["read", key], parts), "EACCES");
  assert.equal(await world.attack(["open", file, "w"], parts), "EACCES");
  assert.equal(await world.attack(["list", world.home], parts), "EACCES");
});

claim(
  "a granted path that was replaced by a link stops the launch",
  async (world) => {
    // Guards: the time between making a policy and enforcing it.
    const { path } = world.dir;
    Deno.renameSync(`${path}/library`, `${path}/library-old`);
    Deno.symlinkSync(world.home, `${path}/library`);
    const { code, errors } = await world.run(world.attacker, ["list", "/usr"]);
    assert.equal(code, -1);
    assert.match(errors, /^Cannot enforce the sandbox: .*library.*replaced/);
  },
);

claim(
  "a granted file that was replaced by a directory stops the launch",
  async (world) => {
    // Guards: rights of a file would hold for everything in the directory.
    const name = `${world.library}/book`;
    const policy = world.policy();
    const grants = [...policy.grants, grant(name, "read", "file")];
    Deno.removeSync(name);
    Deno.mkdirSync(name);
    const found = await world.run(world.attacker, [], { policy: { grants } });
    assert.equal(found.code, -1);
    assert.match(found.errors, /book.* has been replaced by a directory/);
  },
);

claim("a granted path that is gone is simply not granted", async (world) => {
  // Guards: a launch must not fail, nor grant anything else, for what was removed.
  const gone = grant(`${world.dir.path}/gone`, "write");
  const grants = [...world.policy().grants, gone];
  const parts = { policy: { grants } };
  assert.equal(await world.attack(["list", world.library], parts), "done");
});

claim("devices are not made and not opened", async (world) => {
  // Guards: the disk under the files, the kernel's log, other terminals.
  for (const device of ["/dev/kmsg", "/dev/mem", "/dev/ptmx", "/dev/loop0"]) {
    const found = await world.attack(["open", device, "r"]);
    assert.match(found, /^E(ACCES|NOENT)$/, device);
  }
  const [character, block] = [0o020600, 0o060600];
  const mknodat = Deno.build.arch === "aarch64" ? "33" : "259";
  for (const mode of [character, block]) {
    const path = `s:${world.project}/device`;
    const words = ["call", mknodat, "-100", path, `${mode}`, "0x103"];
    assert.match(await world.attack(words), /^E(PERM|ACCES)$/);
  }
  assert.equal(await world.attack(["open", "/dev/null", "rw"]), "done");
});

claim("programs of other owners give no rights", async (world) => {
  // Guards: set-id programs such as sudo, su, mount and at.
  const program = `${world.library}/whoami`;
  Deno.copyFileSync("/usr/bin/id", program);
  if (Deno.uid() === 0) {
    Deno.chownSync(program, 0, 0);
    Deno.chmodSync(program, 0o4755);
  }
  const policy = world.policy();
  const grants = [...policy.grants, grant(world.library, "exec")];
  const { output } = await world.run(program, ["-u"], { policy: { grants } });
  const expected = world.user === "root"
    ? "0"
    : `${Deno.uid() === 0 ? 64321 : Deno.uid()}`;
  assert.equal(output.trim(), expected);
});

claim("no program can be made that runs as its owner", async (world) => {
  // Guards: what root leaves behind for others to become root by.
  const words = ["chmod", `${world.project}/file`, "4755"];
  await world.isStopped(words, "EPERM");
  const plain = ["chmod", `${world.project}/file`, "0755"];
  assert.equal(await world.attack(plain), "done");
});

claim("normal work goes on in the project", async (world) => {
  // Guards: a sandbox that stops work is switched off.
  const script = `set -e
    mkdir -p a/b && echo text > a/b/file && mv a/b/file a/file
    ln a/file a/hard && ln -s file a/soft && cat a/soft
    cp /usr/bin/true ./own && ./own && rm -r a own
    git init -q repository && cd repository && git config user.name x
    git config user.email x@y.z && echo x > x && git add x
    git commit -q -m x && git gc -q && git log --format=%s
    python3 -c 'import multiprocessing as m; print(m.Pool(2).map(abs, [-1]))'
    echo "$TMPDIR" > "$TMPDIR/t" && printf %s ok`;
  const { code, output, errors } = await world.run("/usr/bin/bash", [
    "-c",
    script,
  ]);
  assert.equal(`${code} ${errors}`, "0 ");
  assert.equal(output, "text\nx\n[1]\nok");
});
