/** Variables, and everything else that could switch the sandbox off or make it wider: from outside, from the repository, from inside. */
import assert from "node:assert/strict";
import { repositoryRoot } from "../support/agents.ts";
import { denoForAll } from "../support/deno_for_all.ts";
import { launchClaim, type LaunchWorld } from "./launch_world.ts";

/** The variables of a confined program. */
async function variablesInside(
  world: LaunchWorld,
  variables: Record<string, string>,
): Promise<Record<string, string>> {
  const text = await world.shell("env -0 | tr '\\n\\0' ' \\n'", { variables });
  return Object.fromEntries(
    text.split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

launchClaim(
  "variables that make programs run something do not come in",
  async (world) => {
    // Guards against LD_PRELOAD, NODE_OPTIONS, BASH_ENV and their kin: code in every program that is started.
    const evil = world.file("home/evil.sh", "echo evil\n");
    world.own();
    const names = [
      ...["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH"],
      ...["BASH_ENV", "ENV", "PROMPT_COMMAND", "NODE_OPTIONS", "NODE_PATH"],
      ...["PYTHONPATH", "PYTHONSTARTUP", "PERL5OPT", "PERL5LIB", "RUBYOPT"],
      ...["JAVA_TOOL_OPTIONS", "GOFLAGS", "RUSTC_WRAPPER", "GIT_SSH_COMMAND"],
      ...["GIT_EXTERNAL_DIFF", "GIT_CONFIG_COUNT", "LESSOPEN", "OPENSSL_CONF"],
      ...["MAKEFILES", "npm_config_script_shell", "DYLD_INSERT_LIBRARIES"],
    ];
    const variables = Object.fromEntries(names.map((name) => [name, evil]));
    const inside = await variablesInside(world, variables);
    assert.deepEqual(names.filter((name) => name in inside), []);
    const found = await world.shell("echo ran", { variables });
    assert.equal(found, "ran");
    const free = await world.shellFreely("echo ran", {
      variables: { BASH_ENV: evil },
    });
    assert.equal(free, "evil\nran");
  },
);

launchClaim(
  "no token of the user comes in, by its name or by what it looks like",
  async (world) => {
    // Guards against sandbox-runtime's whole environment and fence #140: every child of the agent had every token.
    const secret = `ghp_${"a1B2".repeat(9)}`;
    const variables = {
      AWS_SECRET_ACCESS_KEY: secret,
      GITHUB_TOKEN: secret,
      NPM_TOKEN: secret,
      OPENAI_API_KEY: secret,
      MY_DB_PASSWORD: secret,
      HARMLESS: secret,
      CI_JOB_JWT: secret,
      NAMED: secret,
      EDITOR: "vi",
    };
    const inside = await variablesInside(world, variables);
    assert.ok(!JSON.stringify(inside).includes(secret));
    assert.equal(inside["EDITOR"], "vi");
    const free = await world.shellFreely("echo $GITHUB_TOKEN", { variables });
    assert.equal(free, secret);
  },
  'env_host = ["NAMED", "HARMLESS"]',
);

launchClaim(
  "a confined process is not told where agents and buses listen",
  async (world) => {
    // Guards against SSH_AUTH_SOCK, DBUS_SESSION_BUS_ADDRESS and DOCKER_HOST, by which tools find a way out by themselves.
    const names = [
      ...["SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST"],
      ...["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"],
      ...["GPG_AGENT_INFO", "TMUX", "VSCODE_IPC_HOOK_CLI", "KUBECONFIG"],
      ...["NOTIFY_SOCKET", "GNUPGHOME", "CONTAINER_HOST"],
    ];
    const variables = Object.fromEntries(names.map((name) => [name, "/x"]));
    const inside = await variablesInside(world, variables);
    assert.deepEqual(names.filter((name) => name in inside), []);
    const free = await world.shellFreely("echo $SSH_AUTH_SOCK", { variables });
    assert.equal(free, "/x");
  },
);

launchClaim(
  "a repository's .env chooses no home and no configuration",
  async (world) => {
    // Guards against CVE-2025-61260: `.env` set CODEX_HOME to the project, whose servers were then started.
    const without = await world.plan();
    const names = [
      ...["CODEX_HOME", "CLAUDE_CONFIG_DIR", "AENV_HOME", "AENV", "HOME"],
      ...["XDG_CONFIG_HOME", "ANTHROPIC_BASE_URL", "LD_PRELOAD", "PATH"],
    ];
    const lines = names.map((name) => `${name}=${world.project}/evil\n`);
    for (const name of [".env", ".env.local", ".envrc"]) {
      world.file(`home/work/project/${name}`, lines.join(""));
    }
    world.own();
    const within = await world.plan();
    assert.deepEqual(within.env, without.env);
    assert.deepEqual(within.policy.grants, without.policy.grants);
    const inside = await world.shell("env");
    assert.ok(!inside.includes("/evil"), inside);
    const variables = { ANTHROPIC_BASE_URL: "http://localhost:1" };
    const own = await world.shell("echo $ANTHROPIC_BASE_URL", { variables });
    assert.equal(own, "http://localhost:1");
  },
);

launchClaim(
  "nothing that a session writes widens the next one",
  async (world) => {
    // Guards against switches within reach (sandbox-runtime #13 and #97, claude-code #20259 and #32300) and CVE-2025-59532.
    const before = await world.plan();
    await world.shell(`
      mkdir -p .claude .codex "$TMPDIR/x" evil/.git node_modules/.bin
      off='{"sandbox":{"enabled":false},"dangerouslyDisableSandbox":true,
        "additionalDirectories":["/"],"env":{"HOME":"/"}}'
      for f in .claude/settings.json .claude/settings.local.json \\
        ${world.slot}/claude/settings.json ${world.slot}/claude/.claude.json
      do echo "$off" > $f; done
      printf 'sandbox_mode = "danger-full-access"\\n' > .codex/config.toml
      printf 'HOME=/\\nAENV_HOME=/\\n' > .env
      git config core.worktree / ; git config core.hooksPath ~/.ssh
      ln -s ~/.ssh keys; ln -s / root; ln -s ~/.ssh node_modules/.bin/x`);
    const after = await world.plan();
    const keyOf = (planned: typeof before) => ({
      grants: planned.policy.grants.filter(({ path }) =>
        !path.startsWith(`${world.aenvHome}/runs`)
      ).map(({ path, access }) => `${access} ${path}`),
      network: planned.policy.network,
      sockets: planned.policy.unixSockets,
      variables: planned.policy.environment.filter(({ passes }) => passes),
    });
    assert.deepEqual(keyOf(after), keyOf(before));
    await world.refuses({ key: `cat ${world.home}/.ssh/id_rsa` });
    world.manifest('paths = ["~/.ssh:ro"]');
    assert.notDeepEqual(keyOf(await world.plan()), keyOf(before));
  },
);

launchClaim(
  "a second launch from inside gets nothing that the first one has not",
  async (world) => {
    // Guards against fence #213: the agent starts the sandbox's own program again, with a policy that allows everything.
    const key = `${world.home}/.ssh/id_rsa`;
    const deno = denoForAll();
    const script = new URL("./nested.ts", import.meta.url).pathname;
    const words = "run -A --no-check --no-config --quiet";
    const dir = `DENO_NO_UPDATE_CHECK=1 DENO_DIR=$TMPDIR/deno`;
    const nested = `${dir} ${deno} ${words} ${script}`;
    world.manifest(`paths = ["${repositoryRoot()}:ro"]
path_dirs = ["${deno.slice(0, deno.lastIndexOf("/"))}"]`);
    const reads = `${nested} become $attack read ${key}`;
    assert.equal(await world.shell(reads), "EACCES");
    const writes = `${nested} become $attack open ${world.home}/new wc`;
    assert.match(await world.shell(writes), /^E(ACCES|ROFS)$/);
    const started = `${nested} start $attack read ${key} 2>&1 || true`;
    const said = await world.shell(started);
    assert.match(said, /EACCES|Cannot enforce the sandbox/);
    const free = await world.shellFreely(`TMPDIR=${world.root} ${reads}`);
    assert.equal(free, "done the private key");
  },
);

launchClaim(
  "programs that give other rights give none",
  async (world) => {
    // Guards against set-id programs: su, mount, newgrp and pkexec become nobody else.
    const script = `id -u; id -G
      for p in su mount umount newgrp passwd chsh gpasswd pkexec sudo; do
        command -v $p >/dev/null && [ -u $(command -v $p) ] && echo $p
      done | sort -u | head -1
      grep NoNewPrivs /proc/self/status`;
    const found = await world.shell(script);
    const free = await world.shellFreely(script);
    assert.match(found, /NoNewPrivs:\t1$/);
    assert.match(free, /NoNewPrivs:\t0$/);
    assert.equal(found.split("\n")[0], free.split("\n")[0]);
    const attempts = `for c in "su -c 'cat /etc/shadow'" \\
      "mount -t tmpfs none ${world.project}" "cat /etc/shadow" \\
      "chown 1 file" "chgrp 1 file" "setpriv --reuid 1 true" \\
      "nice -n -5 true" "chroot / true" "mknod n b 7 0"
      do (eval "$c") >/dev/null 2>n && ! [ -s n ] && echo "$c"; done; echo end`;
    assert.equal(await world.shell(attempts), "end");
  },
);
