/** What there is beyond the lock, asked of the servers that plugins really come from; and whose settings count for that. */

import assert from "node:assert/strict";
import { aenvBinary } from "../support/aenv.ts";
import { type Finished, run } from "../support/process.ts";
import { plugin, RegistryWorld, Servers, skill } from "./registry_world.ts";

type Check = (world: RegistryWorld) => Promise<void>;

interface Row {
  readonly name: string;
  readonly state: string;
  readonly current: string | null;
  readonly wanted: string | null;
  readonly newest: string | null;
  readonly problem: { readonly code: string } | null;
}

async function outdated(
  world: RegistryWorld,
  options: { offline?: boolean } = {},
): Promise<Record<string, Row>> {
  const rows: Row[] = JSON.parse(
    await world.must(["outdated", "--json"], options),
  );
  return Object.fromEntries(rows.map((row) => [row.name, row]));
}

const CHECKS: Readonly<Record<string, Check>> = {
  async "a package's version within its range, and the newest one"(world) {
    const { registry } = world.servers;
    await registry.publish("kit", "1.0.0");
    await world.must(["add", "skill", "kit", "--source", "npm:kit@^1"]);
    const before = world.files();
    const fresh = (await outdated(world))["kit"]!;
    assert.deepEqual([fresh.state, fresh.current], ["current", "1.0.0"]);
    await registry.publish("kit", "1.1.0");
    await registry.publish("kit", "2.0.0");
    const { state, current, wanted, newest } = (await outdated(world))["kit"]!;
    assert.deepEqual(
      [state, current, wanted, newest],
      ["outdated", "1.0.0", "1.1.0", "2.0.0"],
    );
    assert.deepEqual(world.files(), before);
    const text = await world.must(["outdated"]);
    assert.match(text, /skill kit +1\.0\.0 +1\.1\.0 +2\.0\.0 +aenv update kit/);
    await world.must(["update", "kit"]);
    const after = (await outdated(world))["kit"]!;
    assert.deepEqual([after.state, after.current], ["newer", "1.1.0"]);
    assert.match(await world.must(["outdated"]), /2\.0\.0 +not within source/);
  },

  async "tags, branches and commits of a repository, and a marketplace"(world) {
    const repository = await world.servers.repository("outdated.git");
    const url = "git+https://github.com/acme/outdated.git";
    const entry = { name: "m", source: "./m" };
    const market = { name: "a", owner: { name: "A" }, plugins: [entry] };
    const first = await repository.commit({
      "SKILL.md": skill("one")["SKILL.md"]!,
      ".claude-plugin/marketplace.json": JSON.stringify(market),
      "m/.claude-plugin/plugin.json": '{"name":"m"}',
    }, { tag: "v1.0.0" });
    const sources = {
      range: `${url}#semver:^1`,
      tag: `${url}#v1.0.0`,
      branch: `${url}#main`,
      commit: `${url}#${first}`,
    };
    for (const [name, source] of Object.entries(sources)) {
      await world.must(["add", "skill", name, "--source", source]);
    }
    await world.must(["add", "plugin", "m@acme/outdated"]);
    await repository.commit({ "SKILL.md": "two" }, { tag: "v1.1.0" });
    const last = await repository.commit({ "SKILL.md": "three" }, {
      tag: "v2.0.0",
    });
    const rows = await outdated(world);
    const shown = Object.fromEntries(
      Object.values(rows).map(({ name, state, wanted, newest }) => [
        name,
        [state, wanted?.split(" ")[0], newest?.split(" ")[0]],
      ]),
    );
    const [old, head] = [first, last].map((commit) => commit.slice(0, 12));
    assert.deepEqual(shown, {
      range: ["outdated", "v1.1.0", "v2.0.0"],
      tag: ["newer", "v1.0.0", "v2.0.0"],
      branch: ["outdated", head, head],
      commit: ["newer", old, head],
      m: ["outdated", head, head],
    });
  },

  async "without a network every source is named, and that is no failure"(
    world,
  ) {
    const { registry } = world.servers;
    await registry.publish("far", "1.0.0");
    await world.must(["add", "skill", "far", "--source", "npm:far"]);
    const row = (await outdated(world, { offline: true }))["far"]!;
    assert.equal(row.state, "failed");
    assert.equal(row.problem?.code, "SOURCE_UNREACHABLE");
    const text = await world.must(["outdated"], { offline: true });
    assert.match(text, /^skill far: Cannot reach "/);
  },

  async "a repository's own .npmrc gets variables once it is trusted, until it changes"(
    world,
  ) {
    const { registry } = world.servers;
    await registry.publish("@private/kit", "1.0.0", { files: plugin("kit") });
    const stranger = world.machine("stranger");
    const env = { ...world.env(stranger), NPM_TOKEN: registry.token };
    const call = (...args: string[]): Promise<Finished> =>
      run(aenvBinary(), args, { env, cwd: world.project });
    const { host } = new URL(registry.url);
    const npmrc = `${world.project}/.npmrc`;
    const manifest = `${world.project}/aenv.toml`;
    Deno.writeTextFileSync(npmrc, `//${host}/:_authToken=\${NPM_TOKEN}\n`);
    Deno.writeTextFileSync(
      manifest,
      '[env]\nname = "app"\n[[plugins.enabled]]\nname = "kit"\nsource = "npm:@private/kit"\n',
    );
    const untrusted = await call("install");
    assert.equal(untrusted.code, 1);
    assert.match(untrusted.stderr, /you trust the project \(aenv trust\)/);
    const trust = await call("trust", "--yes");
    assert.match(trust.stdout, /^npm settings$/m);
    assert.match(trust.stdout, /_authToken=\$\{NPM_TOKEN\}/);
    assert.match(trust.stdout, /not fetched yet: asked about again/);
    const installed = await call("install");
    assert.equal(installed.code, 0, installed.stderr);
    const launch = await call("run", "--explain");
    assert.equal(launch.code, 3);
    assert.match(launch.stderr, /plugin kit changed since you trusted/);
    await call("trust", "--yes");
    assert.equal((await call("run", "--explain")).code, 0);
    const evil = "//evil.example/:_authToken=${NPM_TOKEN}\n";
    Deno.writeTextFileSync(npmrc, evil, { append: true });
    const changed = await call("run", "--explain");
    assert.match(changed.stderr, /npm settings changed since you trusted/);
    const again = await call("update");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /you trust the project/);
  },

  async "a repository's .npmrc that was not shown counts for no package, though the project is trusted"(
    world,
  ) {
    // Guards: a yes to a manifest without packages, and a login that `add` then sends to any host.
    const { registry } = world.servers;
    await registry.publish("@private/late", "1.0.0", { files: plugin("late") });
    const stranger = world.machine("late");
    const env = { ...world.env(stranger), NPM_TOKEN: registry.token };
    const call = (...args: string[]): Promise<Finished> =>
      run(aenvBinary(), args, { env, cwd: world.project });
    const { host } = new URL(registry.url);
    const manifest = `${world.project}/aenv.toml`;
    const text = '[env]\nname = "app"\n[vars]\nA = "1"\n';
    Deno.writeTextFileSync(manifest, text);
    Deno.writeTextFileSync(
      `${world.project}/.npmrc`,
      `//${host}/:_authToken=\${NPM_TOKEN}\n`,
    );
    const trust = await call("trust", "--yes");
    assert.doesNotMatch(trust.stdout, /npm settings/);
    const words = ["add", "plugin", "late", "--source", "npm:@private/late"];
    const refused = await call(...words);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /once aenv\.toml declares the package and/);
    assert.equal(Deno.readTextFileSync(manifest), text);
    // What it says helps.
    const entry =
      '[[plugins.enabled]]\nname = "late"\nsource = "npm:@private/late"\n';
    Deno.writeTextFileSync(manifest, text + entry);
    assert.match((await call("trust", "--yes")).stdout, /^npm settings$/m);
    const installed = await call("install");
    assert.equal(installed.code, 0, installed.stderr);
  },
};

Deno.test("outdated tells for each source what is pinned, wanted and newest", async (t) => {
  await using servers = await Servers.start();
  for (const [name, check] of Object.entries(CHECKS)) {
    await t.step(name, async () => {
      using world = await RegistryWorld.open(servers);
      await check(world);
    });
  }
});
