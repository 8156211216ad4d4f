import assert from "node:assert/strict";
import { runFilter } from "../../tests/support/bpf_machine.ts";
import { ERRNO } from "../os/syscall.ts";
import { type SyscallName, syscallNumber } from "../os/syscall_numbers.ts";
import { ACTION, assemble } from "./bpf.ts";
import { seccompFilter } from "./seccomp.ts";
import type { SeccompNeeds } from "./seccomp_needs.ts";

type Network = Pick<SeccompNeeds, "internet" | "unix">;

/** SOCK_CLOEXEC | SOCK_NONBLOCK: never part of the decision. */
const FLAGS = 0o2004000;
const [STREAM, DGRAM, RAW, RDM, SEQPACKET, PACKET] = [1, 2, 3, 4, 5, 10];
const [UNIX, INET, INET6, NETLINK] = [1, 2, 10, 16];

function outcome(
  network: Network,
  name: SyscallName,
  ...args: number[]
): string {
  const program = assemble(seccompFilter({
    ...network,
    architecture: "aarch64",
    truncation: false,
    devices: false,
    ownSharedMemory: false,
    signals: "kernel",
    marked: false,
  }));
  const nr = syscallNumber(name, "aarch64")!;
  const action = runFilter(program, {
    nr,
    arch: 0xc00000b7,
    args: args.map(BigInt),
  });
  const errno = Object.entries(ERRNO).find(([, n]) =>
    action === (ACTION.errno | n)
  );
  return errno?.[0] ??
    Object.entries(ACTION).find(([, value]) => value === action)![0];
}

/** Every socket that can be made, as `family type protocol`. */
function sockets(network: Network, call: "socket" | "socketpair"): string[] {
  const made = [];
  for (let family = 0; family < 50; family++) {
    for (const type of [0, STREAM, DGRAM, RAW, RDM, SEQPACKET, 6, PACKET, 15]) {
      for (
        const protocol of [0, 1, 2, 4, 6, 17, 33, 58, 132, 136, 255, 256, 262]
      ) {
        const verdict = outcome(network, call, family, type! | FLAGS, protocol);
        if (verdict === "allow") made.push(`${family} ${type} ${protocol}`);
      }
    }
  }
  return made;
}

/** `protocols` of Unix sockets are ignored by the kernel beyond 0 and 1. */
function unixSockets(types: readonly number[]): string[] {
  const protocols = [0, 1, 2, 4, 6, 17, 33, 58, 132, 136, 255, 256, 262];
  return types.flatMap((type) => protocols.map((p) => `${UNIX} ${type} ${p}`));
}

const ALL_UNIX = unixSockets([0, 1, 2, 3, 4, 5, 6, 10, 15]);
const TCP = [INET, INET6].flatMap((f) => [`${f} 1 0`, `${f} 1 6`]);
const UDP = [INET, INET6].flatMap((f) =>
  [0, 1, 17, 58].map((p) => `${f} 2 ${p}`)
);
const ROUTES = [0, 1, 2, 3, 4, 5, 6, 10, 15].map((t) => `${NETLINK} ${t} 0`);

function assertSame(actual: string[], ...expected: string[][]) {
  assert.deepEqual(actual.sort(), expected.flat().sort());
}

Deno.test("network none has no socket at all but pairs", () => {
  const none = { internet: "none", unix: "none" } as const;
  assertSame(sockets(none, "socket"));
  assertSame(sockets(none, "socketpair"), unixSockets([STREAM!, SEQPACKET!]));
  assert.equal(outcome(none, "connect"), "EACCES");
});

Deno.test("network none with granted Unix sockets has stream sockets that are asked about", () => {
  const granted = { internet: "none", unix: "mediated" } as const;
  assertSame(sockets(granted, "socket"), unixSockets([STREAM!, SEQPACKET!]));
  assert.equal(outcome(granted, "connect"), "notify");
});

Deno.test("network hosts has TCP and nothing that connects past it", () => {
  const hosts = { internet: "mediated", unix: "mediated" } as const;
  const unix = unixSockets([STREAM!, SEQPACKET!]);
  assertSame(sockets(hosts, "socket"), TCP, ROUTES, unix);
  assertSame(sockets(hosts, "socketpair"), unix);
  assert.equal(outcome(hosts, "connect"), "notify");
  assert.equal(outcome(hosts, "listen"), "notify");
  const fastOpen = 0x20000000;
  assert.equal(outcome(hosts, "sendto", 0, 0, 0, fastOpen), "EPERM");
  assert.equal(outcome(hosts, "sendmmsg", 0, 0, 0, fastOpen), "EPERM");
  assert.equal(outcome(hosts, "sendmsg", 0, 0, fastOpen), "EPERM");
  for (const name of ["sendto", "sendmsg", "sendmmsg", "bind"] as const) {
    assert.equal(outcome(hosts, name, 0, 0, 0x4000, 0x4000), "allow");
  }
  assert.equal(outcome(hosts, "setsockopt", 0, 0, 4), "EPERM");
  assert.equal(outcome(hosts, "setsockopt", 0, 41, 57), "EPERM");
  assert.equal(outcome(hosts, "setsockopt", 0, 6, 4), "allow");
  assert.equal(outcome(hosts, "setsockopt", 0, 1, 57), "allow");
  assert.equal(outcome(hosts, "setsockopt", 0, 1, 15), "EPERM");
  assert.equal(outcome(hosts, "setsockopt", 0, 1, 2), "allow");
});

Deno.test("network open has TCP, UDP and ping, and no raw sockets", () => {
  const open = { internet: "open", unix: "none" } as const;
  assertSame(sockets(open, "socket"), TCP, UDP, ROUTES);
  assert.equal(outcome(open, "connect"), "allow");
  assert.equal(outcome(open, "socket", INET!, RAW!, 1), "EPERM");
  assert.equal(outcome(open, "socket", UNIX!, STREAM!, 0), "EACCES");
});

Deno.test("Unix sockets are free where the kernel itself tells them apart", () => {
  const kernel = { internet: "open", unix: "kernel" } as const;
  assertSame(sockets(kernel, "socket"), TCP, UDP, ROUTES, ALL_UNIX);
  assertSame(sockets(kernel, "socketpair"), ALL_UNIX);
  assert.equal(outcome(kernel, "connect"), "allow");
});

Deno.test("network open asks about each connect where Unix sockets are granted", () => {
  const mixed = { internet: "open", unix: "mediated" } as const;
  assert.equal(outcome(mixed, "connect"), "notify");
  assert.equal(outcome(mixed, "listen"), "allow");
  assertSame(
    sockets(mixed, "socket"),
    TCP,
    UDP,
    ROUTES,
    unixSockets([STREAM!, SEQPACKET!]),
  );
});
