/** What decides what runs next time, and what was allowed: none of it can be changed from inside. */
import assert from "node:assert/strict";
import { launchClaim, type LaunchWorld } from "./launch_world.ts";

/** A home of aenv as it looks when it has been used. */
function furnish(world: LaunchWorld): void {
  const files = {
    "config.toml": 'default_env = "e"\n',
    "trust/0a.json": "{}\n",
    "store/objects/ab/abc/file": "installed\n",
    "envs/e/aenv.lock": "# the lock\n",
    "envs/e/installed/0a/review/hooks/hooks.json": "{}\n",
    "envs/e/trusted.json": "[]\n",
    "envs/e/.secrets.id": "id\n",
    "envs/e/protect/blobs/aa": "kept\n",
    "envs/e/sandbox/0a.json": "a remembered policy\n",
    "envs/other/aenv.toml": "# another env\n",
    "envs/other/claude/settings.json": "{}\n",
    "login/claude/.credentials.json": "{}\n",
    "secrets/values.json": '{"token": "a secret"}\n',
    "state/1/record.json": "{}\n",
    "runs/1-1/settings.json": "{}\n",
    "shims/claude": "#!/bin/sh\n",
  };
  for (const [name, text] of Object.entries(files)) {
    world.file(`home/.aenv/${name}`, text);
  }
  world.own();
}

const AENV_FILES = [
  ...["config.toml", "trust/0a.json", "store/objects/ab/abc/file"],
  ...["envs/e/aenv.toml", "envs/e/aenv.lock", "envs/e/trusted.json"],
  ...["envs/e/installed/0a/review/hooks/hooks.json", "envs/e/.secrets.id"],
  ...["envs/e/protect/blobs/aa", "envs/other/aenv.toml", "state/1/record.json"],
  ...["envs/e/sandbox/0a.json"],
  ...["envs/other/claude/settings.json", "runs/1-1/settings.json"],
  ...["shims/claude"],
];

launchClaim(
  "a confined process cannot rewrite anything that aenv believes",
  async (world) => {
    // Guards against an agent that edits its manifest, lock, plugins, trust, other envs or the shim, and is obeyed next time.
    furnish(world);
    const files = AENV_FILES.map((name) => `${world.aenvHome}/${name}`);
    const before = files.map((path) => Deno.readTextFileSync(path));
    await world.refuses(
      Object.fromEntries(files.map((path) => [path, `echo x >> ${path}`])),
      {
        check: () =>
          assert.deepEqual(files.map((p) => Deno.readTextFileSync(p)), before),
      },
    );
  },
);

launchClaim(
  "a confined process cannot replace anything that aenv believes",
  async (world) => {
    // Guards against what a write does not need: rename over it, remove it, put a link there.
    furnish(world);
    const at = world.aenvHome;
    await world.refuses({
      rename: `mv file ${at}/envs/e/aenv.toml`,
      unlink: `rm ${at}/trust/0a.json`,
      symlink: `ln -s /etc/passwd ${at}/shims/codex`,
      "hard link": `$attack link ${at}/config.toml ${at}/copy | grep -q done`,
      "new env": `mkdir ${at}/envs/new`,
      "new trust": `echo {} > ${at}/trust/0b.json`,
      "new object": `mkdir -p ${at}/store/objects/zz/zzz`,
      "new run": `mkdir ${at}/runs/2-2`,
      truncation: `$attack truncate ${at}/envs/e/aenv.lock | grep -q done`,
      "rename of the directory": `mv ${at}/envs/e ${at}/envs/f`,
    });
  },
);

launchClaim(
  "the audit log cannot be read, opened, linked, locked or renamed",
  async (world) => {
    // Guards against claudia's log, which lay where the agent could forge and erase it.
    const before = '{"event":"launch-begin"}\n';
    const log = world.file("home/.aenv/audit/log.jsonl", before, 0o600);
    const at = log.slice(0, log.lastIndexOf("/"));
    for (const name of ["head", "lock"]) {
      world.file(`home/.aenv/audit/${name}`, "", 0o600);
    }
    world.own();
    await world.refuses({
      list: `ls ${at}`,
      read: `cat ${log}`,
      "read through a link": `ln -s ${log} link && cat link`,
      append: `echo forged >> ${log}`,
      truncation: `$attack truncate ${log} | grep -q done`,
      "hard link out": `$attack link ${log} copy | grep -q done`,
      "hard link in": `$attack link ${at}/head ${at}/copy | grep -q done`,
      lock: `exec 9>> ${at}/lock && flock -n 9`,
      "new file": `echo x > ${at}/log-000000000001.jsonl`,
      "rename in the directory": `mv ${log} ${at}/old`,
      "rename into it": `echo x > own && mv own ${log}`,
      removal: `rm ${at}/head`,
      "rename of the directory": `mv ${at} ${at}.old`,
    }, {
      check: () => {
        assert.equal(world.read("home/.aenv/audit/log.jsonl"), before);
        for (const name of ["link", "own"]) {
          Deno.removeSync(`${world.project}/${name}`);
        }
      },
    });
  },
);

launchClaim(
  "settings that do not exist yet cannot be made beside the env's",
  async (world) => {
    // Guards against CVE-2026-25725: settings that were absent at the start were made from inside, with hooks in them.
    const [home, slot] = [world.home, world.slot];
    await world.refuses({
      "~/.claude": `mkdir ${home}/.claude`,
      "~/.claude.json": `echo {} > ${home}/.claude.json`,
      "~/.codex": `mkdir ${home}/.codex`,
      "~/.mcp.json": `echo {} > ${home}/.mcp.json`,
      "the lock": `echo x > ${slot}/aenv.lock`,
      "installed": `mkdir -p ${slot}/installed/x`,
      "trusted.json": `echo [] > ${slot}/trusted.json`,
      "~/.config": `mkdir -p ${home}/.config/systemd/user`,
      "~/.local": `mkdir -p ${home}/.local/bin`,
    });
  },
);

launchClaim(
  "the generated settings of a launch are read and not written",
  async (world) => {
    // Guards against an agent that switches its own restrictions off in the files it was started with.
    const planned = await world.plan();
    const run =
      planned.policy.grants.find(({ path }) => /\/runs\/[^/]+$/.test(path))!
        .path;
    Deno.writeTextFileSync(`${run}/settings.json`, "generated\n");
    world.own();
    const { output } = await world.run(
      "/usr/bin/bash",
      [
        "-c",
        `cat ${run}/settings.json
      for c in "echo x > ${run}/settings.json" "rm ${run}/settings.json" \\
        "mv file ${run}/mcp.json" "mv ${run} ${run}.old" "mkdir ${run}/new"
      do (eval "$c") 2>/dev/null && echo "done: $c"; done
      echo x > ${run}/tmp/own && echo own`,
      ],
      {},
      planned,
    );
    assert.equal(output, "generated\nown\n");
    const free = await world.shellFreely(`echo x > ${run}/settings.json`);
    assert.equal(free, "");
  },
);

launchClaim(
  "the user's own configuration of agents cannot be read or changed",
  async (world) => {
    // Guards against conversations, tokens and hooks of the user's own ~/.claude and ~/.codex leaking in and out.
    for (
      const name of [".claude/settings.json", ".claude/history.jsonl"]
        .concat([".claude.json", ".codex/config.toml", ".codex/auth.json"])
    ) world.file(`home/${name}`, "the user's\n");
    world.own();
    const { home } = world;
    await world.refuses({
      "read settings": `cat ${home}/.claude/settings.json`,
      "read history": `cat ${home}/.claude/history.jsonl`,
      "read state": `cat ${home}/.claude.json`,
      "read codex": `cat ${home}/.codex/auth.json`,
      "write settings": `echo {} > ${home}/.claude/settings.json`,
      "write state": `echo {} > ${home}/.claude.json`,
      "write codex": `echo x >> ${home}/.codex/config.toml`,
      "new hook": `mkdir ${home}/.claude/hooks`,
    });
  },
);

launchClaim(
  "secrets kept in files cannot be read",
  async (world) => {
    // Guards against the first things that stealers look for, in the places where tools keep them.
    furnish(world);
    const names = [
      ...[".aws/credentials", ".netrc", ".git-credentials", ".gnupg/key"],
      ...[".kube/config", ".docker/config.json", ".config/gcloud/x.json"],
      ...[".config/gh/hosts.yml", ".bash_history", ".password-store/x.gpg"],
      ...[".mozilla/firefox/cookies.sqlite", ".local/share/keyrings/k"],
      ...[".terraform.d/credentials.tfrc.json", ".vault-token", ".env"],
    ];
    for (const name of names) world.file(`home/${name}`, "a secret\n");
    // Settings that hold a credential are no settings.
    world.file("home/.npmrc", "//registry.test/:_authToken=0123456789abcdef\n");
    world.own();
    const all = [...names, ".npmrc", ".aenv/secrets/values.json"]
      .map((name) => `${world.home}/${name}`);
    await world.refuses(
      Object.fromEntries(all.map((path) => [path, `cat ${path}`])),
    );
  },
);

launchClaim(
  "what may not be read may not be written either",
  async (world) => {
    // Guards against sandbox-runtime #149: a directory that was hidden by a file system of its own could be written.
    world.file("home/private/file", "private\n");
    world.own();
    const at = `${world.home}/private`;
    await world.refuses({
      read: `cat ${at}/file`,
      list: `ls ${at}`,
      write: `echo x > ${at}/file`,
      make: `echo x > ${at}/new`,
    }, { check: () => assert.ok(!world.has("home/private/new")) });
  },
);

launchClaim("the agent's own state is written as it needs", async (world) => {
  // Guards against nono #220 and #379: temporary and lock files beside the state could not be granted, so all of HOME was.
  const found = await world.shell(`cd ${world.slot}/claude && set -e
    echo {} > .claude.json.tmp.1.ab && mv .claude.json.tmp.1.ab .claude.json
    mkdir .claude.json.lock && rmdir .claude.json.lock
    mkdir -p projects/x/memory sessions backups
    echo x > projects/x/a.jsonl && echo x >> projects/x/a.jsonl && echo ok`);
  assert.equal(found, "ok");
});

launchClaim(
  "a grant cannot be made to cover what is never writable",
  async (world) => {
    // Guards against a manifest whose line would give HOME, the shell's files, PATH or the home of aenv to the agent.
    for (
      const path of [
        ...["~", "/", "~/.bashrc", "~/.ssh", "~/.claude", "~/.aenv"],
        ...["~/.aenv/envs/e", "~/.config/systemd", "/usr", "/etc", "/tmp"],
        ...["/var/run", "/dev/shm", "/proc", "~/.local/bin", "~/work/.."],
      ]
    ) {
      world.file("home/.local/bin/tool", "");
      world.file("home/.config/systemd/user/x", "");
      world.file("home/.claude/x", "");
      world.manifest(`paths = ["${path}:rw"]`);
      await assert.rejects(world.plan(), { code: "SANDBOX_REFUSED" }, path);
    }
    world.file("home/data/file", "data\n");
    world.manifest('paths = ["~/data:rw"]');
    const found = await world.shell(`cat ${world.home}/data/file`);
    assert.equal(found, "data");
  },
);

launchClaim(
  "a link from a granted place does not carry a grant elsewhere",
  async (world) => {
    // Guards against CVE-2026-39861 across launches: a session plants a link, the next policy follows it.
    world.file("home/data/sub/file", "data\n");
    world.own();
    world.manifest('paths = ["~/data:rw", "~/data/sub:rw"]');
    await world.shell(`cd ${world.home}/data && mv sub old &&
      ln -s ${world.home}/.ssh sub`);
    await assert.rejects(world.plan(), { code: "SANDBOX_REFUSED" });
    await world.shellFreely(
      `cd ${world.home}/data && rm sub && ln -s ${world.home}/private sub &&
      mkdir ${world.home}/private`,
    );
    await assert.rejects(world.plan(), {
      code: "SANDBOX_REFUSED",
      message: /a link in .*data, which is writable from inside, leads to it/,
    });
  },
);

launchClaim(
  "a directory whose name begins like a granted one is not granted",
  async (world) => {
    // Guards against CVE-2025-54794: `/project` was taken for a prefix of `/project-evil`.
    for (const name of ["data-evil", "data.d", "dat"]) {
      world.file(`home/${name}/file`, "not granted\n");
    }
    world.file("home/data/file", "granted\n");
    world.file("home/work/project-evil/file", "not granted\n");
    world.own();
    world.manifest('paths = ["~/data:rw"]');
    const { home } = world;
    const found = await world.shell(`cat ${home}/data/file file`);
    assert.equal(found, "granted\na file");
    const all = [`${home}/data-evil`, `${home}/data.d`, `${home}/dat`]
      .concat(`${world.project}-evil`);
    await world.refuses(Object.fromEntries(all.flatMap((dir) => [
      [`read ${dir}`, `cat ${dir}/file`],
      [`write ${dir}`, `echo x > ${dir}/new`],
    ])));
  },
);

launchClaim(
  "a glob of the manifest means what it meant at the start",
  async (world) => {
    // Guards against claude-code #32226: globs that are shown in the policy and match nothing, or too much.
    for (const name of ["a.txt", "b.txt", ".hidden.txt", "sub/c.txt"]) {
      world.file(`home/notes/${name}`, `${name}\n`);
    }
    world.own();
    world.manifest('paths = ["~/notes/*.txt:ro"]');
    const at = `${world.home}/notes`;
    const found = await world.shell(`cat ${at}/a.txt ${at}/b.txt`);
    assert.equal(found, "a.txt\nb.txt");
    await world.refuses({
      hidden: `cat ${at}/.hidden.txt`,
      deeper: `cat ${at}/sub/c.txt`,
      list: `ls ${at}`,
      write: `echo x > ${at}/a.txt`,
      new: `echo x > ${at}/new.txt`,
    });
  },
);

launchClaim(
  "a confined agent that shares the user's sessions cannot write what those run",
  async (world) => {
    // Guards against an overlay that gives ~/.claude away: settings, hooks and shell snapshots run in the user's own sessions.
    const names = [
      ...["settings.json", "settings.local.json", "CLAUDE.md", "hooks/h.sh"],
      ...["shell-snapshots/snapshot-bash-1-a.sh", "plugins/p/hooks.json"],
      ...["agents/a.md", "commands/c.md", "skills/s/SKILL.md"],
      ...[".credentials.json", "projects/-another/memory/MEMORY.md"],
      ...["ide/1.lock", "statusline.sh", "session-env/1/setup-hook-0.sh"],
    ];
    for (const name of names) world.file(`home/.claude/${name}`, "{}\n");
    world.file("home/.claude.json", "{}\n");
    world.file(
      "home/.aenv/envs/o/aenv.toml",
      '[env]\nname = "o"\nisolation = "overlay"\n[sandbox]\nenabled = true\n',
    );
    world.own();
    const at = `${world.home}/.claude`;
    await world.refuses(
      Object.fromEntries([
        ...names.map((name) => [name, `echo evil >> ${at}/${name}`]),
        ["a new variable", `echo evil > ${at}/session-env/1/hook.sh`],
        [
          "a link",
          `mkdir -p ${at}/session-env/2 &&
          ln -s ${world.project}/file ${at}/session-env/2/setup-hook-0.sh`,
        ],
        ["the next", `cd ${at}/session-env && mv -T 1 4`],
        [
          "a rename",
          `mkdir -p d && echo evil > d/setup-hook-0.sh &&
          mv -T d ${at}/session-env/3`,
        ],
        ["a new snapshot", `echo evil > ${at}/shell-snapshots/new.sh`],
        ["a new hook", `echo evil > ${at}/hooks/new.sh`],
        ["the state", `echo evil >> ${world.home}/.claude.json`],
      ]),
      { env: "o" },
    );
    const slug = world.project.replace(/[^A-Za-z0-9]/g, "-");
    const own = await world.shell(
      `echo x >> ${at}/projects/${slug}/s.jsonl && mkdir ${at}/session-env/9 &&
      ls ${at}/session-env/9 && echo ok`,
      { env: "o" },
    );
    assert.equal(own, "ok");
  },
);
