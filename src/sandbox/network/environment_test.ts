import assert from "node:assert/strict";
import { proxyVariables } from "./environment.ts";

const PLACE = {
  port: 4711,
  credential: { user: "aenv", password: "secret" },
  loopbackPorts: [5432, 8080],
};
const PROXY = "http://aenv:secret@127.0.0.1:4711";

Deno.test("proxyVariables() points every program at the proxy, and exempts granted ports only", () => {
  const variables = proxyVariables(PLACE);
  const { GIT_SSH_COMMAND: ssh, ...rest } = variables;
  const exempt = "localhost:5432,127.0.0.1:5432,localhost:8080,127.0.0.1:8080";
  assert.deepEqual(rest, {
    HTTP_PROXY: PROXY,
    HTTPS_PROXY: PROXY,
    ALL_PROXY: PROXY,
    NO_PROXY: exempt,
    WS_PROXY: PROXY,
    WSS_PROXY: PROXY,
    http_proxy: PROXY,
    https_proxy: PROXY,
    all_proxy: PROXY,
    no_proxy: exempt,
    ws_proxy: PROXY,
    wss_proxy: PROXY,
    NODE_USE_ENV_PROXY: "1",
    npm_config_proxy: PROXY,
    npm_config_https_proxy: PROXY,
    npm_config_noproxy: exempt,
    YARN_HTTP_PROXY: PROXY,
    YARN_HTTPS_PROXY: PROXY,
    PIP_PROXY: PROXY,
    CARGO_HTTP_PROXY: PROXY,
    CARGO_NET_GIT_FETCH_WITH_CLI: "true",
    GIT_HTTP_PROXY_AUTHMETHOD: "basic",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.proxy",
    GIT_CONFIG_VALUE_0: PROXY,
    AENV_PROXY_PORT: "4711",
    AENV_PROXY_AUTHORIZATION: `Basic ${btoa("aenv:secret")}`,
  });
  assert.ok(ssh!.startsWith("ssh -o 'ProxyCommand=bash -c "));
  assert.ok(!ssh!.includes("secret"));
});

Deno.test("proxyVariables() keeps what git is told already", () => {
  const variables = proxyVariables(PLACE, {
    GIT_CONFIG_COUNT: "2",
    GIT_SSH_COMMAND: "ssh -i key",
  });
  assert.equal(variables["GIT_CONFIG_COUNT"], "3");
  assert.equal(variables["GIT_CONFIG_KEY_2"], "http.proxy");
  assert.ok(variables["GIT_SSH_COMMAND"]!.startsWith("ssh -i key -o "));
});

Deno.test("proxyVariables() exempts nothing when nothing is granted", () => {
  const variables = proxyVariables({ ...PLACE, loopbackPorts: [] });
  assert.equal(variables["NO_PROXY"], "");
  assert.equal(variables["no_proxy"], "");
});
