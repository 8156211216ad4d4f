import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { TempDir } from "../../../tests/support/temp.ts";
import { cloneConfig } from "./clone.ts";

const letters = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0nOp";

/** Writes files below `root`: name → text. */
function write(root: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = `${root}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }
}

/** Every path below `root` with its kind and mode, or a link's target. */
function listing(root: string, at = ""): Record<string, string> {
  const out: Record<string, string> = {};
  for (const entry of Deno.readDirSync(`${root}/${at}`)) {
    const path = at === "" ? entry.name : `${at}/${entry.name}`;
    const info = Deno.lstatSync(`${root}/${path}`);
    out[path] = info.isSymlink
      ? "-> " + Deno.readLinkSync(`${root}/${path}`)
      : (info.mode! & 0o777).toString(8);
    if (info.isDirectory) Object.assign(out, listing(root, path));
  }
  return out;
}

/** The texts of all files below `root` in one. */
function contents(root: string): string {
  return Object.keys(listing(root)).map((path) => {
    const info = Deno.lstatSync(`${root}/${path}`);
    return info.isFile ? Deno.readTextFileSync(`${root}/${path}`) : "";
  }).join("\n");
}

function clone(temp: TempDir, { confined = false } = {}) {
  const home = `${temp.path}/home`;
  const leftOut = cloneConfig({
    from: `${home}/.claude` as AbsPath,
    stateFile: `${home}/.claude.json` as AbsPath,
    to: `${temp.path}/copy` as AbsPath,
    place: `${home}/.aenv/envs/default/claude` as AbsPath,
    home: home as AbsPath,
    uid: Deno.uid() ?? undefined,
    confined,
  });
  return {
    leftOut: Object.fromEntries(leftOut.map((l) => [l.path, l.why])),
    root: `${temp.path}/copy`,
    json: (name: string) =>
      JSON.parse(Deno.readTextFileSync(`${temp.path}/copy/${name}`)),
  };
}

const FULL = {
  "CLAUDE.md": "hello",
  "AGENTS.md": "x",
  "rules/a.md": "x",
  "skills/s/SKILL.md": "x",
  "skills/s/run.sh": "x",
  "skills/s/.env": "KEY=1",
  "skills/s/.env.example": "KEY=",
  "skills/s/.git/config": "x",
  "agents/a.md": "x",
  "commands/c.md": "x",
  "output-styles/o.md": "x",
  "workflows/w.md": "x",
  "themes/t.json": "{}",
  "keybindings.json": "{}",
  "hooks/h.sh": "x",
  ".credentials.json": "SECRET",
  ".credentials.json.bak": "SECRET",
  "projects/p/s.jsonl": "SECRET",
  "history.jsonl": "SECRET",
  "todos/t": "SECRET",
  "settings.local.json": "SECRET",
  "plugins/data/p/x": "SECRET",
  "unknown/x": "SECRET",
};

Deno.test("cloneConfig() copies configuration and leaves state and logins behind", () => {
  using temp = new TempDir();
  const claude = `${temp.path}/home/.claude`;
  write(claude, FULL);
  Deno.chmodSync(`${claude}/skills/s/run.sh`, 0o755);
  const umask = Deno.umask(0);
  try {
    const { leftOut, root } = clone(temp);
    deepStrictEqual(listing(root), {
      ".claude.json": "600",
      "AGENTS.md": "600",
      "CLAUDE.md": "600",
      "agents": "700",
      "agents/a.md": "600",
      "commands": "700",
      "commands/c.md": "600",
      "hooks": "700",
      "hooks/h.sh": "600",
      "keybindings.json": "600",
      "output-styles": "700",
      "output-styles/o.md": "600",
      "rules": "700",
      "rules/a.md": "600",
      "skills": "700",
      "skills/s": "700",
      "skills/s/.env.example": "600",
      "skills/s/SKILL.md": "600",
      "skills/s/run.sh": "700",
      "themes": "700",
      "themes/t.json": "600",
      "workflows": "700",
      "workflows/w.md": "600",
    });
    deepStrictEqual(leftOut, { "skills/s/.env": "it may hold a login" });
    strictEqual(Deno.statSync(root).mode! & 0o777, 0o700);
  } finally {
    Deno.umask(umask);
  }
});

Deno.test("cloneConfig() copies what settings and memory refer to and rewrites the references", () => {
  using temp = new TempDir();
  const claude = `${temp.path}/home/.claude`;
  const hook = (command: string) => ({ hooks: [{ type: "command", command }] });
  write(claude, {
    "settings.json": JSON.stringify({
      hooks: { Stop: [hook(`bash ${claude}/scripts/stop.sh`)] },
      statusLine: { type: "command", command: "~/.claude/status.sh" },
      permissions: { allow: ["Read(~/.claude/**)"] },
    }),
    "scripts/stop.sh": `. "$HOME/.claude/lib.sh"; cat ${claude}/history.jsonl`,
    "lib.sh": "x",
    "status.sh": "jq . ~/.claude/.credentials.json",
    "CLAUDE.md": "@docs/a.md and @../outside.md",
    "docs/a.md": "see @b.md",
    "docs/b.md": `in ${claude}`,
    "docs/unused.md": "x",
    "history.jsonl": "SECRET",
    ".credentials.json": "SECRET",
  });
  write(temp.path, { "home/outside.md": "SECRET" });
  const { root, json, leftOut } = clone(temp);
  deepStrictEqual(Object.keys(listing(root)).sort(), [
    ".claude.json",
    "CLAUDE.md",
    "docs",
    "docs/a.md",
    "docs/b.md",
    "lib.sh",
    "scripts",
    "scripts/stop.sh",
    "settings.json",
    "status.sh",
  ]);
  const place = `${temp.path}/home/.aenv/envs/default/claude`;
  deepStrictEqual(json("settings.json"), {
    hooks: { Stop: [hook(`bash ${place}/scripts/stop.sh`)] },
    statusLine: {
      type: "command",
      command: "~/.aenv/envs/default/claude/status.sh",
    },
    permissions: { allow: ["Read(~/.aenv/envs/default/claude/**)"] },
  });
  strictEqual(
    Deno.readTextFileSync(`${root}/scripts/stop.sh`),
    `. "$HOME/.aenv/envs/default/claude/lib.sh"; cat ${place}/history.jsonl`,
  );
  ok(!contents(root).includes(claude));
  ok(!contents(root).includes("SECRET"));
  deepStrictEqual(leftOut, {});
});

const TOKEN = "ghp_" + letters.slice(0, 36);

function servers(home: string) {
  return {
    plain: { command: `${home}/.claude/mcp/run.sh`, args: ["a"] },
    hidden: { command: "x", env: { API_KEY: "hunter2" } },
    argued: { command: "x", args: ["--token", "hunter2"] },
    remote: {
      type: "http",
      url: "https://h/x",
      headers: { Authorization: `Bearer ${TOKEN}` },
    },
    named: { command: "x", env: { API_KEY: "${API_KEY}" } },
  };
}

Deno.test("cloneConfig() names credentials in settings and servers and copies none", () => {
  using temp = new TempDir();
  const home = `${temp.path}/home`;
  const hook = (command: string) => ({ type: "command", command });
  write(home, {
    ".claude/settings.json": JSON.stringify({
      apiKeyHelper: "/bin/key",
      env: { ANTHROPIC_AUTH_TOKEN: "hunter2", NODE_ENV: "test" },
      hooks: { Stop: [{ hooks: [hook(`curl -H ${TOKEN}`), hook("true")] }] },
      permissions: { allow: [`Bash(GH=${TOKEN} x)`, "Read"] },
      statusLine: hook(`x ${TOKEN}`),
    }),
    ".claude.json": JSON.stringify({
      userID: "SECRET",
      oauthAccount: { emailAddress: "SECRET" },
      theme: "dark",
      verbose: true,
      editorMode: "vim",
      projects: { "/p": { history: ["SECRET"] } },
      mcpServers: servers(home),
    }),
    ".claude/mcp/run.sh": "x",
  });
  const { root, json, leftOut } = clone(temp);
  deepStrictEqual(json("settings.json"), {
    env: { NODE_ENV: "test" },
    hooks: { Stop: [{ hooks: [hook("true")] }] },
    permissions: { allow: ["Read"] },
  });
  deepStrictEqual(json(".claude.json"), {
    hasCompletedOnboarding: true,
    theme: "dark",
    editorMode: "vim",
    verbose: true,
    mcpServers: {
      plain: {
        command: `${home}/.aenv/envs/default/claude/mcp/run.sh`,
        args: ["a"],
      },
      named: { command: "x", env: { API_KEY: "${API_KEY}" } },
    },
  });
  const credential = "it looks like a credential";
  deepStrictEqual(leftOut, {
    "settings.json: apiKeyHelper": "it hands out credentials",
    "settings.json: env.ANTHROPIC_AUTH_TOKEN": credential,
    "settings.json: hooks.Stop[0].hooks[0]": credential,
    "settings.json: permissions.allow[0]": credential,
    "settings.json: statusLine": credential,
    ".claude.json: mcpServers.hidden": credential,
    ".claude.json: mcpServers.argued": credential,
    ".claude.json: mcpServers.remote": credential,
  });
  ok(!/SECRET|hunter2|ghp_/.test(contents(root)));
  ok(Deno.statSync(`${root}/mcp/run.sh`).isFile);
});

Deno.test("cloneConfig() rewrites the plugin registry and what plugins' files hold of the old place", () => {
  using temp = new TempDir();
  const claude = `${temp.path}/home/.claude`;
  const installed = "plugins/cache/m/p/1.0.0";
  write(claude, {
    "plugins/installed_plugins.json": JSON.stringify({
      version: 2,
      plugins: { "p@m": [{ installPath: `${claude}/${installed}` }] },
    }),
    "plugins/known_marketplaces.json": JSON.stringify({
      m: {
        source: { source: "git", url: "https://me:pw@host/m" },
        installLocation: `${claude}/plugins/marketplaces/m`,
      },
      d: { source: { source: "directory", path: `${claude}/own/d` } },
    }),
    [`${installed}/run.sh`]: `#!${claude}/x\n~/.claude/y`,
    [`${installed}/x.pyc`]: "x",
    "plugins/marketplaces/m/README.md": "x",
    "plugins/marketplaces/m/.git/config": "https://me:pw@host/m",
    "plugins/data/p/token": "SECRET",
    "own/d/.claude-plugin/marketplace.json": "{}",
  });
  Deno.writeFileSync(
    `${claude}/${installed}/tool.bin`,
    new TextEncoder().encode(`\0${claude}\0`),
  );
  const { root, json, leftOut } = clone(temp);
  const place = `${temp.path}/home/.aenv/envs/default/claude`;
  strictEqual(
    json("plugins/installed_plugins.json").plugins["p@m"][0].installPath,
    `${place}/${installed}`,
  );
  deepStrictEqual(json("plugins/known_marketplaces.json"), {
    m: {
      source: { source: "git", url: "https://host/m" },
      installLocation: `${place}/plugins/marketplaces/m`,
    },
    d: { source: { source: "directory", path: `${place}/own/d` } },
  });
  ok(Deno.statSync(`${root}/own/d/.claude-plugin/marketplace.json`).isFile);
  strictEqual(
    Deno.readTextFileSync(`${root}/${installed}/run.sh`),
    `#!${place}/x\n~/.claude/y`,
  );
  deepStrictEqual(leftOut, {
    [`${installed}/tool.bin`]: "it is no text and holds its old place",
  });
  ok(!/SECRET|pw@/.test(contents(root)));
  ok(!contents(root).includes(claude));
});

/** Links below the configuration directory: name and target. */
function links(home: string): [string, string][] {
  return [
    ["skills/alias", "real"],
    ["skills/absolute", `${home}/.claude/skills/real`],
    ["skills/note.md", "../notes.md"],
    ["skills/far", `${home}/dotfiles/skills/far`],
    ["settings.json", "../dotfiles/settings.json"],
    ["CLAUDE.md", `${home}/dotfiles/CLAUDE.md`],
    ["skills/login", "../.credentials.json"],
    ["skills/sessions", `${home}/.claude/projects`],
    ["skills/key", `${home}/.ssh`],
    ["skills/nowhere", "missing"],
    ["skills/loop", "loop"],
    ["skills/device", "/dev/null"],
  ];
}

Deno.test("cloneConfig() keeps links inside, copies what links lead to outside, and names the rest", () => {
  using temp = new TempDir();
  const home = `${temp.path}/home`;
  const claude = `${home}/.claude`;
  write(home, {
    ".claude/skills/real/SKILL.md": "x",
    ".claude/notes.md": "n",
    ".claude/.credentials.json": "SECRET",
    ".claude/projects/p.jsonl": "SECRET",
    "dotfiles/skills/far/SKILL.md": "far",
    "dotfiles/settings.json": '{"env":{"A":"b"}}',
    "dotfiles/CLAUDE.md": "memory",
    ".ssh/id_ed25519": "SECRET",
  });
  for (const [name, target] of links(home)) {
    Deno.symlinkSync(target, `${claude}/${name}`);
  }
  Deno.symlinkSync("..", `${home}/dotfiles/skills/far/circle`);
  const made = new Deno.Command("mkfifo", {
    args: [`${claude}/skills/pipe`],
  }).outputSync();
  ok(made.success);
  const { root, leftOut } = clone(temp);
  deepStrictEqual(listing(`${root}/skills`), {
    "absolute": "-> real",
    "alias": "-> real",
    "far": "700",
    "far/SKILL.md": "600",
    "note.md": "-> ../notes.md",
    "real": "700",
    "real/SKILL.md": "600",
  });
  strictEqual(Deno.readTextFileSync(`${root}/skills/note.md`), "n");
  strictEqual(Deno.readTextFileSync(`${root}/CLAUDE.md`), "memory");
  strictEqual(Deno.lstatSync(`${root}/CLAUDE.md`).isFile, true);
  ok(Deno.readTextFileSync(`${root}/settings.json`).includes('"A": "b"'));
  deepStrictEqual(leftOut, {
    "skills/device": "it is a device, pipe or socket",
    "skills/far/circle": "it is a link that leads around in a circle",
    "skills/key": "it is a link to a place for logins",
    "skills/login": "it is a link to state or a login",
    "skills/loop": "it cannot be read",
    "skills/nowhere": "it is a link that leads nowhere",
    "skills/pipe": "it is a device, pipe or socket",
    "skills/sessions": "it is a link to state or a login",
  });
  ok(!contents(root).includes("SECRET"));
});

Deno.test("cloneConfig() copies nothing through links that a confined agent may have made", () => {
  using temp = new TempDir();
  const home = `${temp.path}/home`;
  write(home, {
    ".claude/skills/s/SKILL.md": "own",
    "notes/private.md": "SECRET",
    "state.json": `{"numStartups":1,"mcpServers":{"x":{"command":"SECRET"}}}`,
  });
  const dir = `${home}/.claude`;
  Deno.mkdirSync(`${dir}/rules`);
  Deno.symlinkSync(`${home}/notes/private.md`, `${dir}/CLAUDE.md`);
  Deno.symlinkSync(`${home}/notes`, `${dir}/rules/all`);
  Deno.symlinkSync(`${home}/notes/private.md`, `${dir}/settings.json`);
  Deno.symlinkSync("s", `${dir}/skills/t`);
  Deno.symlinkSync(`${home}/state.json`, `${home}/.claude.json`);
  new Deno.Command("mkfifo", { args: [`${dir}/AGENTS.md`] }).outputSync();
  const { leftOut, root } = clone(temp, { confined: true });
  const out =
    "it is a link out of the environment, and its agent may have made it";
  deepStrictEqual(leftOut, {
    "CLAUDE.md": out,
    "rules/all": out,
    "settings.json": out,
    ".claude.json": "it cannot be read",
    "AGENTS.md": "it is a device, pipe or socket",
  });
  strictEqual(contents(root).includes("SECRET"), false);
  strictEqual(Deno.readTextFileSync(`${root}/skills/t/SKILL.md`), "own");
});

Deno.test("cloneConfig() bounds what links bring in", () => {
  using temp = new TempDir();
  const home = `${temp.path}/home`;
  write(home, { ".claude/skills/s/SKILL.md": "x" });
  const big = Deno.createSync(`${temp.path}/big`);
  big.truncateSync(300 * 1024 * 1024);
  big.close();
  Deno.symlinkSync(`${temp.path}/big`, `${home}/.claude/skills/big`);
  const { root, leftOut } = clone(temp);
  deepStrictEqual(leftOut, {
    "skills/big": "it leads to more than 10000 files or 256 MiB",
  });
  deepStrictEqual(Object.keys(listing(`${root}/skills`)).sort(), [
    "s",
    "s/SKILL.md",
  ]);
});

Deno.test("cloneConfig() takes a configuration directory that is itself a link, and one that is missing", () => {
  using temp = new TempDir();
  const home = `${temp.path}/home`;
  write(home, { "dotfiles/claude/CLAUDE.md": `${home}/dotfiles/claude/x` });
  Deno.symlinkSync("dotfiles/claude", `${home}/.claude`);
  const { root } = clone(temp);
  strictEqual(
    Deno.readTextFileSync(`${root}/CLAUDE.md`),
    `${home}/.aenv/envs/default/claude/x`,
  );
  using other = new TempDir();
  const empty = clone(other);
  deepStrictEqual(Object.keys(listing(empty.root)), [".claude.json"]);
  deepStrictEqual(empty.json(".claude.json"), {
    hasCompletedOnboarding: true,
  });
});

Deno.test("cloneConfig() leaves broken JSON out and says so", () => {
  using temp = new TempDir();
  write(`${temp.path}/home`, {
    ".claude/settings.json": "{",
    ".claude.json": "[]",
  });
  const { root, leftOut } = clone(temp);
  deepStrictEqual(leftOut, {
    "settings.json": "it is no JSON object",
    ".claude.json": "it cannot be read",
  });
  deepStrictEqual(Object.keys(listing(root)), [".claude.json"]);
});
