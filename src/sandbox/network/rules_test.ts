import assert from "node:assert/strict";
import { AppError } from "../../base/errors.ts";
import { parseIp } from "./ip.ts";
import type { PresetHosts } from "./presets.ts";
import {
  decideAddress,
  decideHost,
  loopbackPorts,
  type NetworkRules,
  parseRules,
} from "./rules.ts";

const HOSTS: PresetHosts = { agent: "none", agentUrls: [], packages: {} };

function rulesOf(...entries: string[]): NetworkRules {
  return parseRules(entries, HOSTS);
}

/** `allowed`, or the reason why not. */
function decide(rules: NetworkRules, host: string, port = 443): string {
  const decision = decideHost(rules, { host, port });
  return decision.allowed ? "allowed" : decision.refusal.reason;
}

/** The same for an address that a listed name leads to. */
function lead(
  rules: NetworkRules,
  text: string,
  { port = 443, own = [] as string[] } = {},
): boolean {
  return decideAddress(
    rules,
    { address: parseIp(text)!, port, rule: { text: "name" } },
    own.map((mine) => parseIp(mine)!),
  ).allowed;
}

Deno.test("decideHost() allows nothing when the list is empty", () => {
  for (const host of ["example.com", "8.8.8.8", "localhost", ""]) {
    assert.notEqual(decide([], host), "allowed");
  }
});

Deno.test("a name allows exactly that name, however it is spelled", () => {
  const rules = rulesOf("Example.com");
  for (const host of ["example.com", "EXAMPLE.COM", "example.com."]) {
    assert.equal(decide(rules, host), "allowed", host);
  }
  for (
    const host of [
      "www.example.com",
      "notexample.com",
      "example.com.evil.net",
      "example.co",
      "xexample.com",
    ]
  ) assert.equal(decide(rules, host), "not-listed", host);
});

Deno.test("a wildcard allows every name below, and neither the name itself nor its look-alikes", () => {
  const rules = rulesOf("*.example.com");
  for (const host of ["a.example.com", "b.a.example.com", "A.Example.Com."]) {
    assert.equal(decide(rules, host), "allowed", host);
  }
  for (
    const host of ["example.com", "notexample.com", "a.example.com.evil.net"]
  ) assert.equal(decide(rules, host), "not-listed", host);
});

Deno.test("decideHost() refuses what is no plain host before it looks at the list", () => {
  const rules = rulesOf("example.com", "*.example.com");
  for (
    const host of [
      "evil.net\0.example.com",
      "evil.net%00.example.com",
      "evil.net%2eexample.com",
      "evil.net@a.example.com",
      "evil.net/a.example.com",
      "evil.net\\a.example.com",
      "evil.net#a.example.com",
      "evil.net?a.example.com",
      "evil.net\r\nX: a.example.com",
      "evil.net .example.com",
      "example.com..",
      ".example.com",
      "a..example.com",
      "-a.example.com",
      "[::1%25eth0]",
      "fe80::1%eth0",
      "a".repeat(64) + ".example.com",
      "a.".repeat(130) + "example.com",
      "1.2.3.example.0x7",
      "xn--\u00e9.example.com\ud800",
    ]
  ) assert.equal(decide(rules, host), "malformed", JSON.stringify(host));
});

Deno.test("international names are compared in their ASCII form", () => {
  const rules = rulesOf("bücher.example");
  assert.equal(decide(rules, "xn--bcher-kva.example"), "allowed");
  assert.equal(decide(rules, "BÜCHER.example"), "allowed");
  assert.equal(decide(rules, "bücher\u3002example"), "allowed");
  assert.equal(decide(rules, "bucher.example"), "not-listed");
  // Cyrillic.
  assert.equal(decide(rulesOf("apple.com"), "аpple.com"), "not-listed");
});

Deno.test("a rule without a port is for the web's ports; one with a port for that one; a star for all", () => {
  const rules = rulesOf("a.test", "b.test:8080", "c.test:*");
  assert.equal(decide(rules, "a.test", 80), "allowed");
  assert.equal(decide(rules, "a.test", 22), "other-port");
  assert.equal(decide(rules, "b.test", 8080), "allowed");
  assert.equal(decide(rules, "b.test", 443), "other-port");
  assert.equal(decide(rules, "c.test", 5432), "allowed");
});

Deno.test("localhost:PORT grants that port of this machine under its usual names, and no other", () => {
  for (const entry of ["localhost:5432", "127.0.0.1:5432", "[::1]:5432"]) {
    const rules = rulesOf(entry);
    for (const host of ["localhost", "127.0.0.1", "::1", "[::1]", "0x7f.1"]) {
      assert.equal(decide(rules, host, 5432), "allowed", host);
      assert.equal(decide(rules, host, 5433), "other-port", host);
    }
    assert.equal(decide(rules, "127.0.0.2", 5432), "not-listed");
    assert.equal(decide(rules, "0.0.0.0", 5432), "not-listed");
    assert.deepEqual(loopbackPorts(rules), [5432]);
  }
});

Deno.test("an address that is not public needs an entry of its own, whichever way it is reached", () => {
  const rules = rulesOf("intern.test", "10.1.0.0/16", "10.2.3.4:5432");
  assert.equal(decide(rules, "10.1.2.3"), "allowed");
  assert.equal(decide(rules, "10.3.2.1"), "not-listed");
  assert.equal(decide(rules, "10.2.3.4", 5432), "allowed");
  assert.ok(lead(rules, "8.8.8.8"));
  assert.ok(lead(rules, "10.1.2.3"));
  assert.ok(!lead(rules, "10.3.2.1"));
  assert.ok(!lead(rules, "127.0.0.1"));
  assert.ok(!lead(rules, "169.254.169.254"));
  assert.ok(lead(rulesOf("localhost:8443"), "127.0.0.1", { port: 8443 }));
  assert.ok(!lead(rulesOf("localhost:8443"), "127.0.0.1"));
});

Deno.test("own and metadata addresses are granted one by one, never by a network", () => {
  const own = ["192.168.1.5"];
  const wide = rulesOf("192.168.1.0/24", "169.254.0.0/16");
  assert.ok(lead(wide, "192.168.1.6", { own }));
  assert.ok(!lead(wide, "192.168.1.5", { own }));
  assert.ok(!lead(wide, "169.254.169.254"));
  const exact = rulesOf("192.168.1.5", "169.254.169.254:80");
  assert.ok(lead(exact, "192.168.1.5", { own }));
  assert.ok(lead(exact, "169.254.169.254", { port: 80 }));
});

Deno.test("parseRules() refuses entries that mean too much or nothing", () => {
  for (
    const entry of [
      "",
      "*",
      "*.com",
      "*.*.example.com",
      "a.*.example.com",
      "*example.com",
      "*.127.0.0.1",
      "*.localhost:80",
      "https://example.com",
      "example.com/path",
      "user@example.com",
      "example.com:",
      "example.com:0",
      "example.com:65536",
      "example.com:0443",
      "example.com:http",
      "localhost",
      "localhost:*",
      "127.0.0.1",
      "127.0.0.2:80",
      "127.0.0.0/8",
      "0.0.0.0:80",
      "0.0.0.0/0",
      "::/0",
      "10.0.0.1/8",
      "224.0.0.1:80",
      "exa%6dple.com",
      "exam ple.com",
      "@nmp",
      "@npm",
    ]
  ) {
    assert.throws(
      () => rulesOf(entry),
      (error) =>
        error instanceof AppError &&
        error.code === "NETWORK_RULE_INVALID",
      JSON.stringify(entry),
    );
  }
});

Deno.test("parseRules() takes IPv6 networks with and without a port", () => {
  const rules = rulesOf("fd12::/16", "[fd34::/16]:5432", "[fd56::1]:22");
  assert.equal(decide(rules, "fd12::1"), "allowed");
  assert.equal(decide(rules, "fd34::1", 5432), "allowed");
  assert.equal(decide(rules, "[fd56::1]", 22), "allowed");
  assert.equal(decide(rules, "fd56::2", 22), "not-listed");
});

Deno.test("@agent and the package presets stand for what the settings name", () => {
  const rules = parseRules(["@agent", "@npm"], {
    agent: "claude",
    agentUrls: ["http://127.0.0.1:4010", "https://gateway.test/anthropic"],
    packages: { "@npm": ["https://mirror.test:8443/npm/"] },
  });
  assert.equal(decide(rules, "api.anthropic.com"), "allowed");
  assert.equal(decide(rules, "gateway.test"), "allowed");
  assert.equal(decide(rules, "gateway.test", 80), "other-port");
  assert.equal(decide(rules, "mirror.test", 8443), "allowed");
  assert.equal(decide(rules, "127.0.0.1", 4010), "allowed");
  const decision = decideHost(rules, { host: "mirror.test", port: 8443 });
  assert.deepEqual(decision, { allowed: true, rule: "@npm" });
  // Through the proxy only: an entry by number is what opens a port.
  assert.deepEqual(loopbackPorts(rules), []);
});
