import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { serverEntry } from "./mcp.ts";

const CONTEXT = {
  fill: (text: string) =>
    text.includes("SECRET") ? undefined : text.replace("${HOST}", "example"),
  forward: ["TMPDIR", "MINE"],
};

Deno.test("serverEntry() fills in what Codex would pass on literally, and forwards variables by name", () => {
  const entry = serverEntry("gh", {
    type: "stdio",
    command: "${HOST}-server",
    args: ["--at", "${HOST}"],
    env: { TOKEN: "${TOKEN}", OTHER: "${env:OTHER}", AT: "${HOST}", MINE: "x" },
    cwd: "/srv",
  }, CONTEXT);
  deepStrictEqual(entry, {
    command: "example-server",
    args: ["--at", "example"],
    env: { AT: "example", MINE: "x" },
    env_vars: ["TMPDIR", "TOKEN", "OTHER"],
    cwd: "/srv",
  });
});

Deno.test("serverEntry() names the variables of headers and does not write them down", () => {
  const entry = serverEntry("web", {
    type: "http",
    url: "https://${HOST}/mcp",
    headers: {
      Authorization: "Bearer ${WEB_TOKEN}",
      "X-Key": "${SECRET_KEY}",
      "X-Plain": "plain",
    },
  }, CONTEXT);
  deepStrictEqual(entry, {
    url: "https://example/mcp",
    bearer_token_env_var: "WEB_TOKEN",
    http_headers: { "X-Plain": "plain" },
    env_http_headers: { "X-Key": "SECRET_KEY" },
  });
});

Deno.test("serverEntry() says why Codex cannot have a server", () => {
  const stdio = { type: "stdio", command: "x", args: [], env: {} } as const;
  const remote = { url: "https://example", headers: {} };
  const why = [
    serverEntry("a.b", stdio, CONTEXT),
    serverEntry("a", { type: "sse", ...remote }, CONTEXT),
    serverEntry("a", { ...stdio, args: ["--key=${SECRET}"] }, CONTEXT),
    serverEntry("a", { ...stdio, env: { A: "${SECRET}" } }, CONTEXT),
    serverEntry("a", { type: "http", ...remote, url: "${SECRET}" }, CONTEXT),
  ];
  deepStrictEqual(why.map((text) => typeof text), Array(5).fill("string"));
  strictEqual(why[2], "a variable in it holds a credential");
});
