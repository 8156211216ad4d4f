import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import type { ServerTable } from "../base/server_table.ts";
import { findCredentials, replaceCredentials } from "./mod.ts";

/** Where credentials stand, and what they are. */
function found(table: ServerTable): string[] {
  return findCredentials(table).map(({ where, value }) => `${where}: ${value}`);
}

/** `table` with every credential as `<label>`. */
function masked(table: ServerTable): ServerTable {
  return replaceCredentials(table, ({ label }) => `<${label}>`);
}

const GITHUB = "ghp_0123456789012345678901234567890123456789";

Deno.test("replaceCredentials() takes variables by their names", () => {
  const env = {
    API_KEY: "xxx",
    GITHUB_PERSONAL_ACCESS_TOKEN: "a",
    apiKey: "b",
    openaiApiKey: "c",
    NOTION_KEY: "d",
    DB_PWD: "e",
    PASSWORD: "hunter2",
  };
  deepStrictEqual(masked({ command: "c", env }).env, {
    API_KEY: "<API_KEY>",
    GITHUB_PERSONAL_ACCESS_TOKEN: "<GITHUB_PERSONAL_ACCESS_TOKEN>",
    apiKey: "<apiKey>",
    openaiApiKey: "<openaiApiKey>",
    NOTION_KEY: "<NOTION_KEY>",
    DB_PWD: "<DB_PWD>",
    PASSWORD: "<PASSWORD>",
  });
});

Deno.test("replaceCredentials() leaves alone what is no credential", () => {
  const table = {
    command: "npx",
    args: [
      "-y",
      "@modelcontextprotocol/server-filesystem@2025.1.14",
      "--config=/etc/Some/Path2/x.json",
      "--token-file",
      "/run/token",
      "--api-key",
      "--verbose",
      "a-long-package-name-with-2-numbers-v3",
      "0b3c7b7e-1c1d-4f7e-9d1b-2f6e6f1f2a3b",
    ],
    env: {
      PATH: "/usr/bin",
      TOKEN_FILE: "/run/token",
      AUTH_TYPE: "oauth",
      PASSWORD_ENABLED: "true",
      AUTH: "true",
      TOKEN: "${env:TOKEN}",
      AUTHORIZATION: "Bearer ${secret:k}",
      MAX_TOKENS: "4096",
      EMPTY_TOKEN: "",
    },
  };
  deepStrictEqual(found(table), []);
  deepStrictEqual(masked(table), table);
  const remote = {
    url: "https://mcp.example.com/v1/mcp?mode=full&limit=10",
    headers: { "X-Mode": "a", Accept: "application/json" },
  };
  deepStrictEqual(found(remote), []);
});

Deno.test("replaceCredentials() keeps the scheme of a header", () => {
  const headers = {
    Authorization: "Bearer abc",
    "X-Api-Key": "abc123",
    "Proxy-Authorization": "Basic dTpw",
    Cookie: "session=1",
    "X-Custom": "token abc",
  };
  deepStrictEqual(masked({ url: "https://x", headers }).headers, {
    Authorization: "Bearer <Authorization>",
    "X-Api-Key": "<X-Api-Key>",
    "Proxy-Authorization": "Basic <Proxy-Authorization>",
    Cookie: "<Cookie>",
    "X-Custom": "token <X-Custom>",
  });
});

Deno.test("replaceCredentials() finds credentials in a url", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["https://x/mcp?api_key=a%2Bb&b=1", "https://x/mcp?api_key=<api_key>&b=1"],
    ["https://x/?token=a#t", "https://x/?token=<token>#t"],
    ["https://u:pa@x/mcp", "https://u:<url>@x/mcp"],
    ["https://abc@x/mcp", "https://<url>@x/mcp"],
    ["https://x/s/Zm9vYmFyMTIzNDU2Nzg5MDEyMw/sse", "https://x/s/<url>/sse"],
    ["https://x/?k=${env:K}", "https://x/?k=${env:K}"],
    ["https://${env:U}:${env:P}@x/", "https://${env:U}:${env:P}@x/"],
  ];
  for (const [url, expected] of cases) {
    deepStrictEqual(masked({ url }).url, expected);
  }
});

Deno.test("replaceCredentials() finds credentials in arguments, which all can read", () => {
  const args = [
    "--api-key",
    "abc",
    "--token=def",
    "-e",
    "GITHUB_TOKEN=xyz",
    "--header",
    "Authorization: Bearer abc",
    "postgresql://me:pw@db/x",
    GITHUB,
    `TOKEN=${GITHUB} node x.js`,
    "https://x/?q=sk-ant-0123456789",
  ];
  deepStrictEqual(masked({ command: "c", args }).args, [
    "--api-key",
    "<api-key>",
    "--token=<token>",
    "-e",
    "GITHUB_TOKEN=<GITHUB_TOKEN>",
    "--header",
    "Authorization: Bearer <Authorization>",
    "postgresql://me:<argument-8>@db/x",
    "<argument-9>",
    "TOKEN=<TOKEN>",
    "https://x/?q=<argument-11>",
  ]);
  for (const { isArgument } of findCredentials({ command: "c", args })) {
    deepStrictEqual(isArgument, true);
  }
});

Deno.test("replaceCredentials() keeps the references beside a credential", () => {
  const env = {
    TOKEN: "abc${env:A}def",
    URL: "postgres://u:pw@${env:HOST}/db",
    TEXT: `a ${GITHUB} b ${GITHUB}`,
  };
  deepStrictEqual(masked({ command: "c", env }).env, {
    TOKEN: "<TOKEN>${env:A}<TOKEN>",
    URL: "postgres://u:<URL>@${env:HOST}/db",
    TEXT: "a <TEXT> b <TEXT>",
  });
});

Deno.test("findCredentials() names the place and never shows the value there", () => {
  deepStrictEqual(
    findCredentials({
      command: "c",
      args: ["--key", GITHUB, GITHUB],
      env: { A_TOKEN: GITHUB },
    }).map(({ where }) => where),
    ["argument 2 (--key)", "argument 3", "env A_TOKEN"],
  );
});

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.array(
    fc.constantFrom(
      ...[
        "Bearer ",
        "${env:A}",
        "${secret:k}",
        "x://u:pw@",
        "--token=",
        "?key=",
      ],
      ...[GITHUB, "sk-ant-0123456789", "=", "/", " ", "x", "[redacted]", "@"],
      "-----BEGIN PRIVATE KEY-----\nabc",
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join(" ")),
);
const name = fc.constantFrom("TOKEN", "A", "apiKey", "AUTH_URL", "Cookie");

Deno.test("replaceCredentials() changes nothing but the credentials, and leaves none of a known shape", () => {
  const table = fc.record({
    command: fc.constant("c"),
    args: fc.array(text, { maxLength: 4 }),
    env: fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true }),
    url: text,
    headers: fc.dictionary(name, text, { maxKeys: 2, noNullPrototype: true }),
  }, { noNullPrototype: true });
  fc.assert(
    fc.property(table, (one) => {
      deepStrictEqual(replaceCredentials(one, ({ value }) => value), one);
      const left = JSON.stringify(replaceCredentials(one, () => "${secret:k}"));
      for (const secret of [GITHUB, "sk-ant-0123456789", "x://u:pw@"]) {
        ok(!left.includes(secret), left);
      }
    }),
    { numRuns: 5000 },
  );
});
