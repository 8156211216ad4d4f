import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { type OpenEnv, openEnv } from "../env/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import { readMarks, writeMarks } from "../trust/mod.ts";
import { planContents } from "./contents.ts";
import { grantTrust, requireTrust, viewTrust } from "./trust.ts";
import { checkCopy, LaunchTrust, rememberMarks } from "./trust_check.ts";
import { asksForTrust } from "./trust_needed.ts";
import { statementOf } from "./trust_statement.ts";
import { copyTree, readTree, scanTree } from "./tree.ts";

const SKILL = `[[skills.enabled]]
name = "s"
source = "./s"
`;

/** A project with a manifest beyond its name, and a skill `s`. */
function project(world: EnvWorld, rest: string): void {
  world.write("p/aenv.toml", `[env]\nname = "p"\n${rest}`);
  world.write("p/s/SKILL.md", "be nice\n");
}

function open(world: EnvWorld): OpenEnv {
  const ref = { kind: "project", manifest: world.path("p/aenv.toml") } as const;
  return openEnv(ref, world.host(), world.dirs) as OpenEnv;
}

function place(world: EnvWorld) {
  return { host: world.host(), dirs: world.dirs };
}

async function trust(world: EnvWorld): Promise<void> {
  await grantTrust(viewTrust(open(world), place(world)), place(world));
}

/** One line of a manifest each, and whether it has to be trusted. */
const ASKING: readonly (readonly [string, boolean])[] = [
  ["", false],
  ['description = "x"\nisolation = "overlay"\nxdg = "private"', false],
  ["[vars]", false],
  ['[vars]\nA = "1"', true],
  ['[mcp.a]\ncommand = "x"', true],
  ['[mcp.a]\nurl = "https://x.example"', true],
  ['[[plugins.enabled]]\nname = "a"\nsource = "./a"', true],
  ['[[skills.enabled]]\nname = "a"\nsource = "./a"', true],
  ["[secrets.A]", true],
  ['[secrets]\nexpose = "env"', true],
  ['[secrets]\ncommand = "x"', true],
  ['[secrets.a]\ncommand = "x"', true],
  ['[hooks]\npre_activate = ""', false],
  ['[hooks]\npre_activate = "x"', true],
  ["[sandbox]\nenabled = true", false],
  ['[sandbox]\nenabled = true\nnetwork = "none"\nprotect = ["x"]', false],
  ["[sandbox]\nenabled = false", true],
  ['[sandbox]\nenabled = true\npaths = ["~/x:ro"]', true],
  ['[sandbox]\nenabled = true\nenv_host = ["A"]', true],
  ['[sandbox]\nenabled = true\npath_dirs = ["~/b"]', true],
  ['[sandbox]\nenabled = true\ncache_dirs = ["~/c"]', true],
  ['[sandbox]\nenabled = true\nunix_sockets = ["$SSH_AUTH_SOCK"]', true],
  [
    '[sandbox]\nenabled = true\nnetwork = { mode = "hosts", allow = ["x"] }',
    true,
  ],
];

Deno.test("asksForTrust() is true of all that runs or widens, and then something is shown", () => {
  for (const [lines, asks] of ASKING) {
    const manifest = parseManifest(`[env]\nname = "p"\n${lines}`, "aenv.toml");
    strictEqual(asksForTrust(manifest), asks, lines);
    const env = { manifest } as unknown as OpenEnv;
    strictEqual(statementOf(env, []).length > 0, asks, lines);
  }
});

Deno.test("statementOf() shows what a server's own sandbox gives, and what a socket gives away", () => {
  const manifest = parseManifest(
    `[env]
name = "p"
[sandbox]
enabled = true
unix_sockets = ["/run/docker.sock"]
[mcp.a]
command = "x"
[mcp.a.sandbox]
project = "none"
network = "open"
paths = ["~/d:rw"]
`,
    "aenv.toml",
  );
  const items = statementOf({ manifest } as unknown as OpenEnv, []);
  const lines = items.flatMap((item) => item.lines);
  deepStrictEqual(lines, [
    "runs: x",
    "its sandbox: may not read the project",
    "its sandbox: network: open",
    "its sandbox: reads and writes ~/d",
    "connects to the socket /run/docker.sock: whoever reaches it controls this machine: it starts programs outside of the sandbox, with any file of it",
    "network: open",
  ]);
});

Deno.test("viewTrust() goes from needed to trusted to changed and back", async () => {
  using world = new EnvWorld();
  project(world, SKILL);
  const state = () => viewTrust(open(world), place(world)).state;
  strictEqual(state(), "needed");
  await trust(world);
  strictEqual(state(), "trusted");
  world.write("p/s/SKILL.md", "be evil\n");
  strictEqual(state(), "changed");
  world.write("p/s/SKILL.md", "be nice\n");
  strictEqual(state(), "trusted");
  world.chmod("p/s/SKILL.md", 0o700);
  strictEqual(state(), "changed");
});

Deno.test("grantTrust() records what was shown, not what the files have become since", async () => {
  using world = new EnvWorld();
  project(world, SKILL);
  const view = viewTrust(open(world), place(world));
  world.write("p/s/SKILL.md", "be evil\n");
  world.write("p/aenv.toml", `[env]\nname = "p"\n${SKILL}# more\n`);
  await grantTrust(view, place(world));
  throws(() => requireTrust(open(world), place(world)), {
    code: "TRUST_NEEDED",
    message: /the manifest and skill s changed|the manifest changed/,
  });
  const now = viewTrust(open(world), place(world));
  deepStrictEqual(now.differences.map(({ title }) => title), [
    "aenv.toml",
    "files of skill s",
  ]);
});

Deno.test("a launch takes the content hash from the marks only while the tree looks the same", async () => {
  using world = new EnvWorld();
  project(world, SKILL);
  await trust(world);
  const env = open(world);
  const plan = () => {
    const launch = LaunchTrust.of(env, place(world))!;
    const { installs } = planContents(env, world, {
      hashOf: (tree) => launch.hashOf(tree),
    });
    launch.checkTrees(installs);
    return installs;
  };
  const installs = plan();
  rememberMarks(env, installs, world.dirs);
  const marks = readMarks(world.dirs, env.manifestPath);
  deepStrictEqual(Object.values(marks), [installs[0]!.content!.hash]);
  deepStrictEqual(plan(), installs);
  // What the marks say counts: this one is wrong, and the tree is not read.
  const [mark] = Object.keys(marks);
  writeMarks(world.dirs, env.manifestPath, { [mark!]: "wrong" });
  throws(plan, { code: "TRUST_NEEDED", message: /skill s changed/ });
  // Touched: the marks no longer apply, and what it holds is what was trusted.
  world.write("p/s/SKILL.md", "be nice\n");
  strictEqual(plan()[0]!.content!.hash, installs[0]!.content!.hash);
});

Deno.test("checkCopy() refuses a copy of anything else than what was trusted", async () => {
  using world = new EnvWorld();
  project(world, SKILL);
  await trust(world);
  const env = open(world);
  const { installs: [step] } = planContents(env, world, {
    hashOf: (tree) => readTree(tree.source, tree.entries).hash,
  });
  const good = { ...step!, target: world.path("good") };
  copyTree(step!.source, good.target, scanTree(step!.source));
  checkCopy(good, env);
  // Changed between the check and the copy, and changed back after it.
  world.write("p/s/SKILL.md", "be evil\n");
  const bad = { ...step!, target: world.path("bad") };
  copyTree(step!.source, bad.target, scanTree(step!.source));
  throws(() => checkCopy(bad, env), { code: "TRUST_NEEDED", exitCode: 3 });
  world.write("p/s/SKILL.md", "be nice\n");
  throws(() => checkCopy(bad, env), { code: "TRUST_NEEDED" });
  // Even a good copy, when the source was touched: its servers may have been read in between.
  throws(() => checkCopy(good, env), { code: "TRUST_NEEDED" });
});

Deno.test("readTree() hashes differ with everything that a copy keeps", () => {
  using world = new EnvWorld();
  const root = world.path("t");
  world.write("t/a", "1");
  const seen = new Set<string>();
  const look = () => {
    const { hash } = readTree(root, scanTree(root));
    strictEqual(seen.has(hash), false);
    seen.add(hash);
  };
  look();
  world.write("t/a", "2");
  look();
  world.chmod("t/a", 0o755);
  look();
  world.write("t/d/b", "");
  look();
  world.remove("t/d/b");
  look();
  world.remove("t/d");
  world.link("t/d", "a");
  look();
  world.remove("t/d");
  world.write("t/d", "a");
  look();
});
