import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import { parseManifest } from "./mod.ts";

const FULL = `
aenv_schema_version = "2"

[env]
name = "fullstack"
description = "GitHub MCP + review plugin"
isolation = "overlay"
project_config = "ignore"
xdg = "private"
created = "2026-01-01"
compat = { claude = ">=2.1, <3", codex = ">=0.160" }

[vars]
NODE_ENV = "development"

[mcp.github]
command = "npx"
args = ["-y", "@modelcontextprotocol/server-github"]
env = { GITHUB_TOKEN = "\${secret:gh-token}" }

[mcp.docs]
type = "sse"
url = "https://docs.example.com/mcp"
headers = { Authorization = "Bearer \${secret:docs}" }

[[plugins.enabled]]
name = "review"
source = "git+https://github.com/acme/plugins#v2"
subpath = "plugins/review"

[[skills.enabled]]
name = "strict"
source = "./skills/strict"

[secrets]
expose = "env"
command = "pass show aenv/$AENV_SECRET_KEY"

[secrets.docs]
command = "op read op://team/docs/token"

[secrets.NPM_TOKEN]
tools = ["npm", "npx"]

[sandbox]
enabled = true
paths = ["~/data:ro", "../shared:rw"]
network = { mode = "hosts", allow = ["@agent", "registry.example.com"] }
env_host = ["AWS_PROFILE"]
path_dirs = ["~/.cargo/bin"]
cache_dirs = ["~/.cache/npm"]
unix_sockets = ["$SSH_AUTH_SOCK", "~/db.sock"]
protect = [".env"]

[hooks]
pre_activate = "echo hello >&2"
`;

Deno.test("parseManifest() reads every key", () => {
  deepStrictEqual(parseManifest(FULL, "m"), {
    schema: "2",
    name: "fullstack",
    description: "GitHub MCP + review plugin",
    isolation: "overlay",
    projectConfig: "ignore",
    xdg: "private",
    compat: { claude: ">=2.1, <3", codex: ">=0.160" },
    vars: { NODE_ENV: "development" },
    mcp: {
      github: {
        type: "stdio",
        command: "npx",
        args: ["-y", "@modelcontextprotocol/server-github"],
        env: { GITHUB_TOKEN: "${secret:gh-token}" },
        cwd: undefined,
        secretArgs: false,
        disabled: false,
        sandbox: undefined,
      },
      docs: {
        type: "sse",
        url: "https://docs.example.com/mcp",
        headers: { Authorization: "Bearer ${secret:docs}" },
        disabled: false,
      },
    },
    plugins: [{
      name: "review",
      source: "git+https://github.com/acme/plugins#v2",
      subpath: "plugins/review",
    }],
    skills: [{ name: "strict", source: "./skills/strict", subpath: undefined }],
    secrets: {
      expose: "env",
      command: "pass show aenv/$AENV_SECRET_KEY",
      commands: { docs: "op read op://team/docs/token" },
      tools: { NPM_TOKEN: ["npm", "npx"] },
    },
    sandbox: {
      enabled: true,
      paths: [
        { path: "~/data", access: "ro" },
        { path: "../shared", access: "rw" },
      ],
      network: { mode: "hosts", allow: ["@agent", "registry.example.com"] },
      envHost: ["AWS_PROFILE"],
      pathDirs: ["~/.cargo/bin"],
      cacheDirs: ["~/.cache/npm"],
      unixSockets: ["$SSH_AUTH_SOCK", "~/db.sock"],
      protect: [".env"],
    },
    preActivate: "echo hello >&2",
  });
});

Deno.test("parseManifest() fills in the defaults", () => {
  deepStrictEqual(parseManifest('[env]\nname = "x"\n', "m"), {
    schema: "2",
    name: "x",
    description: "",
    isolation: "private",
    projectConfig: "load",
    xdg: "shared",
    compat: {},
    vars: {},
    mcp: {},
    plugins: [],
    skills: [],
    secrets: {
      expose: undefined,
      command: undefined,
      commands: {},
      tools: {},
    },
    sandbox: undefined,
    preActivate: undefined,
  });
});

Deno.test("parseManifest() reads schema 1 with its own compat key", () => {
  const text =
    'aenv_schema_version = "1"\n[env]\nname = "x"\ncc_compatible = ">=2.0"\n';
  const manifest = parseManifest(text, "m");
  strictEqual(manifest.schema, "1");
  deepStrictEqual(manifest.compat, { claude: ">=2.0" });
});

Deno.test("parseManifest() reads a file with CRLF line ends and a byte order mark alike", () => {
  const expected = parseManifest(FULL, "m");
  const crlf = FULL.replaceAll("\n", "\r\n");
  deepStrictEqual(parseManifest(crlf, "m"), expected);
});

Deno.test("parseManifest() takes an empty list of hosts for no host, never for all", () => {
  const text =
    '[env]\nname = "x"\n[sandbox]\nnetwork = { mode = "hosts", allow = [] }\n';
  deepStrictEqual(parseManifest(text, "m").sandbox?.network, {
    mode: "hosts",
    allow: [],
  });
  const without = text.replace(", allow = []", "");
  deepStrictEqual(parseManifest(without, "m").sandbox?.network, {
    mode: "hosts",
    allow: [],
  });
});

Deno.test("parseManifest() gives a secret without tools to the default tools, and to none when the list is empty", () => {
  const text = '[env]\nname = "x"\n[secrets.A]\n[secrets.B]\ntools = []\n';
  const { tools } = parseManifest(text, "m").secrets;
  strictEqual(tools["A"]?.includes("npm"), true);
  strictEqual(tools["A"]?.some((tool) => /sh$|node/.test(tool)), false);
  deepStrictEqual(tools["B"], []);
});

Deno.test("parseManifest() takes the ranges that people write", () => {
  for (
    const range of [
      "*",
      "2",
      "2.1",
      "2.1.x",
      "^2.1.0",
      "~2.1",
      ">= 2.1, < 3",
      "=2.1.197",
      ">2.0.0-beta.1",
      "v2.1.0",
    ]
  ) {
    const text = `[env]\nname = "x"\ncompat = { claude = "${range}" }\n`;
    strictEqual(parseManifest(text, "m").compat.claude, range);
  }
});

const HEAD = '[env]\nname = "x"\n';
const OWN =
  `${HEAD}[sandbox]\nenabled = true\n[mcp.a]\ncommand = "x"\n[mcp.a.sandbox]\n`;

/** A manifest with `▸` where the error must point, the state, and the hint. */
type Bad = readonly [text: string, state: RegExp, hint?: RegExp];

const BAD: readonly Bad[] = [
  // The document.
  ["[env\n", /^line 1, column \d+: /],
  ['[env]\nname = "x\n', /^line 2, column \d+: /],
  ['[env]\nname = "x"\nname = "y"\n', /^line 3, column \d+: /],
  ["\u0000", /^line 1, column \d+: /],
  // Unknown keys.
  [
    '[env]\nname = "x"\n▸isolaton = "private"\n',
    /unknown key "isolaton" in \[env\]/,
    /Did you mean "isolation"\?/,
  ],
  [`${HEAD}▸[plugin]\n`, /unknown key "plugin" at the top level/, /"plugins"/],
  [
    `▸foo = 1\n${HEAD}`,
    /unknown key "foo"/,
    /^Known keys: aenv_schema_version, env, .* and hooks$/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸arg = []\n`,
    /unknown key "arg" in \[mcp\.a\]/,
    /"args"/,
  ],
  [
    `${HEAD}[[plugins.enabled]]\nname = "a"\nsource = "./a"\n[[plugins.enabled]]\nname = "b"\n▸sorce = "./b"\n`,
    /unknown key "sorce" in \[plugins\.enabled\[1\]\]/,
    /"source"/,
  ],
  [
    `${HEAD}[sandbox]\nnetwork = { mode = "none", ▸alow = [] }\n`,
    /unknown key "alow"/,
    /"allow"/,
  ],
  [`${HEAD}[hooks]\n▸post_activate = "x"\n`, /unknown key "post_activate"/],
  [`${HEAD}▸cc_compatible = "2"\n`, /unknown key "cc_compatible"/],
  [`aenv_schema_version = "1"\n${HEAD}▸compat = {}\n`, /unknown key "compat"/],
  [`${HEAD}[secrets.A]\n▸tool = ["npm"]\n`, /unknown key "tool"/, /"tools"/],
  // Wrong types.
  ['▸env = "x"\n', /env must be a table, not a string/],
  ["▸env = []\n", /env must be a table, not a list/],
  ["[env]\n▸name = 1\n", /env\.name must be a string, not a number/],
  ["[env]\n▸name = true\n", /must be a string, not a boolean/],
  ["[env]\n▸name = 2026-01-01\n", /must be a string, not a date/],
  ["[env]\n▸name = { a = 1 }\n", /must be a string, not a table/],
  ["▸[[env]]\n", /env must be a table, not a list/],
  [`${HEAD}[vars]\n▸A = 1\n`, /vars\.A must be a string/],
  [`${HEAD}[plugins]\n▸enabled = "a"\n`, /plugins\.enabled must be a list/],
  [
    `${HEAD}[mcp.a]\n▸command = ["x"]\n`,
    /mcp\.a\.command must be a string, not a list/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸args = "y"\n`,
    /mcp\.a\.args must be a list/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸args = [1]\n`,
    /mcp\.a\.args\[0\] must be a string/,
  ],
  [
    `${HEAD}[sandbox]\n▸enabled = "yes"\n`,
    /must be true or false, not a string/,
  ],
  [
    `${HEAD}▸description = 'a\\u0000'\n`.replace("'a\\u0000'", '"a\\u0000"'),
    /holds a NUL/,
  ],
  // Values.
  [
    '▸aenv_schema_version = "3"\n' + HEAD,
    /unsupported schema version "3"/,
    /newer aenv/,
  ],
  ["▸[env]\n", /env\.name is missing/],
  ["", /^env\.name is missing/],
  ['[env]\n▸name = ""\n', /env\.name is empty/],
  [
    '[env]\n▸name = ".."\n',
    /the name "\.\." cannot be used: it starts with a dot/,
  ],
  ['[env]\n▸name = "a/b"\n', /only A-Z/],
  ['[env]\n▸name = "Global"\n', /reserved/],
  [
    `${HEAD}▸isolation = "none"\n`,
    /env\.isolation is "none"/,
    /Use "private" or "overlay"/,
  ],
  [`${HEAD}▸project_config = "no"\n`, /env\.project_config is "no"/],
  [`${HEAD}▸xdg = "own"\n`, /env\.xdg is "own"/],
  [
    `${HEAD}compat = { ▸claude = "soon" }\n`,
    /"soon" is not a version range/,
    /Write it like/,
  ],
  [`${HEAD}compat = { ▸cluade = "2" }\n`, /unknown key "cluade"/, /"claude"/],
  [`${HEAD}[env.compat]\n▸claude = ">=2 <3"\n`, /is not a version range/],
  // Variables.
  [`${HEAD}[vars]\n▸1A = "x"\n`, /"1A" is not a variable name/],
  [`${HEAD}[vars]\n▸"A B" = "x"\n`, /"A B" is not a variable name/],
  [`${HEAD}[vars]\n▸PATH = "x"\n`, /PATH cannot be set/],
  [`${HEAD}[vars]\nA = "1"\n▸LD_PRELOAD = "x"\n`, /LD_PRELOAD cannot be set/],
  [
    `${HEAD}[vars]\n▸CLAUDE_CONFIG_DIR = "x"\n`,
    /CLAUDE_CONFIG_DIR cannot be set/,
  ],
  [`${HEAD}[vars]\n▸AENV_OVERRIDE = "x"\n`, /AENV_OVERRIDE cannot be set/],
  [`${HEAD}[vars]\n▸NODE_OPTIONS = "x"\n`, /NODE_OPTIONS cannot be set/],
  // MCP servers.
  [`${HEAD}▸[mcp.a]\n`, /mcp\.a has neither command nor url/],
  [
    `${HEAD}▸[mcp.a]\ncommand = "x"\nurl = "https://x"\n`,
    /has both command and url/,
  ],
  [`${HEAD}[mcp.a]\ncommand = "x"\n▸headers = {}\n`, /headers need a url/],
  [`${HEAD}[mcp.a]\nurl = "https://x"\n▸args = []\n`, /args needs a command/],
  [`${HEAD}[mcp.a]\nurl = "https://x"\n▸cwd = "/"\n`, /cwd needs a command/],
  [`${HEAD}[mcp.a]\ncommand = "x"\n▸cwd = ""\n`, /mcp\.a\.cwd is empty/],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸cwd = "\${HOME}/a"\n`,
    /is not a directory's path/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸cwd = "~me/a"\n`,
    /is not a directory's path/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸secret_args = true\n`,
    /secret_args must be a string/,
  ],
  [
    `${HEAD}▸[mcp.a]\ncommand = "\${secret:k}"\nsecret_args = "allow"\n`,
    /has a secret in its command line/,
  ],
  [
    `${HEAD}[mcp.a]\nurl = "https://x"\n▸disabled = "yes"\n`,
    /disabled must be true or false/,
  ],
  [`${HEAD}[mcp.a]\n▸url = "ftp://x"\n`, /is not an http or https URL/],
  [`${HEAD}[mcp.a]\n▸type = "http"\ncommand = "x"\n`, /mcp\.a\.type is "http"/],
  [`${HEAD}▸[mcp."a b"]\ncommand = "x"\n`, /the name "a b" cannot be used/],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\nenv = { ▸"A-B" = "1" }\n`,
    /is not a variable name/,
  ],
  [
    `${HEAD}[mcp.a]\nurl = "https://x"\nheaders = { ▸"a b" = "1" }\n`,
    /is not a valid header/,
  ],
  [
    `${HEAD}▸[mcp.a]\ncommand = "x"\nargs = ["\${secret:k}"]\n`,
    /has a secret in its command line/,
    /Pass it in env/,
  ],
  [
    `${HEAD}▸[mcp.a]\ncommand = "\${x y}"\n`,
    /"\$\{x y\}" in mcp\.a is not a reference/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸env = { A = "\${secret:}" }\n`,
    /is not a reference/,
  ],
  // Plugins and skills.
  [
    `${HEAD}▸[[plugins.enabled]]\nsource = "./a"\n`,
    /plugins\.enabled\[0\]\.name is missing/,
  ],
  [
    `${HEAD}▸[[skills.enabled]]\nname = "a"\n`,
    /skills\.enabled\[0\]\.source is missing/,
  ],
  [
    `${HEAD}[[skills.enabled]]\n▸name = "../a"\nsource = "./a"\n`,
    /cannot be used/,
  ],
  [
    `${HEAD}[[skills.enabled]]\nname = "a"\nsource = "./a"\n[[skills.enabled]]\n▸name = "A"\nsource = "./b"\n`,
    /"A" is declared twice/,
  ],
  ...["..", "/a", "a/../b", "./a", "a//b", "a\\\\b", ""].map((subpath): Bad => [
    `${HEAD}[[skills.enabled]]\nname = "a"\nsource = "./a"\n▸subpath = "${subpath}"\n`,
    /is not a plain relative path/,
  ]),
  // Sandbox and secrets.
  [
    `${HEAD}[sandbox]\n▸paths = ["~/data"]\n`,
    /does not say how/,
    /Write "~\/data:ro" or "~\/data:rw"/,
  ],
  [`${HEAD}[sandbox]\n▸paths = ["~/a/**:ro"]\n`, /\* stands for one name/],
  [`${HEAD}[sandbox]\n▸path_dirs = ["~root/bin"]\n`, /your own home only/],
  [`${HEAD}[sandbox]\n▸cache_dirs = ["a\\u0001b"]\n`, /control character/],
  ...["/etc/x", "~/x", "../x", "a/../b"].map((name): Bad => [
    `${HEAD}[sandbox]\n▸protect = ["${name}"]\n`,
    /is not a path inside the project/,
  ]),
  ...["*", "A-B", "A*B"].map((name): Bad => [
    `${HEAD}[sandbox]\n▸env_host = ["${name}"]\n`,
    /is neither a name nor the beginning of one/,
  ]),
  [`${HEAD}[sandbox]\n▸network = "some"\n`, /sandbox\.network is "some"/],
  [
    `${HEAD}[sandbox]\nnetwork = { ▸mode = "open", allow = ["a"] }\n`,
    /sandbox\.network\.mode is "open"/,
  ],
  ...["$HOME", "$", "$X_SOCK/a", "$LD_PRELOAD"].map((name): Bad => [
    `${HEAD}[sandbox]\n▸unix_sockets = ["${name}"]\n`,
    /a variable of a socket has a name that ends in SOCK/,
  ]),
  [
    `${OWN}▸enabled = true\n`,
    /unknown key "enabled" in \[mcp\.a\.sandbox\]/,
  ],
  [`${OWN}▸project = "rw"\n`, /mcp\.a\.sandbox\.project is "rw"/],
  [`${OWN}▸paths = ["~/a"]\n`, /does not say how/],
  [
    `${OWN}network = { ▸mode = "all" }\n`,
    /mcp\.a\.sandbox\.network\.mode is "all"/,
  ],
  [
    `${HEAD}[mcp.a]\ncommand = "x"\n▸[mcp.a.sandbox]\nproject = "read"\n`,
    /mcp\.a\.sandbox confines nothing while the agent is not confined/,
    /enabled = true under \[sandbox\]/,
  ],
  [
    `${HEAD}[sandbox]\nenabled = true\n[mcp.a]\nurl = "https://h"\n▸sandbox = {}\n`,
    /mcp\.a has a url, and sandbox needs a command/,
  ],
  [`${HEAD}[secrets]\n▸expose = "file"\n`, /secrets\.expose is "file"/],
  [`${HEAD}[secrets]\n▸command = " "\n`, /the command is empty/],
  [`${HEAD}[secrets.a]\n▸command = "a\\u0000b"\n`, /holds a NUL/],
  [`${HEAD}[secrets.a]\n▸commands = "x"\n`, /unknown key "commands"/],
  [`${HEAD}▸[secrets."a b"]\n`, /the secret key "a b" cannot be used/],
  [
    `${HEAD}[secrets.A]\n▸tools = ["npm", "bash"]\n`,
    /"bash" cannot be given a secret/,
  ],
  [`${HEAD}[secrets.A]\n▸tools = ["../x"]\n`, /cannot be given a secret/],
];

/** What is not as expected about the error for one manifest; empty when all is. */
function mismatch([marked, state, hint]: Bad): string {
  const [before, after] = marked.split("▸") as [string, string?];
  const lines = before.split("\n");
  const place = after === undefined
    ? ""
    : `line ${lines.length}, column ${lines.at(-1)!.length + 1}: `;
  const start = 'Cannot read manifest "/p/aenv.toml": ' + place;
  try {
    parseManifest(before + (after ?? ""), "/p/aenv.toml");
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const ok = error.code === "MANIFEST_INVALID" &&
      error.message.startsWith(start) &&
      state.test(error.message.slice(start.length)) &&
      (hint === undefined || hint.test(error.hint ?? ""));
    return ok ? "" : `${marked}\n  ${error.message}\n  ${error.hint}`;
  }
  return `${marked}\n  was accepted`;
}

Deno.test("parseManifest() refuses what is wrong, with line, column and what to do", () => {
  deepStrictEqual(BAD.map(mismatch).filter((text) => text !== ""), []);
});

Deno.test("parseManifest() reads where a server starts, whether it does, and secrets in its arguments", () => {
  const { mcp } = parseManifest(
    `${HEAD}[mcp.a]\ncommand = "x"\nargs = ["--key=\${secret:k}"]\n` +
      'secret_args = "allow"\ncwd = "~/srv"\ndisabled = true\n' +
      '[mcp.b]\nurl = "https://x"\ndisabled = true\n',
    "m",
  );
  deepStrictEqual(mcp["a"], {
    type: "stdio",
    command: "x",
    args: ["--key=${secret:k}"],
    env: {},
    cwd: "~/srv",
    secretArgs: true,
    disabled: true,
    sandbox: undefined,
  });
  strictEqual(mcp["b"]?.disabled, true);
});
