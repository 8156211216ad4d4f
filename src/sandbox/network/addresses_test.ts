import assert from "node:assert/strict";
import { type AddressKind, kindOfAddress } from "./addresses.ts";
import { formatIp, parseIp, parseIpv4, parseIpv6, parseNetwork } from "./ip.ts";

function kind(text: string, own: readonly string[] = []): AddressKind {
  return kindOfAddress(parseIp(text)!, own.map((mine) => parseIp(mine)!));
}

Deno.test("kindOfAddress() knows the addresses that must not be reached by accident", () => {
  const expected: Readonly<Partial<Record<AddressKind, readonly string[]>>> = {
    public: ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111"],
    loopback: ["127.0.0.1", "127.255.0.9", "::1"],
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    "link-local": ["169.254.0.1", "fe80::1", "febf::1"],
    metadata: [
      "169.254.169.254",
      "169.254.170.2",
      "168.63.129.16",
      "100.100.100.200",
      "192.0.0.192",
      "fd00:ec2::254",
    ],
    shared: ["100.64.0.1", "100.127.255.255"],
    multicast: ["224.0.0.251", "239.1.1.1", "ff02::1"],
    unspecified: ["0.0.0.0", "0.1.2.3", "::"],
    reserved: [
      "192.0.2.1",
      "198.18.0.1",
      "240.0.0.1",
      "255.255.255.255",
      "2001:db8::1",
      "100::1",
      "4000::1",
      "::2",
    ],
  };
  for (const [name, addresses] of Object.entries(expected)) {
    for (const address of addresses) assert.equal(kind(address), name, address);
  }
  assert.equal(kind("fd12:3456::1"), "private");
});

Deno.test("kindOfAddress() looks into addresses that carry an IPv4 address", () => {
  const inside: readonly (readonly [string, AddressKind])[] = [
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b::8.8.8.8", "public"],
    ["64:ff9b:1::1", "private"],
    ["2002:7f00:1::", "loopback"],
    ["2002:808:808::1", "public"],
    // Teredo: server 8.8.8.8, client 192.168.0.1 inverted; then a server inside.
    ["2001:0:808:808:0:0:3f57:fffe", "private"],
    ["2001:0:a00:1:0:0:f7f7:f7f7", "private"],
    ["2001:0:808:808:0:0:f7f7:f7f7", "public"],
    // The old compatible form is nobody's address.
    ["::127.0.0.1", "reserved"],
  ];
  for (const [address, name] of inside) {
    assert.equal(kind(address), name, address);
  }
});

Deno.test("kindOfAddress() tells this machine's own addresses, whatever kind they are of", () => {
  const own = ["192.168.1.5", "198.51.100.7", "9.9.9.9", "127.0.0.1"];
  assert.equal(kind("192.168.1.5", own), "own");
  assert.equal(kind("9.9.9.9", own), "own");
  assert.equal(kind("64:ff9b::9.9.9.9", own), "own");
  assert.equal(kind("127.0.0.1", own), "loopback");
  assert.equal(kind("192.168.1.6", own), "private");
});

Deno.test("parseIpv4() reads the spellings that programs take, and no others", () => {
  for (
    const text of [
      "127.0.0.1",
      "127.1",
      "127.0.1",
      "2130706433",
      "0x7f000001",
      "0x7f.1",
      "0177.0.0.1",
      "017700000001",
      "127.0.0x0.01",
    ]
  ) assert.equal(formatIp(parseIpv4(text)!), "127.0.0.1", text);
  for (
    const text of [
      "",
      "1.2.3.4.5",
      "256.0.0.1",
      "1.2.3.256",
      "4294967296",
      "08.0.0.1",
      "1..2",
      "-1",
      "1.2.3.4 ",
    ]
  ) {
    assert.equal(parseIpv4(text), undefined, text);
  }
});

Deno.test("parseIpv6() takes what RFC 4291 takes, and formatIp() writes it by RFC 5952", () => {
  const good: readonly (readonly [string, string])[] = [
    ["::", "::"],
    ["1::", "1::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::1.2.3.4", "::102:304"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
  ];
  for (const [text, written] of good) {
    assert.equal(formatIp(parseIpv6(text)!), written, text);
  }
  for (
    const text of [
      "",
      ":",
      ":::",
      "1:::2",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "12345::",
      "fe80::1%eth0",
      "::1.2.3",
      "::01.2.3.4",
      "::0x1.2.3.4",
      "1.2.3.4::",
      "g::",
    ]
  ) assert.equal(parseIpv6(text), undefined, text);
});

Deno.test("parseNetwork() refuses what is not the start of a network", () => {
  for (const text of ["10.0.0.0/8", "fd00::/8", "10.1.2.3/32", "::/128"]) {
    assert.ok(parseNetwork(text), text);
  }
  for (
    const text of ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/08", "10/8", "/8"]
  ) {
    assert.equal(parseNetwork(text), undefined, text);
  }
});
