/** A million generated hosts: whatever somebody writes, it means one thing, and nothing private passes. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { kindOfAddress } from "./addresses.ts";
import { normaliseHost } from "./host_name.ts";
import { formatIp, parseIp } from "./ip.ts";
import { decideHost, parseRules } from "./rules.ts";

const BATCH = 1000;
const RULES = parseRules(
  ["example.com", "*.example.com", "xn--bcher-kva.example", "8.8.8.8"],
  { agent: "none", agentUrls: [], packages: {} },
);

/** Pieces of which hosts, and what is mistaken for them, are made. */
const PIECES = [
  ..."abc019xX.-_:[]/\\@%#? \t\r\n",
  ..."\0\x7f\u00ad\u200b\u3002\uff0e\uff11ßıſK\u0130é中\ud800",
  "example",
  ".com",
  "example.com",
  "evil",
  "localhost",
  "127",
  "0x7f",
  "0177",
  "2130706433",
  "169.254",
  "::",
  "ffff:",
  "fe80",
  "%00",
  "%2e",
  "xn--",
  "bücher",
];

const PARTS = ["127", "10", "0", "1", "169", "254", "172", "16", "192", "168"];
/** Spellings of one byte. */
const SPELLINGS: readonly ((part: string) => string)[] = [
  (part) => part,
  (part) => "0x" + Number(part).toString(16),
  (part) => "0" + Number(part).toString(8),
  (part) => part.replace(/[0-9]/g, (d) => String.fromCharCode(0xff10 + +d)),
];

const spelled = fc.record({
  parts: fc.array(
    fc.tuple(fc.constantFrom(...PARTS), fc.constantFrom(...SPELLINGS)),
    { minLength: 1, maxLength: 5 },
  ),
  dot: fc.constantFrom(".", ".", ".", "\u3002", ".."),
  before: fc.constantFrom("", "", "", "::ffff:", "[::ffff:", "::"),
  after: fc.constantFrom("", "", "", ".", "]", "%eth0"),
}).map(({ parts, dot, before, after }) =>
  before + parts.map(([part, spell]) => spell(part)).join(dot) + after
);

const built = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 })
  .map((pieces) => pieces.join(""));

const hosts = fc.oneof(
  { weight: 4, arbitrary: built },
  { weight: 2, arbitrary: spelled },
  { weight: 1, arbitrary: fc.ipV6() },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
);

/** Runs a check over `count` hosts. */
function forHosts(count: number, check: (host: string) => void): void {
  const batch = fc.array(hosts, { minLength: BATCH, maxLength: BATCH });
  fc.assert(
    fc.property(batch, (list) => list.forEach(check)),
    { numRuns: count / BATCH, seed: 20_260_801 },
  );
}

Deno.test("normaliseHost() gives a million hosts one spelling each, and decideHost() lets nothing private through", () => {
  let accepted = 0;
  let allowed = 0;
  forHosts(1_000_000, (text) => {
    const result = normaliseHost(text);
    const decision = decideHost(RULES, { host: text, port: 443 });
    if (!result.ok) {
      assert.equal(decision.allowed, false, text);
      return;
    }
    accepted++;
    const { host } = result;
    assert.match(host.text, /^[a-z0-9._:-]+$/);
    assert.deepEqual(normaliseHost(host.text), result, text);
    if (!decision.allowed) return;
    allowed++;
    const isListed = /^(.+\.)?example\.com$/.test(host.text) ||
      host.text === "xn--bcher-kva.example" || host.text === "8.8.8.8";
    assert.ok(isListed, text);
    if (host.kind === "address") {
      assert.equal(kindOfAddress(host.address), "public", text);
    }
  });
  // Not a test of refusals only.
  assert.ok(accepted > 100_000 && allowed > 1000, `${accepted} ${allowed}`);
});

Deno.test("normaliseHost() means what the URL standard means wherever both take a host", () => {
  let both = 0;
  forHosts(100_000, (text) => {
    const result = normaliseHost(text);
    if (!result.ok) return;
    const { host } = result;
    const isIpv6 = text.includes(":");
    const url = URL.parse(`http://${isIpv6 ? bracketed(text) : text}/`);
    if (url === null) return;
    both++;
    const theirs = url.hostname.replace(/\.$/, "");
    if (!isIpv6) assert.equal(host.text, theirs, text);
    // A mapped address is written as IPv6 there.
    else assert.equal(formatIp(parseIp(theirs.slice(1, -1))!), host.text);
  });
  assert.ok(both > 10_000, String(both));
});

function bracketed(text: string): string {
  return text.startsWith("[") ? text : `[${text}]`;
}
