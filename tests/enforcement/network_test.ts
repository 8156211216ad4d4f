/** The network: hosts mode reaches the proxy, granted ports and own servers, and nothing else by any protocol. */
import assert from "node:assert/strict";
import type { NetworkPolicy } from "../../src/sandbox/types.ts";
import { run, waitFor } from "../support/process.ts";
import { Servers } from "./servers.ts";
import { claim, type RunParts } from "./world.ts";

const WHY = { source: "manifest", text: "a test" } as const;
const NONE: RunParts = { network: { mode: "none" } };

/** Network by host, where the proxy is on this port. */
function hosts(port: number, ports: number[] = []): RunParts {
  const network: NetworkPolicy = {
    mode: "hosts",
    allow: [],
    ports: ports.map((port) => ({ port, why: WHY })),
    proxy: { port },
  };
  return { network, supervised: true };
}

claim("only the proxy is reached, by address and port", async (world) => {
  // Guards: a rule for a port alone, which reaches that port on every machine.
  using servers = new Servers();
  const proxy = servers.tcp("127.0.0.1", "the proxy");
  servers.tcp("127.0.0.2", "forbidden", proxy);
  servers.tcp("::1", "forbidden", proxy);
  const other = servers.tcp("127.0.0.1", "forbidden");
  const parts = hosts(proxy);
  const there = ["connect-tcp", "127.0.0.1", `${proxy}`];
  assert.equal(await world.attack(there, parts), "done the proxy");
  const mapped = ["connect-tcp", "::ffff:127.0.0.1", `${proxy}`];
  assert.equal(await world.attack(mapped, parts), "done the proxy");
  for (
    const [address, port] of [
      ["127.0.0.2", proxy],
      ["::1", proxy],
      ["127.0.0.1", other],
      ["::ffff:127.0.0.2", proxy],
    ]
  ) {
    const words = ["connect-tcp", `${address}`, `${port}`];
    await world.isStopped(words, "EACCES", parts);
  }
  const far = ["connect-tcp", "192.0.2.1", `${proxy}`];
  assert.equal(await world.attack(far, parts), "EACCES");
});

claim("an empty list of hosts reaches nothing", async (world) => {
  // Guards: taking no entry for every entry (CVE-2025-66479).
  using servers = new Servers();
  const [proxy, other] = [1, 2].map(() => servers.tcp("127.0.0.1", "x"));
  const words = ["connect-tcp", "127.0.0.1", `${other}`];
  await world.isStopped(words, "EACCES", hosts(proxy!));
});

claim(
  "a granted port of this machine is reached beside the proxy",
  async (world) => {
    // Guards: databases that tests need, and only these.
    using servers = new Servers();
    const [proxy, granted, other] = ["p", "granted", "x"].map((line) =>
      servers.tcp("127.0.0.1", line)
    );
    const parts = hosts(proxy!, [granted!]);
    const to = (
      port: number | undefined,
    ) => ["connect-tcp", "127.0.0.1", `${port}`];
    assert.equal(await world.attack(to(granted), parts), "done granted");
    assert.equal(await world.attack(to(other), parts), "EACCES");
  },
);

claim("no other protocol gets out", async (world) => {
  // Guards: UDP for DNS tunnels, SCTP, MPTCP, raw packets, virtual machines' sockets.
  const parts = hosts(9);
  const [INET, INET6, NETLINK, PACKET, VSOCK, ALG] = [2, 10, 16, 17, 40, 38];
  const [STREAM, DGRAM, RAW, SEQPACKET] = [1, 2, 3, 5];
  for (
    const [family, type, protocol] of [
      [INET, DGRAM, 0],
      [INET6, DGRAM, 0],
      [INET, DGRAM, 1],
      [INET, RAW, 1],
      [INET, STREAM, 132],
      [INET, SEQPACKET, 132],
      [INET, STREAM, 262],
      [INET, STREAM, 256],
      [INET6, STREAM, 262],
      [PACKET, RAW, 0x300],
      [VSOCK, STREAM, 0],
      [ALG, SEQPACKET, 0],
      [NETLINK, RAW, 4],
      [NETLINK, RAW, 9],
      [NETLINK, RAW, 15],
    ]
  ) {
    const words = ["socket", `${family}`, `${type}`, `${protocol}`];
    assert.notEqual(await world.attack(words, parts), "done", words.join(" "));
    assert.notEqual(await world.attack(words, NONE), "done", words.join(" "));
  }
  await world.isStopped(["socket", "2", "2", "0"], "EAFNOSUPPORT", parts);
  await world.isStopped(["socket", "2", "1", "262"], "EPROTONOSUPPORT", parts);
  const routes = ["socket", `${NETLINK}`, `${RAW}`, "0"];
  assert.equal(await world.attack(routes, parts), "done");
});

claim("nothing is connected while sending", async (world) => {
  // Guards: TCP Fast Open, a connect that is not called one.
  using servers = new Servers();
  const [proxy, other] = [1, 2].map(() => servers.tcp("127.0.0.1", "x"));
  const words = ["fast-open", "127.0.0.1", `${other}`];
  assert.equal(await world.attack(words, hosts(proxy!)), "EPERM");
});

claim(
  "changing the address while it is looked at does not help",
  async (world) => {
    // Guards: the time between the check and the use, with a second thread.
    using servers = new Servers();
    const proxy = servers.tcp("127.0.0.1", "the proxy");
    servers.tcp("127.0.0.2", "forbidden", proxy);
    const words = [
      "race-address",
      "3000",
      `${proxy}`,
      "127.0.0.1",
      "127.0.0.2",
    ];
    const found = await world.attack(words, hosts(proxy));
    assert.equal(found, "done escaped=0 reached=some denied=some");
    const free = await world.attackFreely(words);
    assert.doesNotMatch(free, /escaped=0/);
  },
);

claim("many processes and threads connect at once", async (world) => {
  // Guards: answers that go to the wrong thread, or get lost.
  using servers = new Servers();
  const proxy = servers.tcp("127.0.0.1", "the proxy");
  const words = ["crowd", "127.0.0.1", `${proxy}`];
  assert.equal(await world.attack(words, hosts(proxy)), "done failed=0");
});

claim("a connect that signals interrupt comes to its end", async (world) => {
  // Guards: timers and Ctrl-C in programs that connect.
  using servers = new Servers();
  const proxy = servers.tcp("127.0.0.1", "the proxy");
  for (const restart of ["0", "1"]) {
    const words = ["interrupted", "127.0.0.1", `${proxy}`, restart];
    assert.equal(await world.attack(words, hosts(proxy)), "done wrong=0");
  }
});

Deno.test("a server inside is not reached from another machine", async () => {
  // Guards: data that is fetched instead of sent.
  const script = new URL("./neighbour.ts", import.meta.url).pathname;
  const { stdout, stderr } = await run("/usr/bin/unshare", [
    ...["--user", "--map-root-user", "--net", Deno.execPath()],
    ...["run", "-A", "--no-check", "--no-config", script],
  ], { env: Deno.env.toObject(), cwd: "/" });
  assert.deepEqual(JSON.parse(stdout || stderr), {
    here: "done from inside",
    neighbour: "ECONNREFUSED",
    neighbourFreely: "done a free server",
  });
});

claim("a server inside is reached from inside", async (world) => {
  // Guards: development servers and tests that start one.
  const parts = hosts(9);
  for (const address of ["127.0.0.1", "0.0.0.0", "::", "::1"]) {
    const found = await world.attack(["serve-tcp", address, "0"], parts);
    assert.equal(found, "done from inside", address);
  }
});

claim(
  "the own server of one sandbox is no way into another's",
  async (world) => {
    // Guards: taking the port for the server: what listens there now may be somebody else.
    using servers = new Servers();
    const parts = hosts(9);
    const port = 20_000 + Math.floor(Math.random() * 9000);
    const script = `./attack serve-tcp 127.0.0.1 ${port}
    touch ready; while ! [ -e go ]; do sleep 0.02; done
    ./attack connect-tcp 127.0.0.1 ${port}`;
    const running = world.run("/usr/bin/bash", ["-c", script], parts);
    await waitFor(
      "the own server has been",
      () => exists(`${world.project}/ready`),
    );
    await waitFor("the port is free", () => {
      try {
        return servers.tcp("127.0.0.1", "forbidden", port);
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) {
          return undefined;
        }
        throw error;
      }
    });
    Deno.writeTextFileSync(`${world.project}/go`, "");
    const { output } = await running;
    assert.equal(output, "done from inside\nEACCES\n");
  },
);

claim("a port cannot be shared with a server outside", async (world) => {
  // Guards: SO_REUSEPORT, with which a server of the user would look like an own one.
  const [socket, setsockopt] = Deno.build.arch === "aarch64"
    ? ["198", "208"]
    : ["41", "54"];
  assert.equal(
    await world.attack(["call", socket!, "2", "1", "0"], hosts(9)),
    "done",
  );
  const words = ["call", setsockopt!, "0", "1", "15", "m:4", "4"];
  assert.equal(await world.attack(words, hosts(9)), "EPERM");
});

claim("packets cannot be sent on a way of their own", async (world) => {
  // Guards: source routes, which lead to another machine than the one that was asked about.
  const setsockopt = Deno.build.arch === "aarch64" ? "208" : "54";
  for (const [level, option] of [["0", "4"], ["41", "57"], ["41", "5"]]) {
    const words = ["call", setsockopt, "0", level!, option!, "m:8", "8"];
    assert.equal(await world.attack(words, hosts(9)), "EPERM");
  }
});

claim("without a network there are no sockets but pairs", async (world) => {
  // Guards: network = "none".
  using servers = new Servers();
  const port = servers.tcp("127.0.0.1", "forbidden");
  const words = ["connect-tcp", "127.0.0.1", `${port}`];
  await world.isStopped(words, "EAFNOSUPPORT", NONE);
  await world.isStopped(["serve-tcp", "127.0.0.1", "0"], "EAFNOSUPPORT", NONE);
  const script = "import socket; a, b = socket.socketpair(); " +
    "a.send(b'x'); print(b.recv(1))";
  const { output } = await world.run("/usr/bin/python3", ["-c", script], NONE);
  assert.equal(output, "b'x'\n");
});

claim("an open network is open", async (world) => {
  // Guards: nothing; and that the sandbox does not close what nobody asked it to.
  using servers = new Servers();
  const port = servers.tcp("127.0.0.1", "anybody");
  for (const parts of [{}, { supervised: true }]) {
    const words = ["connect-tcp", "127.0.0.1", `${port}`];
    assert.equal(await world.attack(words, parts), "done anybody");
    const udp = ["send-udp", "127.0.0.1", "9"];
    assert.equal(await world.attack(udp, parts), "done");
    const server = ["serve-tcp", "127.0.0.1", "0"];
    assert.equal(await world.attack(server, parts), "done from inside");
    assert.equal(await world.attack(["socket", "2", "3", "1"], parts), "EPERM");
  }
});

claim("everything that was asked is told to the supervisor", async (world) => {
  // Guards: the audit, which has to show what was tried.
  using servers = new Servers();
  const proxy = servers.tcp("127.0.0.1", "the proxy");
  const script = `./attack connect-tcp 127.0.0.1 ${proxy}
    ./attack connect-tcp 192.0.2.1 443; ./attack connect-unix /run/docker.sock
    ./attack connect-abstract x`;
  const { asked } = await world.run(
    "/usr/bin/bash",
    ["-c", script],
    hosts(proxy),
  );
  assert.ok(asked.includes(`allow 127.0.0.1:${proxy}`), `${asked}`);
  assert.ok(asked.includes("EACCES 192.0.2.1:443"), `${asked}`);
  assert.ok(asked.includes("EACCES abstract Unix socket"), `${asked}`);
});

claim("a program that hides its memory does not get out", async (world) => {
  // Guards: PR_SET_DUMPABLE, after which nobody can look at its addresses.
  using servers = new Servers();
  const proxy = servers.tcp("127.0.0.1", "the proxy");
  const script = `import ctypes, socket
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
try:
    socket.create_connection(("127.0.0.1", ${proxy} + 1)); print("connected")
except OSError as error: print(error.errno in (1, 13))`;
  const { output } = await world.run(
    "/usr/bin/python3",
    ["-c", script],
    hosts(proxy),
  );
  assert.equal(output, "True\n");
});

function exists(path: string): true | undefined {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
