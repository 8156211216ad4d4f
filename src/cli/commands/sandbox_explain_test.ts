import assert from "node:assert/strict";
import { CommandHome } from "../../../tests/support/command_home.ts";
import { command } from "./sandbox_explain.ts";

const MANIFEST = `
[env]
name = "e"
[sandbox]
enabled = true
paths = ["~/data:ro"]
network = { mode = "hosts", allow = ["example.com", "localhost:5432"] }
env_host = ["AWS_PROFILE"]
`;

async function explained(
  home: CommandHome,
  ...args: string[]
): Promise<string[]> {
  return (await home.run(command, ...args)).text().split("\n");
}

function project(): CommandHome {
  const home = new CommandHome(MANIFEST).inRepo("sub");
  Deno.mkdirSync(`${home.path}/repo/.git/hooks`, { recursive: true });
  for (const name of ["objects", "refs"]) {
    Deno.mkdirSync(`${home.path}/repo/.git/${name}`);
  }
  Deno.writeTextFileSync(`${home.path}/repo/.git/HEAD`, "");
  Deno.writeTextFileSync(`${home.path}/home/secret`, "");
  return home;
}

Deno.test("sandbox explain says of a path which rule gives it, or that none does", async () => {
  using home = project();
  Deno.symlinkSync(`${home.path}/home/secret`, `${home.path}/repo/sub/link`);
  assert.deepEqual(
    await explained(home, "~/data"),
    ["may list ~/data: sandbox.paths: ~/data:ro"],
  );
  assert.deepEqual(
    await explained(home, "~/data", "--write"),
    [
      "may not make and remove files in ~/data: only read (sandbox.paths: ~/data:ro)",
      "  To allow it: aenv mount add ~/data:rw",
    ],
  );
  assert.deepEqual(
    await explained(home, "~/secret"),
    [
      "may not read ~/secret: nothing grants it",
      "  To allow it: aenv mount add ~/secret",
    ],
  );
  assert.deepEqual(await explained(home, "./link"), [
    "it leads to ~/secret",
    "may not read ~/secret: nothing grants it",
    "  To allow it: aenv mount add ~/secret",
  ]);
  assert.deepEqual(
    await explained(home, "./new.txt", "--write"),
    [
      `may make ${home.path}/repo/sub/new.txt: the project`,
    ],
  );
  assert.deepEqual(await explained(home, "/usr/bin/env"), [
    `may read ${Deno.realPathSync("/usr/bin/env")}: system directory`,
    `may run ${Deno.realPathSync("/usr/bin/env")}: system directory`,
  ]);
  assert.match(
    (await explained(home, "~/.aenv/config.toml", "--write"))[0]!,
    /^may not .*the home of aenv/,
  );
});

Deno.test("sandbox explain says what to type where something could be granted, and that nothing can where that is so", async () => {
  using home = project();
  const dir = `${home.path}/home/it's here`;
  Deno.mkdirSync(dir);
  Deno.writeTextFileSync(`${dir}/tool`, "", { mode: 0o755 });
  const manifest = `${home.path}/repo/aenv.toml`;
  for (
    const [args, hint] of [
      [["~/it's here"], `To allow it: aenv mount add ~/'it'\\''s here'`],
      [
        ["~/new", "--write"],
        "To allow it, make it, and aenv mount add ~/new:rw",
      ],
      [["~", "--write"], "Nothing can grant it: it is your home directory"],
      [
        ["other.example:81"],
        `To allow it: add "other.example:81" to network.allow under [sandbox] in ${manifest}`,
      ],
    ] as const
  ) assert.equal((await explained(home, ...args))[1], `  ${hint}`, args[0]);
  for (const path of ["~/.ssh/id_rsa", "~/.claude/settings.json"]) {
    const [answer, ...more] = await explained(home, path);
    assert.match(answer!, /^may not read .*outside of the sandbox$/);
    assert.deepEqual(more, []);
  }
  assert.deepEqual((await explained(home, "~/it's here/tool")).slice(2), [
    "may not run ~/it's here/tool: nothing grants it",
    `  To allow it: add "~/it's here" to path_dirs under [sandbox] in ${manifest}`,
  ]);
});

Deno.test("sandbox explain claims nothing of a protected file that is only compared", async () => {
  using home = project();
  const [text] = await explained(home, "../aenv.toml", "--write");
  assert.match(
    text!,
    /^may write .*aenv\.toml: the project; protected \(it declares the environment\): a change is shown and can be taken back$/,
  );
});

Deno.test("sandbox explain answers about hosts as the proxy decides", async () => {
  using home = project();
  assert.deepEqual(
    await explained(home, "example.com"),
    [
      "may connect to example.com on port 443: sandbox.network.allow: example.com",
    ],
  );
  for (
    const [question, answer] of [
      ["https://EXAMPLE.com./x", /^may connect to /],
      ["localhost:5432", /^may connect to localhost on port 5432/],
      ["localhost:5433", /^may not connect to localhost on port 5433/],
      ["example.com:22", /^may not .* other ports/],
      ["example.com.evil", /^may not connect/],
      ["169.254.169.254", /^may not connect/],
    ] as const
  ) assert.match((await explained(home, question))[0]!, answer, question);
  await assert.rejects(
    () => home.run(command, "example.com:99999"),
    (error: { code?: string }) => error.code === "USAGE",
  );
});

Deno.test("sandbox explain names the proxy that a listed host is reached through, without its password", async () => {
  using home = project();
  home.set("https_proxy", "http://me:hidden@proxy.corp:3128");
  home.set("NO_PROXY", "intern.example.com");
  const [, proxy, ...more] = await explained(home, "example.com");
  assert.equal(
    proxy,
    "  Through the proxy of your own network: http://proxy.corp:3128 (https_proxy)",
  );
  assert.deepEqual(more, []);
  const outcome = await home.run(command, "example.com");
  assert.deepEqual((outcome.data as { proxy: unknown }).proxy, {
    variable: "https_proxy",
    address: "http://proxy.corp:3128",
  });
  for (const direct of ["localhost:5432", "other.example"]) {
    const lines = (await explained(home, direct)).join("\n");
    assert.ok(!lines.includes("proxy"), lines);
  }
  home.set("NO_PROXY", "example.com");
  assert.equal((await explained(home, "example.com")).length, 1);
  home.set("NO_PROXY", "");
  home.set("https_proxy", "ftp://me:hidden@proxy.corp");
  assert.equal(
    (await explained(home, "example.com"))[1],
    "  But https_proxy names no proxy that can be used: no connection would come about",
  );
});

Deno.test("sandbox explain --vars shows each variable's rule and no value", async () => {
  using home = project();
  home.set("GITHUB_TOKEN", "ghp_0123456789012345678901234567890123456789");
  home.set("AWS_PROFILE", "work-profile");
  const text = (await explained(home, "--vars")).join("\n");
  assert.match(
    text,
    /^passes {2}AWS_PROFILE {2}\(sandbox\.env_host: AWS_PROFILE\)$/m,
  );
  assert.match(text, /^- {7}GITHUB_TOKEN {2}\(it looks like a credential/m);
  assert.ok(!/ghp_|work-profile/.test(text));
});

Deno.test("sandbox explain shows the whole policy, which --json prints as the value that is enforced", async () => {
  using home = project();
  const outcome = await home.run(command);
  const text = outcome.text();
  for (
    const line of [
      /^environment e$/m,
      /^read and write$/m,
      /^ {2}~\/data {3,}sandbox\.paths: ~\/data:ro$/m,
      /^network: hosts$/m,
      /^ {2}example\.com$/m,
      /hooks +git runs them; (held by the system|compared before and after)$/m,
    ]
  ) assert.match(text, line);
  const { grants, network } = outcome.data as Record<string, unknown>;
  assert.ok(Array.isArray(grants));
  assert.equal((network as { mode: string }).mode, "hosts");
});

Deno.test("sandbox explain says that nothing is confined where the sandbox is off", async () => {
  using home = new CommandHome('[env]\nname = "e"\n').inRepo("sub");
  await home.run(command, "~/data");
  assert.ok(
    home.notices.some((text) =>
      text.includes("the sandbox of environment e is off")
    ),
  );
});

Deno.test("sandbox explain --server answers for a server's own sandbox, and says when it has none", async () => {
  const servers = `
[mcp.own]
command = "x"
[mcp.own.sandbox]
project = "none"
paths = []
network = { mode = "hosts", allow = ["api.example.com"] }
[mcp.plain]
command = "x"
`;
  using home = new CommandHome(MANIFEST + servers).inRepo("sub");
  const ask = (...args: string[]) =>
    home.run(command, ...args).then((outcome) => outcome.text());
  assert.match(await ask("example.com"), /^may connect/);
  assert.match(await ask("example.com", "--server=own"), /^may not/);
  assert.match(
    await ask("api.example.com", "--server=own"),
    /^may connect .*: mcp\.own\.sandbox\.network\.allow: api\.example\.com/,
  );
  assert.match(await ask("./x", "--write", "--server=own"), /^may not make/);
  assert.match(await ask("~/data", "--server=own"), /^may not list/);
  for (
    const [name, state] of [
      ["plain", /runs in that of the agent/],
      ["gone", /does not declare it/],
    ] as const
  ) {
    await assert.rejects(
      () => home.run(command, `--server=${name}`),
      (error: Error) => state.test(error.message),
    );
  }
});

Deno.test("sandbox explain says what a granted socket gives away, and when sockets are not told apart", async () => {
  using home = project();
  const socket = `${home.path}/home/docker.sock`;
  using _docker = Deno.listen({ transport: "unix", path: socket });
  const inside = `${home.path}/repo/sub/s`;
  using _own = Deno.listen({ transport: "unix", path: inside });
  const shown = await explained(home, socket);
  assert.match(shown[0]!, /^may not connect .*no grant names this socket/);
  const manifest = `${home.path}/repo/aenv.toml`;
  const text = Deno.readTextFileSync(manifest);
  Deno.writeTextFileSync(
    manifest,
    text.replace("network", 'unix_sockets = ["~/docker.sock"]\nnetwork'),
  );
  const [granted] = await explained(home, socket);
  assert.match(
    granted!,
    /^may connect .*docker\.sock; .*controls this machine/,
  );
  const all = await explained(home);
  assert.ok(all.some((line) => /docker\.sock .*controls this/.test(line)));
  assert.match((await explained(home, inside))[0]!, /^may connect/);
});

Deno.test("sandbox explain tells of a network that is none but for a server's relay", async () => {
  const more = MANIFEST.replace(/network = .*/, 'network = "none"') + `
[mcp.web]
url = "https://mcp.example.com"
headers = { A = "\${secret:k}" }
`;
  using home = new CommandHome(more).inRepo("sub");
  const line = (await explained(home)).find((text) => /^network/.test(text));
  assert.equal(
    line,
    'network: none, but for the relay on this machine to MCP server "web"',
  );
  assert.match((await explained(home, "example.com"))[0]!, /^may not connect/);
});
