/** `add`, `install`, `update` and `lock` with the servers that plugins really come from. */

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { AbsPath } from "../../src/base/paths.ts";
import { hashTree } from "../../src/store/mod.ts";
import { tarOf } from "../support/sources/tar_bytes.ts";
import { zipOf } from "../support/sources/zip_bytes.ts";
import { plugin, RegistryWorld, Servers, skill } from "./registry_world.ts";

type Check = (world: RegistryWorld) => Promise<void>;

async function withServers(t: Deno.TestContext): Promise<void> {
  await using servers = await Servers.start();
  for (const [name, check] of Object.entries(CHECKS)) {
    await t.step(name, async () => {
      using world = await RegistryWorld.open(servers);
      await check(world);
    });
  }
}

/** The files as an archive's entries. */
function partsOf(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([name, content]) => ({ name, content }));
}

function tgz(files: Readonly<Record<string, string>>): Uint8Array {
  return new Uint8Array(gzipSync(tarOf(partsOf(files))));
}

/** Installs on a machine that has nothing yet, from the lock alone, and checks that it gets just what the lock pins. */
async function installElsewhere(
  world: RegistryWorld,
  name = "elsewhere",
): Promise<void> {
  const machine = world.machine(name);
  world.login(machine);
  const before = world.files();
  await world.must(["install", "--frozen"], { machine });
  assert.deepEqual(world.files(), before);
  for (const [item, { tree }] of Object.entries(world.pins())) {
    const dir = `${machine.root}/store/objects/${tree.slice(0, 2)}/${tree}`;
    assert.ok(Deno.statSync(`${dir}/tree`).isDirectory, item);
  }
}

const CHECKS: Readonly<Record<string, Check>> = {
  async "plain, scoped and private packages are pinned to a version and its hash, and installed again by that alone"(
    world,
  ) {
    const { registry } = world.servers;
    await registry.publish("kit", "1.0.0");
    await registry.publish("kit", "1.1.0");
    await registry.publish("@acme/kit", "0.1.0");
    await registry.publish("@private/kit", "3.0.0", {
      files: plugin("private-kit"),
    });
    await world.must(["add", "skill", "kit", "--source", "npm:kit@1.0"]);
    await world.must(["add", "skill", "acme", "--source", "npm:@acme/kit"]);
    const source = ["--source", "npm:@private/kit@^3"];
    await world.must(["add", "plugin", "private-kit", ...source]);
    const pins = world.pins();
    assert.match(pins["kit"]!.pin, /^npm:kit@1\.0\.0 integrity=sha512-\S+$/);
    assert.match(pins["acme"]!.pin, /^npm:@acme\/kit@0\.1\.0 integrity=/);
    assert.match(pins["private-kit"]!.pin, /^npm:@private\/kit@3\.0\.0 /);
    await registry.publish("@acme/kit", "0.2.0");
    await world.must(["install"]);
    await world.must(["lock", "--check"]);
    await installElsewhere(world);
    assert.deepEqual(world.pins(), pins);
    await world.must(["update"]);
    assert.match(world.pins()["acme"]!.pin, /@0\.2\.0 /);
    assert.deepEqual(world.pins()["kit"], pins["kit"]);
  },

  async "a login is used and kept nowhere: not in the lock, the output, the store or the history"(
    world,
  ) {
    const { registry, web } = world.servers;
    await registry.publish("@private/safe", "1.0.0");
    const repository = await world.servers.repository("private/safe.git");
    await repository.commit(skill("safe"));
    const [user, password] = web.login.split(":");
    Deno.writeTextFileSync(
      `${world.here.home}/.gitconfig`,
      `[credential]\n  helper = "!f() { echo username=${user}; echo password=${password}; }; f"\n`,
    );
    const git = `git+${web.url}/git/private/safe.git`;
    await world.must(["add", "skill", "one", "--source", "npm:@private/safe"]);
    await world.must(["add", "skill", "two", "--source", git]);
    await world.must(["install", "--json"]);
    await world.must(["history", "--json"]);
    await world.must(["update"]);
    await world.aenv(["add", "skill", "three", "--source", "npm:@private/no"]);
    const secrets = [registry.token, password!, btoa(web.login)];
    let read = 0;
    for (const [where, text] of world.everything()) {
      for (const secret of secrets) assert.ok(!text.includes(secret), where);
      read++;
    }
    assert.ok(read > 30, `${read} texts`);
  },

  async "without a login a private package is refused with the command to type, and nothing changes"(
    world,
  ) {
    await world.servers.registry.publish("@private/closed", "1.0.0");
    const source = ["--source", "npm:@private/closed"];
    await world.must(["add", "skill", "closed", ...source]);
    const machine = world.machine("stranger");
    const message = /closed.*\n.*npm login --registry/;
    await world.refused(["install", "--frozen"], message, { machine: machine });
    await world.refused(["update", "closed"], message, { machine: machine });
  },

  async "a package that was taken back still installs where the store has it, and is named where it has not"(
    world,
  ) {
    const { registry } = world.servers;
    await registry.publish("yanked", "1.0.0");
    await registry.publish("yanked", "1.0.1");
    await world.must(["add", "skill", "yanked", "--source", "npm:yanked"]);
    await registry.npm(["unpublish", "yanked@1.0.1", "--force"]);
    await world.must(["install", "--frozen"]);
    const cold = world.machine("cold");
    await world.refused(["install", "--frozen"], /yanked@1\.0\.1/, {
      machine: cold,
    });
    await registry.npm(["unpublish", "yanked", "--force"]);
    await world.must(["install", "--frozen"]);
    await world.refused(["update", "yanked"], /yanked/);
  },

  async "a version with other contents than were pinned is refused with both hashes, and nothing changes"(
    world,
  ) {
    const { registry } = world.servers;
    await registry.publish("swapped", "1.0.0");
    await world.must(["add", "skill", "swapped", "--source", "npm:swapped"]);
    const [, first] = /integrity=(\S+)/.exec(world.pins()["swapped"]!.pin)!;
    await registry.npm(["unpublish", "swapped", "--force"]);
    await registry.publish("swapped", "1.0.0", { files: skill("EVIL") });
    await world.must(["install"]);
    const cold = world.machine("cold");
    const words = await world.refused(
      ["install"],
      /swapped@1\.0\.0.*sha512-.*sha512-/s,
      { machine: cold },
    );
    assert.ok(words.includes(first!), words);
  },

  async "a repository over https and one on this machine are pinned to commits, whatever moves"(
    world,
  ) {
    const { web } = world.servers;
    const repository = await world.servers.repository("moving.git");
    const both = { ...plugin("moving"), ...skill("tagged") };
    const first = await repository.commit(both, { tag: "v1" });
    const where = {
      moving: `git+${web.url}/git/moving.git#main`,
      tagged: `git+file://${repository.path}#v1`,
    };
    await world.must(["add", "plugin", "moving", "--source", where.moving]);
    await world.must(["add", "skill", "tagged", "--source", where.tagged]);
    const pins = world.pins();
    for (const { pin } of Object.values(pins)) assert.ok(pin.includes(first));
    await repository.commit(plugin("moving", "second"));
    await repository.git(["tag", "-f", "-a", "-m", "x", "v1"]);
    await repository.git(["push", "-qf", "--tags", "origin"]);
    await world.must(["install"]);
    await installElsewhere(world);
    assert.deepEqual(world.pins(), pins);
    await world.must(["update", "moving"]);
    assert.notEqual(world.pins()["moving"]!.tree, pins["moving"]!.tree);
    assert.deepEqual(world.pins()["tagged"], pins["tagged"]);
  },

  async "a repository that is gone still installs where the store has its commit, and is named where it has not"(
    world,
  ) {
    const { web } = world.servers;
    const repository = await world.servers.repository("leaving.git");
    await repository.commit(plugin("leaving"));
    const source = ["--source", `git+${web.url}/git/leaving.git`];
    await world.must(["add", "plugin", "leaving", ...source]);
    Deno.removeSync(repository.path, { recursive: true });
    await world.must(["install", "--frozen"]);
    await world.must(["install"]);
    const cold = world.machine("cold");
    await world.refused(["install", "--frozen"], /leaving\.git/, {
      machine: cold,
    });
    await world.refused(["update"], /leaving\.git/);
  },

  async "archives are pinned by their hash; another file at the address is refused with both hashes"(
    world,
  ) {
    const { web } = world.servers;
    // Flat, and wrapped in one directory.
    web.serve("/flat.tar.gz", tgz({ ...skill("flat"), "scripts/x.sh": "x" }));
    const wrapped = Object.entries(plugin("wrapped"))
      .map(([name, content]) => ({ name: `wrapped-1.0/${name}`, content }));
    web.serve("/wrapped.zip", zipOf(wrapped));
    const flat = ["--source", `${web.url}/flat.tar.gz`];
    const zip = ["--source", `${web.url}/wrapped.zip`];
    await world.must(["add", "skill", "flat", ...flat]);
    await world.must(["add", "plugin", "wrapped", ...zip]);
    await installElsewhere(world);
    const [, pinned] = /sha256[-=:]([0-9a-f]{64})/.exec(
      world.pins()["flat"]!.pin,
    )!;
    web.serve("/flat.tar.gz", tgz(skill("EVIL")));
    await world.must(["install"]);
    const cold = world.machine("cold");
    const words = await world.refused(
      ["install"],
      /flat\.tar\.gz.*[0-9a-f]{64}.*[0-9a-f]{64}/s,
      { machine: cold },
    );
    assert.ok(words.includes(pinned!), words);
    web.answers.delete("/flat.tar.gz");
    await world.must(["install", "--frozen"]);
  },

  async "plugins of a marketplace come from every kind of source, and are the same on a machine that has nothing"(
    world,
  ) {
    const names = await publishMarket(world);
    const [first, ...others] = names;
    await world.must(["add", "plugin", `${first}@acme/plugins`]);
    const entries = others.map((name) =>
      `\n[[plugins.enabled]]\nname = "${name}"\nsource = "${name}@acme/plugins"\n`
    );
    const manifest = `${world.project}/aenv.toml`;
    Deno.writeTextFileSync(manifest, entries.join(""), { append: true });
    await world.must(["install"]);
    await world.must(["lock", "--check"]);
    await installElsewhere(world);
    await world.must(["trust", "--yes"]);
    const plan = JSON.parse(await world.must(["run", "--explain", "--json"]));
    for (const name of names) {
      assert.ok(JSON.stringify(plan).includes(`/${name}"`), name);
    }
    const pins = world.pins();
    await changeMarket(world);
    await world.must(["install"]);
    await installElsewhere(world, "later");
    assert.deepEqual(world.pins(), pins);
    await world.must(["update", "inside", "url"]);
    const moved = Object.entries(world.pins())
      .filter(([name, { tree }]) => tree !== pins[name]!.tree);
    assert.deepEqual(moved.map(([name]) => name).sort(), ["inside", "url"]);
  },

  async "a marketplace that is gone still installs where the store has its plugins"(
    world,
  ) {
    const { web } = world.servers;
    const market = await world.servers.repository("short.git");
    await market.commit({
      ".claude-plugin/marketplace.json": JSON.stringify({
        name: "short",
        owner: { name: "x" },
        plugins: [{ name: "lived", source: "./lived" }],
      }),
      ...below("lived", plugin("lived")),
    });
    const source = `lived@${web.url}/git/short.git`;
    await world.must(["add", "plugin", source]);
    Deno.removeSync(market.path, { recursive: true });
    await world.must(["install", "--frozen"]);
    await world.must(["rm", "plugin", "lived"]);
    await world.must(["rollback"]);
    await world.must(["install"]);
  },

  async "running twice prints the same, writes the same bytes, and leaves git nothing to commit"(
    world,
  ) {
    const { registry, web } = world.servers;
    await registry.publish("twice", "1.0.0");
    const repository = await world.servers.repository("twice.git");
    await repository.commit(skill("twice"));
    const git = `git+${web.url}/git/twice.git`;
    await world.must(["add", "skill", "one", "--source", "npm:twice@^1"]);
    await world.must(["add", "skill", "two", "--source", git]);
    await world.commit();
    for (const args of [["install"], ["install", "--frozen"], ["lock"]]) {
      const first = await world.must(args);
      assert.equal(await world.must(args), first);
    }
    await world.must(["update"]);
    assert.equal(await world.must(["update"]), await world.must(["update"]));
    assert.equal(await world.git("status", "--porcelain"), "");
    await world.must(["trust", "--yes"]);
    await world.must(["run", "--explain"]);
    assert.equal(await world.git("status", "--porcelain"), "");
    const cold = world.machine("cold");
    await world.must(["install"], { machine: cold });
    assert.equal(await world.git("status", "--porcelain"), "");
    // From a directory below it is the same project.
    Deno.mkdirSync(`${world.project}/sub`);
    await world.must(["install"], { cwd: `${world.project}/sub` });
    assert.equal(await world.git("status", "--porcelain"), "");
  },

  async "a machine that has nothing gets the pinned trees when frozen, and then needs no network"(
    world,
  ) {
    const { registry, web } = world.servers;
    await registry.publish("cold", "1.0.0");
    const repository = await world.servers.repository("cold.git");
    await repository.commit(plugin("far"));
    web.serve("/cold.tar.gz", tgz(skill("cold")));
    for (
      const [kind, name, source] of [
        ["skill", "one", "npm:cold"],
        ["plugin", "far", `git+${web.url}/git/cold.git`],
        ["skill", "two", `${web.url}/cold.tar.gz`],
      ] as const
    ) await world.must(["add", kind, name, "--source", source]);
    await world.commit();
    const machine = world.machine("cold");
    const offline = { machine, offline: true };
    await world.refused(["install", "--frozen"], /Cannot/, offline);
    await world.must(["install", "--frozen"], { machine });
    const trees = treesOf(world, machine.root);
    assert.deepEqual(
      trees,
      Object.fromEntries(
        Object.entries(world.pins()).map(([name, { tree }]) => [name, tree]),
      ),
    );
    for (const args of [["install", "--frozen"], ["install"], ["lock"]]) {
      await world.must(args, offline);
    }
    await world.must(["trust", "--yes"], offline);
    await world.must(["run", "--explain"], offline);
    await world.refused(["update"], /Cannot/, offline);
    assert.equal(await world.git("status", "--porcelain"), "");
    // What is about something else asks no server about these, whether the store has them or not.
    Deno.mkdirSync(`${world.project}/here`);
    Deno.writeTextFileSync(`${world.project}/here/SKILL.md`, "# here");
    for (const machine of [offline.machine, world.machine("colder")]) {
      const call = { machine, offline: true };
      await world.must(["add", "skill", "here", "--source", "./here"], call);
      await world.must(["update", "here"], call);
      await world.must(["lock", "--check"], call);
      await world.must(["rm", "skill", "here"], call);
    }
    await world.must(["rm", "skill", "one"], offline);
    await world.must(["install", "--frozen"], offline);
    await world.must(["sync"], offline);
  },

  async "a lock in which a hash was edited is refused with both hashes where the files have to be fetched"(
    world,
  ) {
    const { registry } = world.servers;
    await registry.publish("edited", "1.0.0");
    await world.must(["add", "skill", "edited", "--source", "npm:edited"]);
    const { lock } = world.files();
    const right = /tree = "(sha256-[0-9a-f]{64})"/.exec(lock)![1]!;
    const wrong = `sha256-${"0".repeat(64)}`;
    const path = `${world.project}/aenv.lock`;
    Deno.writeTextFileSync(path, lock.replace(right, wrong));
    for (const args of [["install"], ["install", "--frozen"]]) {
      const words = await world.refused(args, /edited/);
      assert.ok(words.includes(right) && words.includes(wrong), words);
    }
  },
};

/** Hashes of what a machine's store has for each item, by its files. */
function treesOf(world: RegistryWorld, root: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(world.pins()).map(([name, { tree }]) => [
      name,
      hashTree(
        `${root}/store/objects/${tree.slice(0, 2)}/${tree}/tree` as AbsPath,
      ),
    ]),
  );
}

function below(
  path: string,
  files: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`${path}/${name}`, text]),
  );
}

/** A marketplace `acme/plugins` with a plugin of every kind of source; returns their names. */
async function publishMarket(world: RegistryWorld): Promise<string[]> {
  const { servers, servers: { web, registry } } = world;
  const shas: Record<string, string> = {};
  for (const name of ["hub", "url", "git", "sha", "deep"]) {
    const repository = await servers.repository(`${name}.git`);
    const files = name === "deep"
      ? below("tools/deep", plugin(name))
      : plugin(name);
    shas[name] = await repository.commit(files, { tag: "v1" });
    // Whoever is pinned to v1 does not get this.
    if (name !== "url") await repository.commit({ "commands/later.md": "x" });
  }
  await registry.publish("packed", "1.1.0", { files: plugin("packed") });
  web.serve("/archived.zip", zipOf(partsOf(plugin("archived"))));
  const at = (name: string) => `${web.url}/git/${name}.git`;
  const sources: Record<string, unknown> = {
    inside: "./plugins/inside",
    rooted: "rooted",
    hub: { source: "github", repo: "acme/hub", ref: "v1" },
    url: { source: "url", url: at("url") },
    git: { source: "git", url: at("git"), ref: "v1" },
    sha: { source: "url", url: at("sha"), ref: "main", sha: shas["sha"] },
    deep: { source: "git-subdir", url: at("deep"), path: "tools/deep" },
    packed: { source: "npm", package: "packed", version: "^1.0.0" },
    archived: { source: "archive", url: `${web.url}/archived.zip` },
  };
  const plugins = [
    ...Object.entries(sources).map(([name, source]) => ({ name, source })),
    {
      name: "loose",
      source: "./loose",
      strict: false,
      commands: ["./prompts/one.md"],
    },
    { name: "shared", source: "./", strict: false, skills: ["./skills/a"] },
  ];
  const market = await servers.repository("plugins.git");
  const catalog = {
    name: "acme",
    owner: { name: "Acme" },
    metadata: { pluginRoot: "./plugins" },
    plugins,
  };
  await market.commit({
    ".claude-plugin/marketplace.json": JSON.stringify(catalog),
    ...below("plugins/inside", plugin("inside")),
    ...below("plugins/rooted", plugin("rooted")),
    "loose/prompts/one.md": "one",
    ...below("skills/a", skill("a")),
  });
  return plugins.map(({ name }) => name);
}

/** The marketplace, one of its own plugins and one in another repository move on. */
async function changeMarket({ servers }: RegistryWorld): Promise<void> {
  const path = servers.web.repositories;
  for (
    const [repository, file] of [
      ["plugins", "plugins/inside/commands/hello.md"],
      ["url", "commands/hello.md"],
    ] as const
  ) {
    const work = `${path}/${repository}.git.work`;
    Deno.writeTextFileSync(`${work}/${file}`, "changed");
    const script = "git add -A && git commit -qm x && git push -q origin main";
    const { success, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: work,
      env: {
        GIT_AUTHOR_NAME: "A",
        GIT_AUTHOR_EMAIL: "a@example.invalid",
        GIT_COMMITTER_NAME: "A",
        GIT_COMMITTER_EMAIL: "a@example.invalid",
      },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  }
}

Deno.test("add, install, update and lock with real servers", withServers);
