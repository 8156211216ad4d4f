import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { AppError } from "../../base/errors.ts";
import { foreignServers, type LinkKind, linkKind, readLink } from "./mod.ts";

const SERVER = { command: "npx", args: ["-y", "@x/y~?>", "ü"] };
const BASE64 = btoa(
  String.fromCharCode(...new TextEncoder().encode(JSON.stringify(SERVER))),
);
const CURSOR = "cursor://anysphere.cursor-deeplink/mcp/install";

function read(link: string, kind: LinkKind) {
  const servers = foreignServers(readLink(link, kind), {
    secretKey: (id) => id,
    hasWorkspace: false,
  });
  return servers.map(({ found, table, problems }) => {
    deepStrictEqual(problems, []);
    return [found, table];
  });
}

Deno.test("readLink() reads Cursor's links, in base64 of either alphabet, percent-encoded or not", () => {
  ok(BASE64.includes("+") || BASE64.includes("/"), BASE64);
  const urlSafe = BASE64.replaceAll("+", "-").replaceAll("/", "_");
  for (
    const config of [
      BASE64,
      BASE64.replace(/=+$/, ""),
      encodeURIComponent(BASE64),
      encodeURIComponent(encodeURIComponent(BASE64)),
      urlSafe,
      encodeURIComponent(JSON.stringify(SERVER)),
    ]
  ) {
    for (
      const start of [
        CURSOR,
        "https://cursor.com/install-mcp",
        "https://cursor.com/en/install-mcp",
        "https://www.cursor.com/en-US/install-mcp",
        "https://cursor.com/link/mcp%2Finstall",
      ]
    ) {
      const link = `${start}?name=my%2Dserver&config=${config}`;
      strictEqual(linkKind(link), "cursor", link);
      deepStrictEqual(read(link, "cursor"), [["my-server", SERVER]]);
      deepStrictEqual(
        read(`${start}?config=${config}&name=my-server#x`, "cursor"),
        [["my-server", SERVER]],
      );
    }
  }
});

Deno.test("readLink() reads a Cursor link whose command is a whole line", () => {
  const link =
    "https://cursor.com/install-mcp?name=context7&config=eyJjb21tYW5kIjoibnB4IC15IEB1cHN0YXNoL2NvbnRleHQ3LW1jcCJ9";
  deepStrictEqual(read(link, "cursor"), [["context7", {
    command: "npx",
    args: ["-y", "@upstash/context7-mcp"],
  }]]);
});

Deno.test("readLink() reads VS Code's links, the direct and those through a page", () => {
  const json = JSON.stringify({ name: "my-server", ...SERVER });
  const config = encodeURIComponent(JSON.stringify(SERVER));
  const direct = `vscode:mcp/install?${encodeURIComponent(json)}`;
  for (
    const link of [
      direct,
      direct.replace("vscode:", "vscode-insiders:"),
      direct.replace("vscode:", "vscode://"),
      `vscode:mcp/install?${json}`,
      `vscode:mcp/install?${encodeURIComponent(encodeURIComponent(json))}`,
      `vscode:mcp/install?${
        encodeURIComponent(btoa(unescape(encodeURIComponent(json))))
      }`,
      `https://insiders.vscode.dev/redirect/mcp/install?name=my-server&config=${config}`,
      `https://vscode.dev/redirect/mcp/install?name=my-server&config=${config}&quality=insiders`,
      `https://insiders.vscode.dev/redirect?url=${encodeURIComponent(direct)}`,
    ]
  ) {
    strictEqual(linkKind(link), "vscode", link);
    deepStrictEqual(read(link, "vscode"), [["my-server", SERVER]], link);
  }
});

Deno.test("readLink() takes over the inputs that a link brings beside its config", () => {
  const config = encodeURIComponent(
    JSON.stringify({ command: "c", env: { T: "${input:t}" } }),
  );
  const inputs = encodeURIComponent(
    JSON.stringify([{ id: "t", type: "promptString", password: true }]),
  );
  deepStrictEqual(
    read(
      `https://vscode.dev/redirect/mcp/install?name=a&inputs=${inputs}&config=${config}`,
      "vscode",
    ),
    [["a", { command: "c", env: { T: "${secret:t}" } }]],
  );
});

Deno.test("readLink() refuses what is no such link, and shows nothing of it", () => {
  const secret = "ghp_0123456789012345678901234567890123456789";
  const cases: readonly (readonly [string, LinkKind])[] = [
    [`https://example.com/?${secret}`, "cursor"],
    [`vscode:mcp/install?{"a":"${secret}"`, "vscode"],
    [`vscode:mcp/install?%${secret}`, "vscode"],
    [`vscode:mcp/install?`, "vscode"],
    [`vscode:mcp/remove?{"command":"${secret}"}`, "vscode"],
    [`${CURSOR}?name=a`, "cursor"],
    [`${CURSOR}?name=a&config=${secret}`, "cursor"],
    [`${CURSOR}?name=a&config=%ZZ`, "cursor"],
    [`${CURSOR}?name=a&name=b&config=${BASE64}`, "cursor"],
    [`${CURSOR}?config=${"A".repeat(300_000)}`, "cursor"],
    [`https://cursor.com.evil.example/install-mcp?config=${BASE64}`, "cursor"],
    ["https://vscode.dev/redirect?url=https%3A%2F%2Fx", "vscode"],
  ];
  for (const [link, kind] of cases) {
    throws(() => readLink(link, kind), (error) => {
      ok(error instanceof AppError, String(error));
      strictEqual(error.code, "CONTENT_INVALID");
      ok(!`${error.message} ${error.hint}`.includes("ghp_"), error.message);
      return true;
    });
  }
  strictEqual(linkKind("./vscode.json"), undefined);
  strictEqual(linkKind("https://example.com/mcp.json"), undefined);
});
