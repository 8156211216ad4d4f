import assert from "node:assert/strict";
import fc from "fast-check";
import type { AbsPath } from "../base/paths.ts";
import { readSocketAddress } from "./mediate_address.ts";
import {
  decideInternet,
  decideUnix,
  isLoopback,
  type MediationRules,
} from "./mediate_rules.ts";

const INET = 2;
const INET6 = 10;

const RULES: MediationRules = {
  internet: [
    { address: "127.0.0.1", port: 8080 },
    { address: "::1", port: 5432 },
  ],
  unixPaths: ["/run/user/1000/db.sock" as AbsPath],
  unixTrees: ["/project" as AbsPath, "/slot/tmp" as AbsPath],
  signals: false,
};

function inet(port: number, ...address: number[]) {
  const bytes = new Uint8Array(address.length === 4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, address.length === 4 ? INET : INET6, true);
  view.setUint16(2, port);
  bytes.set(address, address.length === 4 ? 4 : 8);
  return bytes;
}

function words(text: string): number[] {
  return text.split(":").flatMap((word) => {
    const value = parseInt(word, 16);
    return [value >> 8, value & 0xff];
  });
}

function unix(name: string) {
  return new Uint8Array([1, 0, ...new TextEncoder().encode(name)]);
}

const nobody = { isOwn: () => false };
const own = { isOwn: () => true };

Deno.test("readSocketAddress() has one text for each machine", () => {
  const texts = [
    inet(1, 10, 0, 0, 7),
    inet(1, 0, 0, 0, 0),
    inet(1, ...words("0:0:0:0:0:0:0:0")),
    inet(1, ...words("0:0:0:0:0:ffff:a00:7")),
    inet(1, ...words("0:0:0:0:0:ffff:0:0")),
    inet(1, ...words("0:0:0:0:0:0:0:1")),
    inet(1, ...words("2001:db8:0:0:1:0:0:1")),
    inet(1, ...words("fe80:0:0:0:0:0:0:0")),
    inet(1, ...words("1:0:2:0:3:0:4:0")),
  ].map((bytes) => {
    const found = readSocketAddress(bytes, bytes[0]!);
    return found.kind === "internet" ? found.address : found.kind;
  });
  assert.deepEqual(texts, [
    "10.0.0.7",
    "127.0.0.1",
    "::1",
    "10.0.0.7",
    "127.0.0.1",
    "::1",
    "2001:db8::1:0:0:1",
    "fe80::",
    "1:0:2:0:3:0:4:0",
  ]);
});

Deno.test("readSocketAddress() takes no address of another family, and none that is cut", () => {
  const address = inet(80, 1, 2, 3, 4);
  assert.deepEqual(readSocketAddress(address, INET6), { kind: "invalid" });
  assert.deepEqual(readSocketAddress(address, 1), { kind: "invalid" });
  assert.deepEqual(readSocketAddress(address, 40), { kind: "invalid" });
  for (let length = 0; length < 16; length++) {
    const cut = address.slice(0, length);
    assert.deepEqual(readSocketAddress(cut, INET), { kind: "invalid" });
  }
  const nothing = new Uint8Array(16);
  assert.deepEqual(readSocketAddress(nothing, INET), { kind: "none" });
  assert.deepEqual(readSocketAddress(nothing, 1), { kind: "invalid" });
});

Deno.test("readSocketAddress() tells Unix paths from abstract names", () => {
  const path = (text: string) => ({
    kind: "path",
    path: new TextEncoder().encode(text),
  });
  assert.deepEqual(readSocketAddress(unix("/a/b\0/c"), 1), path("/a/b"));
  assert.deepEqual(readSocketAddress(unix("rel"), 1), path("rel"));
  assert.deepEqual(readSocketAddress(unix("\0x"), 1), { kind: "abstract" });
  assert.deepEqual(readSocketAddress(unix(""), 1), { kind: "invalid" });
});

Deno.test("readSocketAddress() never throws, and gives ports as they are", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 130 }),
    fc.constantFrom(0, 1, 2, 10, 16, 17, 38),
    (bytes, family) => {
      readSocketAddress(new Uint8Array(bytes), family);
    },
  ));
  const found = readSocketAddress(inet(0xabcd, 1, 2, 3, 4), INET);
  assert.deepEqual(found, {
    kind: "internet",
    address: "1.2.3.4",
    port: 0xabcd,
  });
});

Deno.test("decideInternet() wants the address and the port", () => {
  const yes = [{ address: "127.0.0.1", port: 8080 }, {
    address: "::1",
    port: 5432,
  }];
  const no = [
    { address: "10.0.0.1", port: 8080 },
    { address: "127.0.0.2", port: 8080 },
    { address: "::1", port: 8080 },
    { address: "127.0.0.1", port: 5432 },
    { address: "127.0.0.1", port: 80801 },
  ];
  for (const to of yes) {
    assert.equal(decideInternet(RULES, to, nobody), "allow");
  }
  for (const to of no) {
    assert.equal(decideInternet(RULES, to, nobody), "EACCES");
  }
});

Deno.test("decideInternet() lets servers of the own domain be reached on this machine only", () => {
  const here = { address: "127.0.0.1", port: 3000 };
  assert.equal(decideInternet(RULES, here, own), "allow");
  assert.equal(decideInternet(RULES, here, nobody), "EACCES");
  const there = { address: "10.0.0.1", port: 3000 };
  assert.equal(decideInternet(RULES, there, own), "EACCES");
});

Deno.test("decideInternet() takes an empty list for nothing", () => {
  const rules = { ...RULES, internet: [] };
  const to = { address: "127.0.0.1", port: 8080 };
  assert.equal(decideInternet(rules, to, nobody), "EACCES");
  const open = { ...RULES, internet: "open" } as const;
  assert.equal(
    decideInternet(open, { address: "9.9.9.9", port: 1 }, nobody),
    "allow",
  );
});

Deno.test("isLoopback() goes by whole addresses", () => {
  const found = [
    "127.0.0.1",
    "127.255.0.9",
    "::1",
    "128.0.0.1",
    "127.0.0.1.x",
    "::2",
    "1127.0.0.1",
  ]
    .filter(isLoopback);
  assert.deepEqual(found, ["127.0.0.1", "127.255.0.9", "::1"]);
});

Deno.test("decideUnix() goes by real paths, whole names and single links", () => {
  const socket = (path: string | undefined, links = 1, isSocket = true) =>
    decideUnix(RULES, { path, links, isSocket });
  assert.equal(socket("/run/user/1000/db.sock"), "allow");
  assert.equal(socket("/project/a/b.sock"), "allow");
  assert.equal(socket("/slot/tmp/x"), "allow");
  for (
    const path of [
      "/run/user/1000/db.sock2",
      "/run/user/1000/db.sock/x",
      "/projectx/a.sock",
      "/slot/x",
      "/run/docker.sock",
      "/run/user/1000/db.sock (deleted)",
      undefined,
    ]
  ) assert.equal(socket(path), "EACCES", path);
  assert.equal(socket("/project/hard.sock", 2), "EACCES");
  assert.equal(socket("/project/file", 1, false), "EACCES");
});
