/** Sources in an npm registry: the real Verdaccio, filled with the real npm. */

import assert from "node:assert/strict";
import type { AppError } from "../../src/base/errors.ts";
import {
  fetchSource,
  formatPin,
  parsePin,
  parseSource,
  type Resolution,
  resolveSource,
  type SourceContext,
} from "../../src/sources/mod.ts";
import { SourceWorld } from "../support/sources/context.ts";
import { fails } from "../support/sources/git_world.ts";
import { NpmRegistry } from "../support/sources/npm_registry.ts";
import { readTree, writeTree } from "../support/sources/trees.ts";

/** One registry for all tests of the file. */
class NpmWorld extends SourceWorld {
  readonly registry: NpmRegistry;

  constructor(registry: NpmRegistry) {
    super();
    this.registry = registry;
    this.npmrc("home/.npmrc", {
      registry: registry.url,
      cafile: registry.certificates.caFile,
    });
  }

  get host(): string {
    return new URL(this.registry.url).host;
  }

  npmrc(path: string, settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(([k, v]) => `${k}=${v}\n`);
    Deno.writeTextFileSync(this.dir(path), lines.join(""));
  }

  /** The user's `.npmrc` with these settings on top. */
  userNpmrc(settings: Readonly<Record<string, string>>): void {
    this.npmrc("home/.npmrc", {
      registry: this.registry.url,
      cafile: this.registry.certificates.caFile,
      ...settings,
    });
  }

  async resolve(
    source: string,
    context: SourceContext = this.context(),
  ): Promise<Resolution> {
    return await resolveSource(parseSource(source), context);
  }

  async fetch(
    pin: Resolution,
    context: SourceContext = this.context(),
  ): Promise<Record<string, string>> {
    const options = { kind: "skill", context } as const;
    return readTree(await fetchSource(pin, this.fresh(), options));
  }

  async version(source: string, context?: SourceContext): Promise<string> {
    const pin = await this.resolve(source, context);
    assert.ok(pin.kind === "npm");
    return pin.version;
  }
}

function skill(name: string, version: string): Record<string, string> {
  return {
    "SKILL.md": `# ${name} ${version}`,
    "package.json": JSON.stringify({ name, version }),
  };
}

async function withRegistry(t: Deno.TestContext): Promise<void> {
  using files = new SourceWorld();
  await using registry = await NpmRegistry.start(files.dir("home"));
  await publishAll(registry);
  for (const [name, check] of Object.entries(CHECKS)) {
    await t.step(name, async () => {
      using world = new NpmWorld(registry);
      await check(world);
    });
  }
}

async function publishAll(registry: NpmRegistry): Promise<void> {
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
    await registry.publish("kit", version);
  }
  await registry.publish("kit", "2.0.0-rc.1", { tag: "next" });
  await registry.publish("kit", "1.3.0", { tag: "canary" });
  await registry.npm(["deprecate", "kit@1.1.0", "use 1.2"]);
  await registry.publish("@acme/kit", "0.1.0");
  await registry.publish("@private/kit", "3.0.0");
  for (const version of ["1.0.0", "1.0.1"]) {
    await registry.publish("yanked", version);
  }
}

const CHECKS: Readonly<Record<string, (world: NpmWorld) => Promise<void>>> = {
  async "versions, ranges and tags mean what they mean to npm"(world) {
    const wanted = ["kit", "kit@1.0.0", "kit@^1.0.0", "kit@next", "kit@canary"];
    wanted.push("kit@1.0 - 1.1", "kit@>=1.3", "kit@>=2.0.0-0", "@acme/kit@0.x");
    for (const spec of wanted) {
      const packed = await world.registry.npm([
        "pack",
        spec,
        "--dry-run",
        "--json",
      ]);
      const [{ version, integrity }] = JSON.parse(packed);
      const pin = await world.resolve(`npm:${spec}`);
      assert.ok(pin.kind === "npm");
      assert.deepEqual(
        [pin.version, pin.integrity],
        [version, integrity],
        spec,
      );
    }
  },

  async "a pin is fetched by its text alone, on another machine"(world) {
    const pin = await world.resolve("npm:@acme/kit");
    const text = formatPin(pin);
    assert.match(text, /^npm:@acme\/kit@0\.1\.0 integrity=sha512-\S+$/);
    const files = await world.fetch(parsePin(text));
    assert.deepEqual(files, skill("@acme/kit", "0.1.0"));
    assert.deepEqual(await world.fetch(pin), files);
  },

  async "a deprecated version is used when it is asked for, and said so"(
    world,
  ) {
    assert.equal(await world.version("npm:kit@<1.2"), "1.0.0");
    assert.deepEqual(world.events.filter((e) => e.type === "warning"), []);
    assert.equal(await world.version("npm:kit@1.1.0"), "1.1.0");
    const [warning] = world.events.filter((e) => e.type === "warning");
    assert.equal(warning?.text, "kit@1.1.0 is deprecated: use 1.2");
  },

  async "a version that was taken back is named, and so is a package that never was"(
    world,
  ) {
    const pin = await world.resolve("npm:yanked@1.0.1");
    await world.registry.npm(["unpublish", "yanked@1.0.1", "--force"]);
    await fails(
      () => world.resolve("npm:yanked@1.0.1"),
      "SOURCE_NOT_FOUND",
      /Cannot find the package "yanked@1\.0\.1": .*\nThe highest is 1\.0\.0/,
    );
    await fails(
      () => world.fetch(parsePin(formatPin(pin))),
      "SOURCE_NOT_FOUND",
      /yanked@1\.0\.1/,
    );
    await fails(
      () => world.resolve("npm:kit@nxet"),
      "SOURCE_NOT_FOUND",
      /Did you mean "next"/,
    );
    await fails(
      () => world.resolve("npm:never-was"),
      "SOURCE_NOT_FOUND",
      /never-was/,
    );
  },

  async "a private package wants a login, in each of the forms that npm has"(
    world,
  ) {
    const denied = await refusal(world, "npm:@private/kit");
    assert.match(denied.hint ?? "", /npm login --registry/);
    const { token, login } = world.registry;
    const { name, password } = login;
    const forms: Record<string, string>[] = [
      { [`//${world.host}/:_authToken`]: token },
      { [`//${world.host}/:_authToken`]: "${NPM_TOKEN}" },
      { [`//${world.host}/:_auth`]: btoa(`${name}:${password}`) },
      {
        [`//${world.host}/:username`]: name,
        [`//${world.host}/:_password`]: btoa(password),
      },
    ];
    for (const settings of forms) {
      world.userNpmrc(settings);
      const context = world.context({ env: { NPM_TOKEN: token } });
      const pin = await world.resolve("npm:@private/kit", context);
      const files = await world.fetch(pin, context);
      assert.deepEqual(files, skill("@private/kit", "3.0.0"));
      assert.ok(!formatPin(pin).includes(token));
    }
    world.userNpmrc({ "//elsewhere.example/:_authToken": token });
    await refusal(world, "npm:@private/kit");
  },

  async "registries come from the environment, the project, the user, and per scope"(
    world,
  ) {
    const nowhere = "https://localhost:1/";
    const { url } = world.registry;
    world.userNpmrc({ registry: nowhere });
    await fails(
      () => world.version("npm:kit"),
      "SOURCE_UNREACHABLE",
      /localhost:1/,
    );
    world.npmrc("project/.npmrc", { registry: url });
    assert.equal(await world.version("npm:kit"), "1.2.0");
    const env = { "npm_config_registry": nowhere };
    await fails(
      () => world.version("npm:kit", world.context({ env })),
      "SOURCE_UNREACHABLE",
      /localhost:1/,
    );
    world.npmrc("project/.npmrc", { "@acme:registry": url, registry: nowhere });
    assert.equal(await world.version("npm:@acme/kit"), "0.1.0");
    await fails(() => world.version("npm:kit"), "SOURCE_UNREACHABLE", /./);
    world.npmrc("project/.npmrc", { registry: "http://registry.example/" });
    await fails(
      () => world.version("npm:kit"),
      "SOURCE_REFUSED",
      /without encryption/,
    );
  },

  async "a project gets variables and certificates only when it is trusted"(
    world,
  ) {
    world.npmrc("project/.npmrc", {
      [`//${world.host}/:_authToken`]: "${NPM_TOKEN}",
    });
    const env = { NPM_TOKEN: world.registry.token };
    const error = await refusal(
      world,
      "npm:@private/kit",
      world.context({ env }),
    );
    assert.match(error.hint ?? "", /_authToken.*your own.*~\/\.npmrc/);
    const trusted = world.context({ env, trusted: true });
    assert.equal(await world.version("npm:@private/kit", trusted), "3.0.0");
    world.npmrc("home/.npmrc", { registry: world.registry.url });
    world.npmrc("project/.npmrc", {
      cafile: world.registry.certificates.caFile,
    });
    await fails(
      () => world.version("npm:kit"),
      "SOURCE_UNREACHABLE",
      /certificate/,
    );
    const again = world.context({ trusted: true });
    assert.equal(await world.version("npm:kit", again), "1.2.0");
  },

  async "strict-ssl=false is not obeyed, and the hint says what to do"(world) {
    world.npmrc("home/.npmrc", {
      registry: world.registry.url,
      "strict-ssl": "false",
    });
    await fails(
      () => world.version("npm:kit"),
      "SOURCE_UNREACHABLE",
      /certificate is not trusted.*\nstrict-ssl=false is not obeyed here; .*cafile/,
    );
  },

  async "a pin with another hash than the registry's is refused, with both"(
    world,
  ) {
    const pin = await world.resolve("npm:kit@1.0.0");
    const other = await world.resolve("npm:kit@1.2.0");
    assert.ok(pin.kind === "npm" && other.kind === "npm");
    const swapped = { ...pin, integrity: other.integrity };
    for (const bad of [swapped, parsePin(formatPin(swapped))]) {
      const error = await fails(
        () => world.fetch(bad),
        "SOURCE_MISMATCH",
        /never changes/,
      );
      assert.ok(error.message.includes(pin.integrity), error.message);
      assert.ok(error.message.includes(other.integrity));
    }
  },

  async "the network is not touched when it must not be"(world) {
    await fails(
      () => world.version("npm:kit", world.context({ offline: true })),
      "SOURCE_OFFLINE",
      /network may not be used/,
    );
  },

  async "the settings that come with npm itself and those of the machine count last"(
    world,
  ) {
    writeTree(world.dir("node/bin"), { "node": "+x #!/bin/sh" });
    world.npmrc("home/.npmrc", { cafile: world.registry.certificates.caFile });
    writeTree(world.dir("node/etc"), {
      npmrc: `registry=${world.registry.url}\n`,
    });
    const env = { PATH: world.dir("node/bin") };
    assert.equal(
      await world.version("npm:kit", world.context({ env })),
      "1.2.0",
    );
  },
};

/** A login is missing: some registries say so, others that there is nothing. */
async function refusal(
  world: NpmWorld,
  source: string,
  context?: SourceContext,
): Promise<AppError> {
  let found: AppError | undefined;
  await assert.rejects(world.resolve(source, context), (error: AppError) => {
    found = error;
    assert.match(error.code, /^SOURCE_(DENIED|NOT_FOUND)$/);
    return true;
  });
  return found!;
}

Deno.test("npm sources", withRegistry);
