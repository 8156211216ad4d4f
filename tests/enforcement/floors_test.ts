/** Each protection has a version of Landlock from which the kernel gives it; below, something stands in, or the launch is refused. */
import assert from "node:assert/strict";
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import type { KernelFacts, Mechanism } from "../../src/sandbox/exec_types.ts";
import { launchClaim, type LaunchWorld } from "./launch_world.ts";
import { Servers } from "./servers.ts";
import { asUser } from "./world.ts";

const VERSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** What each protection rests on, by version: the first that is at most the kernel's counts. */
const FLOORS: Readonly<Record<string, readonly [number, Mechanism][]>> = {
  files: [[1, "landlock"]],
  truncation: [[3, "landlock"], [1, "seccomp"]],
  devices: [[5, "landlock"], [1, "seccomp"]],
  signals: [[6, "landlock"], [1, "mediator"]],
  "abstract-sockets": [[6, "landlock"], [1, "mediator"]],
  "unix-sockets": [[9, "landlock"], [1, "mediator"]],
  processes: [[1, "landlock"]],
  namespaces: [[1, "seccomp"]],
  "terminal-input": [[1, "seccomp"]],
  "kernel-interfaces": [[1, "seccomp"]],
  "shared-memory": [[1, "seccomp"]],
  privileges: [[1, "capabilities"]],
  internet: [[1, "nothing"]],
  metadata: [[1, "nothing"]],
};

function kernel(landlockAbi: number): KernelFacts {
  const architecture = Deno.build.arch;
  return { release: "6.0.0", architecture, landlockAbi, uid: 1000 };
}

const SUPERVISOR = { noMediation: undefined, noNamespaces: "there are none" };

launchClaim(
  "a protection is said to be what enforces it, with every version",
  async (world) => {
    // Guards against sandboxes that silently do without what the kernel has not (fence, nono's signals), and say nothing.
    const { policy } = await world.plan();
    for (const abi of VERSIONS) {
      const options = { supervisor: SUPERVISOR };
      const { protections } = planEnforcement(policy, kernel(abi), options);
      const by = Object.fromEntries(protections.map((p) => [p.id, p.by]));
      for (const [id, floors] of Object.entries(FLOORS)) {
        const expected = floors.find(([floor]) => floor <= abi)?.[1];
        assert.equal(by[id], expected, `${id} with version ${abi}`);
      }
    }
  },
);

launchClaim(
  "a launch that cannot be held to its policy does not start",
  async (world) => {
    // Guards against best effort: without Landlock, without a supervisor, without what a supervisor needs, without a proxy.
    const { policy } = await world.plan();
    const network = { mode: "hosts", allow: [], ports: [] } as const;
    const hosts = { ...policy, network: { ...network, proxy: { port: 9 } } };
    const noProxy = { ...policy, network: { ...network, proxy: undefined } };
    const noMediation = { ...SUPERVISOR, noMediation: "it is forbidden" };
    const cases = [
      [policy, kernel(0), SUPERVISOR],
      [policy, kernel(-1), SUPERVISOR],
      [policy, kernel(5), undefined],
      [hosts, kernel(9), undefined],
      [hosts, kernel(9), noMediation],
      [policy, kernel(5), noMediation],
      [noProxy, kernel(9), SUPERVISOR],
    ] as const;
    for (const [policy, kernel, supervisor] of cases) {
      assert.throws(() => planEnforcement(policy, kernel, { supervisor }), {
        code: "SANDBOX_UNENFORCED",
        exitCode: 3,
      });
    }
    planEnforcement(policy, kernel(6), { supervisor: undefined });
    planEnforcement(hosts, kernel(1), { supervisor: SUPERVISOR });
  },
);

/** A socket without a path, outside. */
function abstractServer(world: LaunchWorld, name: string): Deno.ChildProcess {
  const script = `import socket
s = socket.socket(socket.AF_UNIX); s.bind("\\0${name}"); s.listen(9)
print("ready", flush=True)
while True: c = s.accept()[0]; c.send(b"forbidden\\n"); c.close()`;
  const [program, args] = asUser(world.user, "/usr/bin/python3", [
    ...["-c", script],
  ]);
  return new Deno.Command(program, {
    args: [...args],
    env: { SECRET: "a-secret" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

launchClaim(
  "what stands in for a missing rule stops the same",
  async (world) => {
    // Guards against older kernels: devices before 6.10, signals and abstract sockets before 6.12, other sockets before 7.1.
    using servers = new Servers();
    const docker = servers.unix(`${world.home}/docker.sock`, "docker");
    const name = `aenv-${crypto.randomUUID()}`;
    const server = abstractServer(world, name);
    const ready = server.stdout.getReader();
    const { value } = await ready.read();
    assert.match(new TextDecoder().decode(value), /^ready/);
    world.file("home/work/project/sub/file", "x\n");
    world.own();
    const attempts = {
      key: `$attack read ${world.home}/.ssh/id_rsa`,
      write: `$attack open ${world.home}/.bashrc w`,
      truncate: `$attack truncate ${world.home}/.bashrc`,
      device: "$attack open /dev/ptmx x",
      abstract: `$attack connect-abstract ${name}`,
      docker: `$attack connect-unix ${docker}`,
      signal: `$attack kill ${server.pid} 0`,
      environment: `$attack read /proc/${server.pid}/environ`,
      typing: "$attack type 0x5412",
      namespace: "$attack unshare 0x10000000",
      ring: "$attack call 425 4 m:120",
    };
    const script = Object.entries(attempts)
      .map(([name, line]) => `echo ${name} $(${line})`).join("\n");
    try {
      for (const landlockAbi of [1, 2, 3, 4, 5, 6, 99]) {
        const found = await world.shell(script, { landlockAbi });
        const lines = found.split("\n").map((line) => {
          const [what, result] = line.split(" ");
          // To open a device for nothing but control is left to Landlock's own rule.
          const isHeld = what === "device" && landlockAbi >= 5;
          return isHeld || /^E(ACCES|PERM|ROFS)$/.test(result!) ? "" : line;
        });
        assert.equal(lines.join(""), "", `version ${landlockAbi}`);
      }
      const free = await world.shellFreely(script);
      for (const what of ["key", "abstract", "docker", "signal", "ring"]) {
        assert.match(free, new RegExp(`^${what} done`, "m"));
      }
    } finally {
      server.kill("SIGKILL");
      await ready.cancel();
      await server.status;
    }
  },
);

launchClaim(
  "nothing of it needs namespaces, root or another program",
  async (world) => {
    // Guards against codex #14919 to #29908: no namespaces in containers and on Ubuntu, so the whole sandbox was switched off.
    for (const parts of [{ supervised: false }, { noNamespaces: true }]) {
      await world.refuses({
        key: `cat ${world.home}/.ssh/id_rsa`,
        write: `echo x > ${world.home}/.bashrc`,
        make: `rm -f ${world.home}/new; echo x > ${world.home}/new`,
        ring: "$attack call 425 4 m:120 | grep done",
      }, parts);
      const status = await world.shell("cat /proc/self/status", parts);
      assert.match(status, /CapEff:\t0{16}/);
      assert.match(status, /Seccomp:\t2/);
    }
  },
);
