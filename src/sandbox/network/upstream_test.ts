import assert from "node:assert/strict";
import { parseIp } from "./ip.ts";
import { normaliseHost } from "./host_name.ts";
import { Upstreams } from "./upstream.ts";

const OWN = [parseIp("192.0.2.7")!];

/** `direct`, the proxy's address, or `VARIABLE?` for one that cannot be used. */
function routeOf(
  env: Readonly<Record<string, string>>,
  target: string,
  { isHttp = false, addresses = [] as readonly string[] } = {},
): string {
  const url = new URL(target);
  const result = normaliseHost(url.hostname);
  assert.ok(result.ok);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const found = addresses.map((text) => parseIp(text)!);
  const route = new Upstreams(env).routeTo(
    { host: result.host, port, isHttp, addresses: found },
    OWN,
  );
  if (route.kind === "unusable") return `${route.variable}?`;
  return route.kind === "direct" ? "direct" : route.upstream.shown;
}

const A = "https://a.example/";

Deno.test("without variables every way is direct", () => {
  assert.equal(routeOf({}, A), "direct");
  assert.equal(routeOf({ HTTPS_PROXY: "", NO_PROXY: "x" }, A), "direct");
});

Deno.test("the variable of the scheme counts, in lower case first, and ALL_PROXY last", () => {
  const env = { HTTPS_PROXY: "http://s:1", HTTP_PROXY: "http://p:2" };
  assert.equal(routeOf(env, A), "http://s:1");
  assert.equal(routeOf(env, "http://a.example/"), "http://p:2");
  const other = "https://a.example:8080/";
  assert.equal(routeOf(env, other, { isHttp: true }), "http://p:2");
  assert.equal(routeOf(env, other), "http://s:1");
  const all = { ALL_PROXY: "http://all:3" };
  assert.equal(routeOf(all, A), "http://all:3");
  assert.equal(routeOf({ ...env, ...all }, A), "http://s:1");
  assert.equal(
    routeOf({ ...env, https_proxy: "http://low:4" }, A),
    "http://low:4",
  );
  assert.equal(routeOf({ HTTP_PROXY: "http://p:2" }, A), "direct");
});

/** What a variable says, and how it is shown; undefined when it cannot be used. */
const SPELLINGS: readonly (readonly [string, string | undefined])[] = [
  ["proxy.example:3128", "http://proxy.example:3128"],
  ["http://Proxy.Example.", "http://proxy.example:80"],
  ["https://proxy.example", "https://proxy.example:443"],
  ["http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080"],
  ["http://me:secret@proxy.example:1", "http://proxy.example:1"],
  ["me:se%40cret@proxy.example:1", "http://proxy.example:1"],
  ["socks5://me:secret@Proxy.example:1081", "socks5://proxy.example:1081"],
  ["socks5h://proxy.example", "socks5://proxy.example:1080"],
  ["socks4://me:secret@proxy.example:1080", undefined],
  ["socks5://me:12/secret@proxy.example:1080", undefined],
  ["socks5://me:12#secret@proxy.example:1080", undefined],
  ["http://me:12#secret@proxy.example:1", undefined],
  ["http://me:12/secret@proxy.example:1", undefined],
  ["http://me:12?secret@proxy.example:1", undefined],
  ["http://me:se%cret@proxy.example:1", undefined],
  ["http://proxy.example:99999", undefined],
  ["http://", undefined],
];

for (const [value, shown] of SPELLINGS) {
  Deno.test(`a proxy written as ${value} is ${shown ?? "not used"}, and its password not shown`, () => {
    const route = routeOf({ HTTPS_PROXY: value }, A);
    assert.equal(route, shown ?? "HTTPS_PROXY?");
    assert.ok(!route.includes("secret"));
  });
}

/** NO_PROXY, address, whether it is direct. */
const EXEMPTIONS: readonly (readonly [string, string, boolean])[] = [
  ["a.example", A, true],
  [".example", A, true],
  ["b.example", A, false],
  ["*", A, true],
  ["a.example:8443", A, false],
  ["10.0.0.0/8", "https://10.1.2.3/", true],
  ["10.0.0.0/8", "https://11.1.2.3/", false],
  ["2001:db8::/32", "https://[2001:db8::1]/", true],
  ["2001:db8::1", "https://[2001:db8::1]/", true],
];

for (const [list, target, isDirect] of EXEMPTIONS) {
  Deno.test(`NO_PROXY=${list} ${isDirect ? "exempts" : "does not exempt"} ${target}`, () => {
    const env = { HTTPS_PROXY: "http://p:1", NO_PROXY: list };
    assert.equal(routeOf(env, target), isDirect ? "direct" : "http://p:1");
  });
}

Deno.test("what is on this machine is never asked of a proxy on another one", () => {
  const env = { ALL_PROXY: "http://p:1" };
  for (const host of ["localhost", "x.localhost", "127.0.0.1", "[::1]"]) {
    assert.equal(routeOf(env, `http://${host}:8080/`), "direct", host);
  }
  assert.equal(routeOf(env, "http://192.0.2.7/"), "direct");
  const mixed = { addresses: ["127.0.0.1", "93.184.216.34"] };
  assert.equal(routeOf(env, A, mixed), "http://p:1");
  assert.equal(routeOf(env, A, { addresses: ["127.0.0.1"] }), "direct");
});
