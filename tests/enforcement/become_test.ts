/** A launcher that becomes the confined program, with nothing left outside; and what it remembers of the launch before. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import { policyInput } from "../../src/launch/sandbox_input.ts";
import {
  makePolicy,
  readKernelFacts,
  rememberPolicy,
  type SandboxPolicy,
} from "../../src/sandbox/mod.ts";
import { waitFor } from "../support/process.ts";
import { denoForAll } from "../support/deno_for_all.ts";
import { launchClaim, LaunchWorld } from "./launch_world.ts";
import { Servers } from "./servers.ts";
import { claimAs } from "./world.ts";

/** The shell words that become what follows, confined by the policy of a launch. */
async function becoming(
  world: LaunchWorld,
  name: "become" | "watched" = "become",
): Promise<string> {
  const { policy } = await world.plan();
  const file = world.file("policy.json", JSON.stringify(policy));
  const script = new URL(`./${name}.ts`, import.meta.url).pathname;
  const cache = `DENO_NO_UPDATE_CHECK=1 DENO_DIR=${world.root}/cache`;
  const words = "run -A --no-check --no-config --quiet";
  world.own();
  return `${cache} ${denoForAll()} ${words} ${script} ${file}`;
}

launchClaim(
  "a launcher that became the program left nothing open",
  async (world) => {
    // Guards against files, sockets and directories that the launcher or its caller had open, and the program would inherit.
    const become = await becoming(world);
    const open = `exec 7<${world.home}/.ssh/id_rsa 8<${world.home}`;
    const found = await world.shellFreely(
      `${open}; exec env ${become} $attack descriptors`,
    );
    assert.equal(found, "done");
    const free = await world.shellFreely(`${open}; $attack descriptors`);
    assert.match(free, /^done.* 7 8\b/);
  },
);

launchClaim(
  "a launcher that became the program is held like a child",
  async (world) => {
    // Guards against the two ways of starting having two sets of rules: this one has no supervisor.
    using servers = new Servers();
    const docker = servers.unix(`${world.home}/docker.sock`, "docker");
    world.own();
    const become = await becoming(world);
    const lines = [
      ...["read ~/.ssh/id_rsa", "open ~/.bashrc w", "truncate ~/.bashrc"],
      ...[`connect-unix ${docker}`, "unshare 0x10000000", "list ~"],
      ...["call 425 4 m:120", `open ~/.aenv/envs/e/aenv.toml w`],
      ...["kill $$ 0", "read /proc/$$/environ"],
    ];
    const script = lines.map((line) => `$attack ${line}`).join("\n");
    const program = world.file(
      "home/work/project/try.sh",
      `${script}\n`,
      0o755,
    );
    const found = await world.shellFreely(
      `exec env ${become} /usr/bin/bash ${program}`,
    );
    const answers = found.split("\n");
    assert.equal(answers.length, lines.length);
    // The last two ask about the program itself.
    for (const [i, answer] of answers.slice(0, -2).entries()) {
      assert.match(answer, /^E(ACCES|PERM)$/, lines[i]);
    }
    assert.equal(answers.at(-2), "done");
    const free = await world.shellFreely(`bash ${program}`);
    assert.ok(!free.includes("EACCES"), free);
  },
);

launchClaim(
  "who waits for the end of a session is out of its reach",
  async (world) => {
    // Guards against a session that ends, stops, reads or becomes the process that will look at what it did.
    const become = await becoming(world, "watched");
    const end = `${world.root}/end`;
    const proc = "/proc/$WATCHER";
    const prlimit = Deno.build.arch === "aarch64" ? "261" : "302";
    const RLIMIT_CORE = "4";
    const lines = [
      ...["9", "15", "19", "1"].map((signal) => `kill $WATCHER ${signal}`),
      ...["tgkill", "tkill", "queue", "pidfd-signal"].map((call) =>
        `${call} $WATCHER 9`
      ),
      ...["ptrace $WATCHER", `read-memory $WATCHER 0x1000`],
      ...[`open ${proc}/mem rw`, `read ${proc}/environ`, `read ${proc}/maps`],
      ...[`open ${proc}/fd/0 r`, `list ${proc}/root`, `list ${proc}/cwd`],
      `call ${prlimit} $WATCHER ${RLIMIT_CORE} m:16 0`,
    ];
    const script = [
      ...lines.map((line) => `$attack ${line}`),
      `cat ${proc}/comm`,
      // What it holds open is open nowhere inside.
      "$attack descriptors",
    ].join("\n");
    const program = world.file(
      "home/work/project/try.sh",
      `${script}\n`,
      0o755,
    );
    const found = await world.shellFreely(
      `exec env ${become} ${end} /usr/bin/bash ${program}`,
    );
    const answers = found.split("\n");
    assert.deepEqual(answers.splice(-2), ["aenv-watch", "done"], found);
    assert.equal(answers.length, lines.length, found);
    for (const [i, answer] of answers.entries()) {
      assert.match(answer, /^E(ACCES|PERM)$/, lines[i]);
    }
    await waitFor("the end", () => world.read("end") !== "" || undefined);
    assert.equal(world.read("end"), "ended\n");
  },
);

/** The policy of a launch, made anew and as a launch that remembers would have it. */
async function bothPolicies(
  world: LaunchWorld,
): Promise<{ fresh: SandboxPolicy; kept: SandboxPolicy }> {
  const PATH = `${world.project}/tools/bin:/usr/bin:/bin`;
  const { request, host, dirs } = world.request({ variables: { PATH } });
  const { input } = policyInput(request, { host, os: "linux", dirs });
  const place = {
    dir: `${world.slot}/sandbox` as AbsPath,
    runDir: input.tmpDir.replace(/\/tmp$/, "") as AbsPath,
    self: host.self,
    kernel: { ...readKernelFacts(), uid: Deno.uid() ?? 0 },
  };
  const { policy: kept } = await makePolicy(input, place);
  rememberPolicy(kept);
  return { fresh: (await makePolicy(input)).policy, kept };
}

/** What a session, or somebody beside it, may change before the next launch. */
const CHANGES = [
  "mkdir .vscode",
  "git init -q nested",
  "mkdir -p .husky && git config core.hooksPath .husky",
  "mkdir -p .git/worktrees/w && echo x > .git/worktrees/w/commondir",
  "ln -s ~/.ssh .codex",
  "mkdir -p tools/bin",
  "cd ~/data && mv sub old && mkdir sub && echo x > sub/.envrc",
];

/** A file that changed less than this long ago may change again and look the same: nothing is kept of it. Milliseconds. */
const SETTLED = 2100;

claimAs(
  "a remembered policy is not used when what it rests on has changed",
  async (user) => {
    // Guards against a session that changes the ground under the next one: a policy of yesterday would protect and grant what was.
    using stack = new DisposableStack();
    const worlds: LaunchWorld[] = [];
    for (const _ of CHANGES) {
      const world = stack.use(await LaunchWorld.make(user));
      world.file("home/data/sub/file", "x\n");
      world.manifest('paths = ["~/data/sub:rw", "~/data:rw"]');
      await bothPolicies(world);
      world.own();
      worlds.push(world);
    }
    const made = Date.now();
    await waitFor("old files", () => Date.now() > made + SETTLED || undefined);
    for (const [i, world] of worlds.entries()) {
      const change = CHANGES[i]!;
      const before = await bothPolicies(world);
      assert.deepEqual(before.kept, before.fresh);
      assert.ok(world.has("home/.aenv/envs/e/sandbox"), "nothing is kept");
      await world.shellFreely(change);
      const after = await bothPolicies(world);
      assert.deepEqual(after.kept, after.fresh, change);
      const [now, then] = [after, before].map(({ fresh }) => fresh.protected);
      assert.notDeepEqual(now, then, change);
    }
  },
);
