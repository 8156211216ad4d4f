import assert from "node:assert/strict";
import { SandboxWorld } from "../../tests/support/sandbox_world.ts";
import type { AbsPath } from "../base/paths.ts";

type Grants = readonly { path: string; access: "ro" | "rw" }[];

/** One path of the manifest, as it is written there. */
function path(text: string): { wishes: { paths: Grants } } {
  const [, place, access] = /^(.*):(ro|rw)$/.exec(text)!;
  const paths = [{ path: place!, access: access as "ro" | "rw" }];
  return { wishes: { paths } };
}

function refusal(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    const { code, exitCode, message } = error as {
      code: string;
      exitCode: number;
      message: string;
    };
    assert.deepEqual([code, exitCode], ["SANDBOX_REFUSED", 3]);
    return message;
  }
  return "granted";
}

Deno.test("a policy gives the project, the system's programs and nothing of HOME", () => {
  using world = new SandboxWorld();
  world.file("home/.bashrc");
  world.file("home/.ssh/id_rsa");
  const policy = world.policy();
  for (
    const [operation, path] of [
      ["write", world.at("project/a")],
      ["create", world.at("project/a")],
      ["exec", world.at("project/node_modules/.bin/x")],
      ["exec", "/usr/bin/git"],
      ["read", "/etc/hosts"],
      ["write", "/dev/null"],
      ["create", world.at("home/.aenv/envs/e/claude/.claude.json")],
      ["create", world.at("home/.aenv/envs/e/tmp/x")],
    ] as const
  ) assert.ok(world.allows(policy, operation, path), `${operation} ${path}`);
  for (
    const [operation, path] of [
      ["read", world.at("home/.bashrc")],
      ["read", world.at("home/.ssh/id_rsa")],
      ["list", world.home],
      ["create", world.at("home/x")],
      ["read", world.at("home/.aenv/config.toml")],
      ["write", world.at("home/.aenv/envs/e/aenv.toml")],
      ["write", "/usr/bin/git"],
      ["write", "/etc/hosts"],
      ["exec", "/etc/hosts"],
      ["list", "/dev"],
      ["read", "/dev/pts/0"],
      ["list", "/dev/shm"],
      ["list", "/tmp"],
      ["list", "/"],
      ["create", world.at("project")],
    ] as const
  ) assert.ok(!world.allows(policy, operation, path), `${operation} ${path}`);
});

Deno.test("a name that begins like a granted one is not granted", () => {
  using world = new SandboxWorld();
  world.file("project-secret/key");
  world.file("data2/x");
  world.dir("data");
  const policy = world.policy(path(`${world.at("data")}:rw`));
  assert.ok(!world.allows(policy, "read", world.at("project-secret/key")));
  assert.ok(!world.allows(policy, "read", world.at("data2/x")));
});

Deno.test("a grant of the disk, of HOME, of what HOME is in, or of anything of aenv's own is refused with the reason", () => {
  using world = new SandboxWorld();
  world.dir("home/.aenv/envs/e/claude");
  const messages = [
    "/:ro",
    "~:ro",
    "~/:rw",
    `${world.root}:ro`,
    "~/.aenv:ro",
    "~/.aenv/envs:rw",
    "~/.aenv/envs/e/claude:rw",
  ].map((text) => refusal(() => world.policy(path(text))));
  assert.deepEqual(messages, [
    'Cannot grant "sandbox.paths: /:ro": it is the whole disk',
    'Cannot grant "sandbox.paths: ~:ro": it is your home directory',
    'Cannot grant "sandbox.paths: ~/:rw": it is your home directory',
    `Cannot grant "sandbox.paths: ${world.root}:ro": your home directory is in it`,
    'Cannot grant "sandbox.paths: ~/.aenv:ro": the home of aenv is in it',
    'Cannot grant "sandbox.paths: ~/.aenv/envs:rw": it is in the home of aenv',
    'Cannot grant "sandbox.paths: ~/.aenv/envs/e/claude:rw": it is in the home of aenv',
  ]);
});

Deno.test("what runs outside cannot be made writable: start files, keys, PATH, the system, shared directories", () => {
  using world = new SandboxWorld();
  world.file("home/.bashrc");
  for (const dir of [".ssh", ".config/systemd/user", ".claude", "tools/bin"]) {
    world.dir(`home/${dir}`);
  }
  const variables = { PATH: `/usr/bin:${world.at("home/tools/bin")}` };
  for (
    const text of [
      "~/.bashrc:rw",
      "~/.ssh:rw",
      "~/.config:rw",
      "~/.config/systemd/user:rw",
      "~/.claude:rw",
      "~/tools/bin:rw",
      "~/tools:rw",
      "/usr/local:rw",
      "/etc:rw",
      "/var/lib:rw",
      "/tmp:rw",
      "/dev:rw",
      "/run:rw",
    ]
  ) {
    const message = refusal(() =>
      world.policy({ ...path(text), input: { variables } })
    );
    assert.match(message, /^Cannot grant/, text);
  }
  const caches = { wishes: { cacheDirs: ["~/.claude"] } };
  assert.match(refusal(() => world.policy(caches)), /run or believed outside/);
  // Reading is the user's own choice.
  assert.equal(refusal(() => world.policy(path("~/.ssh:ro"))), "granted");
});

Deno.test("links in a grant are resolved once, and what they lead to is checked", () => {
  using world = new SandboxWorld();
  world.file("data/x");
  world.link("home/ok", "../data");
  world.link("home/bad", ".");
  world.link("home/loop", "loop");
  const policy = world.policy(path("~/ok:ro"));
  assert.ok(world.allows(policy, "read", world.at("data/x")));
  assert.match(
    refusal(() => world.policy(path("~/bad:ro"))),
    /it is your home directory/,
  );
  assert.match(world.policy(path("~/loop:ro")).leftOut[0]!.why, /nothing is/);
});

Deno.test("a link that the agent could have made leads to no grant", () => {
  using world = new SandboxWorld();
  world.file("home/secret/key");
  world.link("project/data", world.at("home/secret"));
  world.dir("project/ok/data");
  world.link("project/inside", "ok");
  assert.match(
    refusal(() => world.policy(path("./data:ro"))),
    /a link in .*\/project, which is writable from inside, leads to it/,
  );
  world.link("project/x/data", world.at("home/secret"));
  assert.match(
    refusal(() => world.policy(path("./*/data:rw"))),
    /a link in .*\/project\/x/,
  );
  assert.equal(refusal(() => world.policy(path("./inside:rw"))), "granted");
});

Deno.test("a program of PATH is not granted through a link that the agent could have made", () => {
  using world = new SandboxWorld();
  world.file("home/secret/key");
  world.link("project/bin", world.at("home/secret"));
  const variables = { PATH: `/usr/bin:${world.at("project/bin")}` };
  const policy = world.policy({ input: { variables } });
  // PATH is read with its links resolved: the directory counts as what it is, below HOME and on PATH, readable only.
  assert.ok(!world.allows(policy, "write", world.at("home/secret/key")));
});

Deno.test("globs stand for what is there, hidden names only where a dot is written", () => {
  using world = new SandboxWorld();
  for (const name of ["a1", "a2", "b1", ".a3"]) world.file(`home/w/${name}/x`);
  const policy = world.policy(path("~/w/a?:ro"));
  const given = ["a1", "a2", "b1", ".a3"].filter((name) =>
    world.allows(policy, "read", world.at(`home/w/${name}/x`))
  );
  assert.deepEqual(given, ["a1", "a2"]);
});

Deno.test("what is missing is left out with a remark; a cache is made", () => {
  using world = new SandboxWorld();
  const policy = world.policy({
    wishes: {
      paths: [{ path: "~/data", access: "ro" }],
      cacheDirs: ["~/.cache/npm"],
    },
  });
  assert.deepEqual(policy.leftOut, [{
    path: world.at("home/data"),
    why: "sandbox.paths: ~/data:ro: nothing is there",
  }]);
  assert.ok(policy.make.includes(world.at("home/.cache/npm")));
  assert.ok(
    world.allows(policy, "create", world.at("home/.cache/npm/_cacache")),
  );
});

Deno.test("tools are pointed to a private cache unless one of the user's is granted", () => {
  using world = new SandboxWorld();
  const caches = [[], ["~/.cache/npm"], ["~/.npm"], ["~/.cache"]].map(
    (cacheDirs) => {
      const { sets } = world.policy({ wishes: { cacheDirs } });
      return [sets["npm_config_cache"], sets["PIP_CACHE_DIR"]];
    },
  );
  const own = world.at("home/.aenv/envs/e/cache");
  assert.deepEqual(caches, [
    [`${own}/npm`, `${own}/pip`],
    [world.at("home/.cache/npm"), `${own}/pip`],
    [undefined, `${own}/pip`],
    [`${own}/npm`, undefined],
  ]);
});

Deno.test("settings of tools are granted while they hold no credential", () => {
  using world = new SandboxWorld();
  const npmrc = world.at("home/.npmrc");
  for (
    const [text, isGranted] of [
      ["registry=https://r.example/\n", true],
      ["//r.example/:_authToken=${NPM_TOKEN}\n", true],
      ["//r.example/:_authToken=abc\n", false],
      ["_password = aGVsbG8=\n", false],
      ["npmAuthToken: abc\n", false],
      ["x = https://me:secret@r.example/\n", false],
    ] as const
  ) {
    world.file("home/.npmrc", text);
    assert.equal(world.allows(world.policy(), "read", npmrc), isGranted, text);
  }
  assert.deepEqual(world.policy().leftOut, [{
    path: npmrc,
    why: "it holds a credential",
  }]);
});

Deno.test("git is given its configuration with what it includes, or told that there is none", () => {
  using world = new SandboxWorld();
  world.file("home/.gitconfig", "[include]\n path = ~/git/work\n");
  world.file("home/git/work", "[user]\n name = x\n");
  const policy = world.policy();
  assert.ok(world.allows(policy, "read", world.at("home/git/work")));
  assert.equal(policy.sets["GIT_CONFIG_GLOBAL"], undefined);
  world.file("home/git/work", "[github]\n token = abc\n");
  assert.equal(world.policy().sets["GIT_CONFIG_GLOBAL"], "/dev/null");
});

Deno.test("HOME, the root and what holds the home of aenv are no project", () => {
  using world = new SandboxWorld();
  const messages = ["home", "home/.aenv", "."].map((cwd) =>
    refusal(() => world.policy({ cwd }))
  );
  for (const message of messages) {
    assert.match(message, /^Cannot confine the agent to/);
  }
  const input = { projectRoot: "/" as AbsPath, cwd: "/" as AbsPath };
  assert.match(refusal(() => world.policy({ input })), /the whole disk/);
  // HOME is set to the root in some containers: then it is nobody's home.
  const rootHome = { input: { home: "/" as AbsPath } };
  assert.equal(refusal(() => world.policy(rootHome)), "granted");
});

Deno.test("programs of PATH below HOME can run, with the installation that they are part of", () => {
  using world = new SandboxWorld();
  world.file("home/.nvm/v22/bin/node");
  world.file("home/.nvm/v22/lib/node_modules/npm/bin/npm-cli.js");
  world.link(
    "home/.nvm/v22/bin/npm",
    "../lib/node_modules/npm/bin/npm-cli.js",
  );
  world.file("home/tools/pkg/bin/tool");
  world.file("home/tools/pkg/lib/part");
  world.link("home/.local/bin/tool", "../../tools/pkg/bin/tool");
  world.file("home/.local/share/keyrings/login");
  const dirs = [".nvm/v22/bin", ".local/bin"].map((dir) =>
    `${world.home}/${dir}`
  );
  const variables = { PATH: [...dirs, "/usr/bin", world.home, "."].join(":") };
  const policy = world.policy({ input: { variables } });
  for (
    const name of [
      ".nvm/v22/bin/node",
      ".nvm/v22/lib/node_modules/npm/bin/npm-cli.js",
      ".local/bin/tool",
      "tools/pkg/bin/tool",
      "tools/pkg/lib/part",
    ]
  ) assert.ok(world.allows(policy, "exec", world.at(`home/${name}`)), name);
  assert.ok(
    !world.allows(policy, "read", world.at("home/.local/share/keyrings/login")),
  );
  assert.ok(!world.allows(policy, "list", world.home));
  assert.deepEqual(policy.leftOut, [{
    path: world.home,
    why: "it is your home directory",
  }]);
});

Deno.test("the agent's program comes with its package and the interpreter that it names", () => {
  using world = new SandboxWorld();
  const real = "home/opt/lib/node_modules/@x/agent/cli.js";
  world.file(real, "#!/usr/bin/env node\n");
  world.file("home/opt/lib/node_modules/@x/agent-linux/native");
  world.link("home/opt/bin/agent", "../lib/node_modules/@x/agent/cli.js");
  world.file("home/node/bin/node");
  const agent = { name: "claude", keychain: false } as const;
  const policy = world.policy({
    input: {
      agent: { ...agent, program: world.at("home/opt/bin/agent") },
      variables: { PATH: `/bin:${world.at("home/node/bin")}` },
    },
  });
  for (
    const name of [
      real,
      "home/opt/lib/node_modules/@x/agent-linux/native",
      "home/node/bin/node",
    ]
  ) assert.ok(world.allows(policy, "exec", world.at(name)), name);
});

Deno.test("a socket is granted by name and :rw only", () => {
  using world = new SandboxWorld();
  const socket = world.at("home/db.sock");
  using _listener = Deno.listen({ transport: "unix", path: socket });
  const granted = world.policy(path("~/db.sock:rw"));
  assert.deepEqual(granted.unixSockets.map(({ path }) => path), [socket]);
  const read = world.policy(path("~/db.sock:ro"));
  assert.deepEqual(read.unixSockets, []);
  assert.match(read.leftOut[0]!.why, /grant it with :rw/);
});

/** A policy that grants sockets. */
function sockets(
  world: SandboxWorld,
  ...entries: readonly (readonly [text: string, path: string | undefined])[]
) {
  const unixSockets = entries.map(([text, path]) => ({ text, path }));
  return world.policy({ wishes: { unixSockets } });
}

Deno.test("unix_sockets grants sockets and directories of them, wherever they lie, and nothing else there", () => {
  using world = new SandboxWorld();
  world.dir("home/.gnupg/d");
  const agent = world.at("home/.gnupg/S.gpg-agent");
  using _listener = Deno.listen({ transport: "unix", path: agent });
  const own = world.policy({}).tmpDir;
  const policy = sockets(
    world,
    ["~/.gnupg/S.gpg-agent", "~/.gnupg/S.gpg-agent"],
    ["~/.gnupg/d", "~/.gnupg/d"],
    ["$TMPDIR", own],
    ["$SSH_AUTH_SOCK", undefined],
    ["$X_SOCK", "/etc/passwd"],
  );
  assert.deepEqual(
    policy.unixSockets.map(({ path, tree }) => [path, tree ?? false]),
    [[agent, false], [world.at("home/.gnupg/d"), true], [own, true]],
  );
  assert.ok(!world.allows(policy, "read", agent));
  assert.ok(!world.allows(policy, "read", world.at("home/.gnupg/d")));
  const left = policy.leftOut.map(({ why }) => why);
  assert.ok(
    left.includes("sandbox.unix_sockets: $SSH_AUTH_SOCK: it is not set"),
  );
  assert.ok(left.includes("sandbox.unix_sockets: $X_SOCK: it is no socket"));
});

Deno.test("unix_sockets refuses sockets of ours, of everybody, and those behind a planted link", () => {
  using world = new SandboxWorld();
  const ours = world.at("home/.aenv/runs/1.sock");
  world.dir("home/.aenv/runs");
  using _listener = Deno.listen({ transport: "unix", path: ours });
  world.link("project/link.sock", ours);
  for (
    const path of [
      ours,
      "~/.aenv/runs",
      "~",
      "/",
      "/run",
      "/tmp",
      "/dev",
      "link.sock",
    ]
  ) {
    assert.throws(
      () => sockets(world, [path, path]),
      { code: "SANDBOX_REFUSED" },
      path,
    );
  }
});

Deno.test("a server's project may be read and run only, or not be there at all", () => {
  using world = new SandboxWorld();
  const file = world.at("project/file");
  const read = world.policy({ input: { project: "read" } });
  assert.ok(world.allows(read, "read", file));
  assert.ok(world.allows(read, "exec", file));
  assert.ok(!world.allows(read, "write", file));
  assert.deepEqual(read.protected, []);
  const none = world.policy({ input: { project: "none" } });
  assert.ok(!world.allows(none, "read", file));
});

Deno.test("as root the private files of /etc are not granted, and others are", () => {
  using world = new SandboxWorld();
  const asRoot = world.policy({ input: { uid: 0 } });
  for (const name of ["shadow", "gshadow", "sudoers", "ssl/private/x"]) {
    assert.ok(!world.allows(asRoot, "read", `/etc/${name}`), name);
  }
  for (const name of ["hosts", "passwd", "ssl/certs/ca-certificates.crt"]) {
    assert.ok(world.allows(asRoot, "read", `/etc/${name}`), name);
  }
});

Deno.test("entries for this machine are ports that can be connected to, and no list is no host", () => {
  using world = new SandboxWorld();
  const allow = ["@agent", "localhost:5432", "127.0.0.1:80", "*.example.com"];
  const policy = world.policy({
    wishes: { network: { mode: "hosts", allow } },
  });
  assert.ok(policy.network.mode === "hosts");
  assert.deepEqual(policy.network.ports.map(({ port }) => port), [5432, 80]);
  assert.deepEqual(policy.network.allow.map(({ pattern }) => pattern), allow);
  const none = world.policy({
    wishes: { network: { mode: "hosts", allow: [] } },
  });
  assert.deepEqual(none.network, {
    mode: "hosts",
    allow: [],
    ports: [],
    proxy: undefined,
  });
});

Deno.test("each grant says which rule gave it, and none is there twice", () => {
  using world = new SandboxWorld();
  world.dir("project/sub");
  world.dir("data");
  const policy = world.policy({
    wishes: {
      paths: [
        { path: "./sub", access: "rw" },
        { path: world.at("data"), access: "ro" },
        { path: world.at("data"), access: "rw" },
      ],
    },
  });
  const given = policy.grants.filter(({ path }) => path.startsWith(world.root))
    .map((
      { path, access, why },
    ) => [path.slice(world.root.length), access, why.text]);
  assert.deepEqual(given, [
    ["/data", "write", `sandbox.paths: ${world.at("data")}:rw`],
    ["/home/.aenv/envs/e/cache", "write", "caches of this environment"],
    ["/home/.aenv/envs/e/claude", "write", "state"],
    ["/home/.aenv/envs/e/tmp", "write", "private temporary directory"],
    ["/project", "write", "the project"],
  ]);
});
