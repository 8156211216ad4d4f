import { strictEqual } from "node:assert/strict";
import { isExempt, proxyFor } from "./network_env.ts";

Deno.test("proxyFor() takes the variable for the scheme, in either case, and ALL_PROXY last", () => {
  const https = new URL("https://git.example/x");
  const http = new URL("http://git.example/x");
  strictEqual(proxyFor(https, {}), undefined);
  strictEqual(proxyFor(https, { HTTPS_PROXY: "p:1" }), "http://p:1");
  strictEqual(proxyFor(https, { https_proxy: "http://p:1" }), "http://p:1");
  strictEqual(proxyFor(https, { HTTP_PROXY: "p:1" }), undefined);
  strictEqual(proxyFor(http, { http_proxy: "p:1" }), "http://p:1");
  strictEqual(proxyFor(https, { ALL_PROXY: "socks5://p:1" }), "socks5://p:1");
  const env = { HTTPS_PROXY: "p:1", NO_PROXY: "git.example" };
  strictEqual(proxyFor(https, env), undefined);
});

/** NO_PROXY, address, whether it is exempt. */
const EXEMPTIONS: readonly (readonly [string, string, boolean])[] = [
  ["", "https://a.example/", false],
  ["*", "https://a.example/", true],
  ["a.example", "https://a.example/", true],
  ["A.Example", "https://a.example/", true],
  ["example", "https://a.example/", true],
  [".example", "https://a.example/", true],
  ["*.example", "https://a.example/", true],
  ["ample", "https://a.example/", false],
  ["b.example, a.example", "https://a.example/", true],
  ["a.example:443", "https://a.example/", true],
  ["a.example:8443", "https://a.example/", false],
  ["a.example:8443", "https://a.example:8443/", true],
  ["127.0.0.1", "http://127.0.0.1:8000/", true],
  ["::1", "http://[::1]:8000/", true],
  ["[::1]:8000", "http://[::1]:8000/", true],
  ["[::1]:8001", "http://[::1]:8000/", false],
];

for (const [list, address, expected] of EXEMPTIONS) {
  Deno.test(`isExempt() says ${expected} for ${address} with "${list}"`, () => {
    strictEqual(isExempt(new URL(address), list), expected);
  });
}
