/** The project: what is in it and runs, or is believed, outside of the sandbox cannot be changed, or the change is found. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import { closeDescriptor } from "../../src/os/fds.ts";
import {
  beginProtected,
  endProtected,
  type ProtectPlace,
  sessionName,
} from "../../src/sandbox/mod.ts";
import { revertChanges } from "../../src/sandbox/protect_revert.ts";
import {
  launchClaim,
  type LaunchParts,
  type LaunchWorld,
} from "./launch_world.ts";

const GIT = "git -c user.name=a -c user.email=a@b";

/** Where what was found is written down. */
function placeOf({ slot, project }: LaunchWorld): ProtectPlace {
  return {
    dir: `${slot}/protect` as AbsPath,
    project: project as AbsPath,
  };
}

/** Runs a script as a session, and says what the session changed: `created .envrc`. */
async function changesBy(
  world: LaunchWorld,
  script: string,
  parts: LaunchParts = {},
): Promise<string[]> {
  const planned = await world.plan(parts);
  const session = sessionName(Deno.pid);
  const place = placeOf(world);
  Deno.mkdirSync(place.dir, { recursive: true, mode: 0o700 });
  const { protected: paths } = planned.policy;
  const begun = await beginProtected(place, paths, session);
  assert.deepEqual(begun.changes, []);
  const { code, errors } = await world.run(
    "/usr/bin/bash",
    ["-c", script],
    parts,
    planned,
  );
  assert.equal(`${code} ${errors}`, "0 ");
  const { changes } = await endProtected(begun.session!);
  for (const fd of [begun.session!.held, begun.session!.seen?.fd]) {
    if (fd !== undefined) closeDescriptor(fd);
  }
  const below = `${world.project}/`;
  return changes.map(({ path, change }) => {
    const name = path.startsWith(below) ? path.slice(below.length) : path;
    return `${change} ${name}`;
  });
}

launchClaim("git's hooks cannot be changed in any way", async (world) => {
  // Guards against a hook that the user's own git runs outside, at the next commit or checkout.
  await world.refuses({
    add: "echo evil > .git/hooks/post-checkout",
    "write a sample": "echo evil >> .git/hooks/pre-commit.sample",
    rename: "mv .git/hooks/pre-commit.sample .git/hooks/pre-commit",
    remove: "rm .git/hooks/pre-push.sample",
    "link into": "ln -s ../../file .git/hooks/pre-push",
    "hard link into": "ln file .git/hooks/pre-merge-commit",
    mode: "chmod 777 .git/hooks/pre-rebase.sample",
    "move the directory": "mv .git/hooks .git/old && mv .git/old .git/hooks",
    "move the repository": "mv .git git && mv git .git",
    "another name": "cd .git && echo x > ./hooks/../hooks/update",
    "through /proc": "echo x > /proc/self/cwd/.git/hooks/post-merge",
  }, {
    check: () => assert.ok(!world.has("home/work/project/.git/hooks/update")),
  });
});

launchClaim(
  "what holds the hooks cannot be mounted away",
  async (world) => {
    // Guards against remounting a read-only directory for writing, and against a namespace in which one may.
    await world.refuses({
      namespace: "unshare --user --map-root-user --mount true",
      "namespace of mounts":
        "unshare -r -m sh -c 'mount --bind . .git && umount .git'",
    });
    const remounts = [
      "mount -o remount,bind,rw .git/hooks",
      "mount -o remount,rw /",
      "umount .git/hooks",
      "umount -l .git/hooks",
      "mount --move .git/hooks .git/info",
      "mount -t tmpfs none .git/hooks",
      "nsenter -t 1 -m true",
      "chroot / true",
    ];
    const found = await world.shell(
      remounts.map((line) => `(${line}) 2>/dev/null && echo '${line}'`)
        .concat("(echo x > .git/hooks/update) 2>/dev/null || echo refused")
        .join("\n"),
    );
    assert.equal(found, "refused");
  },
);

launchClaim("a git configuration that was changed is found", async (world) => {
  // Guards against core.fsmonitor, core.sshCommand, filters and hooksPath: programs that the user's own git runs.
  const changes = await changesBy(
    world,
    "git config core.fsmonitor ./evil; git config core.hooksPath .evil",
  );
  assert.deepEqual(changes, ["content .git/config"]);
  const place = placeOf(world);
  const next = await beginProtected(place, [], sessionName(Deno.pid));
  assert.deepEqual(next.changes.map(({ change }) => change), ["content"]);
  await revertChanges(place);
  const text = world.read("home/work/project/.git/config");
  assert.doesNotMatch(text, /fsmonitor|hooksPath/);
});

launchClaim(
  "protected files that are not there yet are found when they are made",
  async (world) => {
    // Guards against CVE-2026-25725 in the project: what is absent at the start is made from inside, and obeyed next time.
    const changes = await changesBy(
      world,
      `mkdir .claude .codex .vscode .idea
      for f in .claude/settings.json .mcp.json .codex/config.toml .envrc \\
        .vscode/tasks.json .idea/workspace.xml aenv.toml aenv.lock \\
        .aenv-version .gitmodules .env other
      do echo evil > $f; done`,
    );
    assert.deepEqual(changes, [
      ...["created .aenv-version", "created .claude"],
      ...["created .claude/settings.json", "created .codex"],
      ...["created .codex/config.toml", "created .env", "created .envrc"],
      ...["created .gitmodules", "created .idea"],
      ...["created .idea/workspace.xml", "created .mcp.json"],
      ...["created .vscode", "created .vscode/tasks.json"],
      ...["created aenv.lock", "created aenv.toml"],
    ]);
    await revertChanges(placeOf(world));
    assert.ok(!world.has("home/work/project/.claude"));
    assert.ok(world.has("home/work/project/other"));
  },
  'protect = [".env"]',
);

launchClaim(
  "protected directories that are there cannot be changed",
  async (world) => {
    // Guards against an agent that gives itself hooks, servers or tasks in the project it works on.
    for (const name of [".claude", ".codex", ".vscode", ".idea", "secret"]) {
      world.file(`home/work/project/${name}/file`, "{}\n");
    }
    world.own();
    const names = [".claude", ".codex", ".vscode", ".idea", "secret"];
    await world.refuses(
      Object.fromEntries(names.flatMap((name) => [
        [`write ${name}`, `echo x >> ${name}/file`],
        [`add ${name}`, `echo x > ${name}/settings.json`],
        [`move ${name}`, `mv ${name} x && mv x ${name}`],
        [`remove ${name}`, `rm -r ${name}`],
      ])),
    );
  },
  'protect = ["secret"]',
);

launchClaim(
  "without namespaces the same changes are found",
  async (world) => {
    // Guards against systems that give nobody a namespace (codex #15057, #17337, #18800): there nothing may be lost silently.
    world.file("home/work/project/.claude/settings.json", "{}\n");
    world.own();
    const changes = await changesBy(
      world,
      `echo evil > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout
      mv .claude old; mkdir .claude; echo evil > .claude/settings.json
      rm .git/hooks/pre-push.sample; ln -s /etc/hostname .mcp.json`,
      { noNamespaces: true },
    );
    assert.deepEqual(changes, [
      "content .claude/settings.json",
      "created .git/hooks/post-checkout",
      "created .mcp.json",
    ]);
  },
);

launchClaim(
  "hooks that were replaced by a link are found",
  async (world) => {
    // Guards against a link in the place of a protected directory, which a look through it would not notice.
    const changes = await changesBy(
      world,
      `cp -r .git/hooks mine; rm -r .git/hooks; ln -s ../mine .git/hooks`,
      { noNamespaces: true },
    );
    assert.ok(changes.includes("kind .git/hooks"), changes.join("\n"));
  },
);

launchClaim(
  "a repository that was made deeper in the project is found",
  async (world) => {
    // Guards against a hook or a task file in a subdirectory, where the user goes later.
    const changes = await changesBy(
      world,
      `git init -q deep/er; echo evil > deep/er/.git/hooks/pre-commit
      mkdir -p deep/.vscode; echo evil > deep/.vscode/tasks.json
      touch -d 2001-01-01 deep/.vscode/tasks.json deep/er/.git/hooks/*`,
    );
    assert.ok(changes.includes("nested deep/er/.git/hooks/pre-commit"));
    assert.ok(changes.includes("nested deep/.vscode/tasks.json"));
  },
);

launchClaim(
  "a name that is no text hides nothing",
  async (world) => {
    // Guards against names with bytes that most programs cannot show: left out of a listing, they were left out of the comparison.
    world.file("home/work/project/.claude/settings.json", "{}\n");
    world.own();
    const changes = await changesBy(
      world,
      `echo evil > .claude/$'\\xff'.md; mkdir -p deep/.vscode
      echo evil > deep/.vscode/$'\\xff'.json
      git init -q deep/$'\\xff'; echo evil > deep/$'\\xff'/.git/hooks/update`,
      { noNamespaces: true },
    );
    assert.deepEqual(changes, [
      "created .claude/\ufffd.md",
      "nested deep/.vscode/\ufffd.json",
      "nested deep/\ufffd",
    ]);
  },
);

launchClaim(
  "a worktree works, and cannot write the hooks of its repository",
  async (world) => {
    // Guards against nono #1270: git in a linked worktree needs the common directory, and with it came its hooks.
    const tree = `${world.home}/work/tree`;
    world.git(world.project, "worktree", "add", "-q", tree, "-b", "side");
    world.own();
    const cwd = tree;
    const done = await world.shell(
      `echo x > new && git add new && ${GIT} commit -qm second &&
      git log --format=%s -1 && git status --short`,
      { cwd },
    );
    assert.equal(done, "second");
    const common = `${world.project}/.git`;
    await world.refuses({
      hook: `echo evil > ${common}/hooks/post-checkout`,
      "hook by git": "cp file $(git rev-parse --git-path hooks)/update",
      "main working tree": `echo x > ${world.project}/file`,
      "beside it": `echo x > ${world.home}/work/beside`,
    }, { cwd });
  },
);

launchClaim("a worktree's pointers are watched", async (world) => {
  // Guards against a `.git` file or a commondir that leads the user's git to a repository with hooks of the agent's.
  const tree = `${world.home}/work/tree`;
  world.git(world.project, "worktree", "add", "-q", tree, "-b", "side");
  world.own();
  const changes = await changesBy(
    world,
    `d=$(git rev-parse --git-dir); echo ../../../evil > $d/commondir
    git init -q evil; echo "gitdir: $PWD/evil/.git" > .git`,
    { cwd: tree },
  );
  assert.ok(changes.includes(`content ${tree}/.git`), changes.join("\n"));
  assert.ok(changes.includes("content .git/worktrees/tree/commondir"));
});

launchClaim(
  "a pointer in a repository gives no repository outside",
  async (world) => {
    // Guards against a repository whose `.git` is a file that names another project's directory, to have it granted.
    const other = `${world.home}/work/other`;
    world.git(world.project, "init", "-q", other);
    const cwd = `${world.home}/work/evil`;
    world.file("home/work/evil/.git", `gitdir: ${other}/.git\n`);
    world.own();
    await world.refuses({
      read: `cat ${other}/.git/config`,
      config: `echo evil >> ${other}/.git/config`,
      hook: `echo evil > ${other}/.git/hooks/post-checkout`,
      object: `echo evil > ${other}/.git/objects/x`,
    }, { cwd });
    const { policy } = await world.plan({ cwd });
    assert.ok(policy.leftOut.some(({ path }) => path === `${cwd}/.git`));
  },
);

launchClaim("hooks of submodules and of hooksPath are held", async (world) => {
  // Guards against hooks in the other places that git runs them from.
  world.file("home/work/project/.githooks/pre-commit", "#!/bin/sh\n");
  world.git(world.project, "config", "core.hooksPath", ".githooks");
  const inner = ".git/modules/sub";
  world.git(world.project, "init", "-q", "--bare", inner);
  world.own();
  await world.refuses({
    hooksPath: "echo evil > .githooks/pre-push",
    "hooksPath in place": "echo evil >> .githooks/pre-commit",
    submodule: `echo evil > ${inner}/hooks/post-checkout`,
    "move the submodule": `mv ${inner} x && mv x ${inner}`,
  });
});

launchClaim("programs on PATH cannot be planted", async (world) => {
  // Guards against a git, node or claude of the agent's that stands before the real one the next time the user types it.
  const bin = `${world.project}/bin`;
  world.file("home/work/project/bin/tool", "#!/bin/sh\necho tool\n", 0o755);
  world.file("home/.local/bin/mine", "#!/bin/sh\necho mine\n", 0o755);
  world.own();
  const PATH = `${bin}:${world.home}/.local/bin:/usr/bin:/bin`;
  const variables = { PATH };
  const found = await world.shell("tool; mine", { variables });
  assert.equal(found, "tool\nmine");
  await world.refuses({
    "in the project": `echo x > ${bin}/git`,
    "over a tool": `echo x > ${bin}/tool`,
    "move away": `mv ${bin} x && mv x ${bin}`,
    "in HOME": "echo x > ~/.local/bin/claude",
    "shim": "mkdir -p ~/.aenv/shims",
  }, { variables });
});

launchClaim(
  "a directory of PATH that is made from inside is found",
  async (world) => {
    // Guards against CVE-2026-25725 on PATH: the directory was not there at the start, and so nobody watched it.
    const PATH = `${world.project}/tools/bin:/usr/bin:/bin`;
    const changes = await changesBy(
      world,
      "mkdir -p tools/bin; echo evil > tools/bin/git; chmod +x tools/bin/git",
      { variables: { PATH } },
    );
    assert.deepEqual(changes, ["created tools/bin", "created tools/bin/git"]);
  },
);

launchClaim(
  "a directory that the agent chooses widens nothing",
  async (world) => {
    // Guards against CVE-2025-59532: the directory that the model named for a command became a writable root.
    const other = world.file("home/work/other/file", "another project\n");
    world.file("home/work/project/sub/file", "");
    world.own();
    const [dir] = other.split("/file");
    await world.refuses({
      "write elsewhere": `cd ${dir} && echo x > file`,
      "make elsewhere": `cd ${world.home}/work && mkdir new`,
      "parent": "cd ../.. && echo x > beside",
      "subshell": `(cd / && cd ${dir} && echo x >> file)`,
    }, { cwd: `${world.project}/sub` });
    const found = await world.shell("echo x > ../inside && cat ../inside", {
      cwd: `${world.project}/sub`,
    });
    assert.equal(found, "x");
  },
);

launchClaim(
  "no launch takes a home, a root or a shared place for its project",
  async (world) => {
    // Guards against a launch from the wrong directory, which would grant all of it.
    const bad = [world.home, "/", "/tmp", "/etc", world.aenvHome, world.slot];
    for (const cwd of [...bad, `${world.home}/.ssh`, "/usr/lib"]) {
      await assert.rejects(world.plan({ cwd }), { code: "SANDBOX_REFUSED" });
    }
    const { policy } = await world.plan();
    const writable = policy.grants.filter(({ access }) => access === "write")
      .map(({ path }) => path);
    assert.ok(writable.includes(world.project as AbsPath));
  },
);
