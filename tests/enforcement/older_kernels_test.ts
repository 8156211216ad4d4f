/** Older kernels: what stands in for the rules that their Landlock has not. The newer rules are left out, not the kernel. */
import assert from "node:assert/strict";
import { Servers } from "./servers.ts";
import { claim, type RunParts } from "./world.ts";

/** Versions with something missing; before the sixth a supervisor is needed. */
const VERSIONS = [1, 2, 3, 4, 5];

function version(landlockAbi: number): RunParts {
  return { landlockAbi, supervised: true };
}

claim("files are closed with every version of Landlock", async (world) => {
  // Guards: a rule that only the newest version has, and that everything hangs on.
  const key = `${world.home}/.ssh/id_rsa`;
  const file = `${world.home}/.bashrc`;
  for (const abi of VERSIONS) {
    const parts = version(abi);
    assert.equal(await world.attack(["read", key], parts), "EACCES", `${abi}`);
    for (const how of ["w", "wt", "rt", "x", "xt", "wc"]) {
      const found = await world.attack(["open", file, how], parts);
      const expected = abi >= 5 && how === "x" ? "done" : "EACCES";
      assert.equal(found, expected, `${abi} ${how}`);
    }
    const truncated = await world.attack(["truncate", file], parts);
    assert.equal(truncated, "EACCES", `${abi}`);
    const words = ["rename", `${world.library}/book`, `${world.project}/b`];
    assert.match(await world.attack(words, parts), /^E(ACCES|XDEV)$/);
  }
  assert.equal(Deno.readTextFileSync(file), "# the shell's file\n");
});

claim("files may be emptied where they may be written", async (world) => {
  // Guards: what stands in for the rule must not stop editors.
  const file = `${world.project}/file`;
  for (const abi of VERSIONS) {
    const found = await world.attack(["open", file, "wt"], version(abi));
    assert.equal(found, "done", `${abi}`);
    const script = `echo a > ${file}; echo b > ${file}; truncate -s 0 ${file}`;
    const { code, errors } = await world.run(
      "/usr/bin/bash",
      ["-c", script],
      version(abi),
    );
    assert.equal(`${code} ${errors}`, "0 ", `${abi}`);
  }
});

claim(
  "nothing is moved between directories with the first version",
  async (world) => {
    // Guards: rights that a move would add; the first version has no rule for them.
    const to = `${world.tmp}/file`;
    const words = ["rename", `${world.project}/file`, to];
    assert.equal(await world.attack(words, version(1)), "EXDEV");
    assert.equal(await world.attack(words, version(2)), "done");
  },
);

claim("the network is closed with every version of Landlock", async (world) => {
  // Guards: versions before the fourth know nothing of TCP.
  using servers = new Servers();
  const [proxy, other] = ["the proxy", "forbidden"].map((line) =>
    servers.tcp("127.0.0.1", line)
  );
  const network = {
    mode: "hosts",
    allow: [],
    ports: [],
    proxy: { port: proxy! },
  } as const;
  for (const abi of VERSIONS) {
    const parts = { ...version(abi), network };
    const to = (port: number) => ["connect-tcp", "127.0.0.1", `${port}`];
    assert.equal(await world.attack(to(proxy!), parts), "done the proxy");
    assert.equal(await world.attack(to(other!), parts), "EACCES");
    const none = { ...version(abi), network: { mode: "none" } } as const;
    assert.equal(await world.attack(to(other!), none), "EAFNOSUPPORT");
  }
});

claim(
  "a launch without a supervisor is refused where one is needed",
  async (world) => {
    // Guards: running without a protection instead of not running.
    const { code, errors } = await world.run(
      world.attacker,
      ["list", "/usr"],
      { landlockAbi: 5, supervised: false },
    );
    assert.equal(code, -1);
    assert.equal(errors, "Cannot enforce the sandbox: nothing supervises it");
  },
);

claim("a launch is refused where there is no Landlock", async (world) => {
  // Guards: kernels before 5.13, gVisor, containers that switch it off.
  const { code, errors } = await world.run(
    world.attacker,
    ["list", "/usr"],
    { landlockAbi: 0, supervised: true },
  );
  assert.equal(code, -1);
  assert.match(
    errors,
    /^Cannot enforce the sandbox: this kernel has no Landlock/,
  );
});

claim("normal work goes on with every version of Landlock", async (world) => {
  // Guards: what stands in for a rule and stops more than it should.
  const script = `set -e
    mkdir -p a && echo text > a/file && cp a/file a/copy && rm a/copy
    sleep 9 & kill $!
    python3 -c 'import multiprocessing as m; print(m.Pool(2).map(abs, [-1]))'
    python3 -c 'import subprocess; print(subprocess.run(["true"]).returncode)'
    printf ok`;
  for (const abi of VERSIONS) {
    const { code, output, errors } = await world.run(
      "/usr/bin/bash",
      ["-c", script],
      version(abi),
    );
    assert.equal(`${code} ${errors} ${output}`, "0  [1]\n0\nok", `${abi}`);
  }
});
