import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { SourceWorld } from "../../../tests/support/sources/context.ts";
import { writeTree } from "../../../tests/support/sources/trees.ts";
import { readNpmConfig } from "./config.ts";

function valueOf(
  files: Readonly<Record<string, string>>,
  options: {
    readonly key?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly trusted?: boolean;
  } = {},
): string | undefined {
  using world = new SourceWorld();
  writeTree(world.root, files);
  const { key = "registry", ...rest } = options;
  return readNpmConfig(
    world.context({ ...rest, env: { PATH: world.dir("bin"), ...rest.env } }),
  )
    .values[key];
}

Deno.test("readNpmConfig() asks environment, project, user, machine and npm itself, in this order", () => {
  const files: Record<string, string> = {
    "bin/node": "+x sh",
    "npm/bin/npm-cli.js": "+x sh",
    "bin/npm": "-> ../npm/bin/npm-cli.js",
    "npm/npmrc": "registry=npm",
    "etc/npmrc": "registry=machine",
    "home/.npmrc": "registry=user",
    "project/.npmrc": "registry=project",
  };
  const env = { NPM_CONFIG_REGISTRY: "environment" };
  strictEqual(valueOf(files, { env }), "environment");
  for (
    const [path, expected] of [
      ["project/.npmrc", "project"],
      ["home/.npmrc", "user"],
      ["etc/npmrc", "machine"],
      ["npm/npmrc", "npm"],
    ] as const
  ) {
    strictEqual(valueOf(files), expected);
    delete files[path];
  }
  strictEqual(valueOf(files), undefined);
});

Deno.test("readNpmConfig() lets the environment and npm name other files", () => {
  const files = {
    "elsewhere/user": "registry=other\n",
    "elsewhere/etc/npmrc": "tag=beta\n",
    "home/.npmrc": "registry=user\n",
  };
  using world = new SourceWorld();
  writeTree(world.root, files);
  const env = {
    PATH: "/nonexistent",
    "npm_config_userconfig": world.dir("elsewhere/user"),
    "npm_config_prefix": world.dir("elsewhere"),
  };
  const { values } = readNpmConfig(world.context({ env }));
  strictEqual(values["registry"], "other");
  strictEqual(values["tag"], "beta");
});

/** What stands in the user's file, and what it means with `NAME=value`. */
const EXPANSIONS: Readonly<Record<string, string>> = {
  "${NAME}": "value",
  "a${NAME}b": "avalueb",
  "${NONE}": "${NONE}",
  "a${NONE?}b": "ab",
  "${NAME?}": "value",
  "\\${NAME}": "${NAME}",
  "$NAME": "$NAME",
};

for (const [text, expected] of Object.entries(EXPANSIONS)) {
  Deno.test(`readNpmConfig() reads ${text} as ${expected}`, () => {
    const files = { "home/.npmrc": `registry=${text}\n` };
    strictEqual(valueOf(files, { env: { NAME: "value" } }), expected);
  });
}

Deno.test("readNpmConfig() takes from an untrusted project only where packages come from", () => {
  using world = new SourceWorld();
  writeTree(world.root, {
    "project/.npmrc": [
      "registry=https://r.example",
      "@acme:registry=https://a.example/${SECRET}",
      "//r.example/:_authToken=${SECRET}",
      "cafile=evil.pem",
      "proxy=http://evil.example",
    ].join("\n"),
    "project/evil.pem": "evil",
  });
  const env = { PATH: "/nonexistent", SECRET: "s3cret" };
  const careful = readNpmConfig(world.context({ env }));
  deepStrictEqual(careful.values, { registry: "https://r.example" });
  deepStrictEqual(careful.caCerts, []);
  deepStrictEqual([...careful.withheld].sort(), [
    "//r.example/:_authToken",
    "@acme:registry",
    "cafile",
    "proxy",
  ]);
  const trusting = readNpmConfig(world.context({ env, trusted: true }));
  strictEqual(trusting.values["//r.example/:_authToken"], "s3cret");
  deepStrictEqual(trusting.caCerts, ["evil"]);
  deepStrictEqual(trusting.withheld, []);
});

Deno.test("readNpmConfig() keeps keys that name a host as they are, also from the environment", () => {
  const env = {
    "npm_config_//r.example/My_Path/:_authToken": "t",
    "npm_config_@acme:registry": "https://a.example",
    "NPM_CONFIG_HTTPS_PROXY": "p",
    "npm_config_empty": "",
  };
  using world = new SourceWorld();
  const { values } = readNpmConfig(
    world.context({ env: { PATH: "/nonexistent", ...env } }),
  );
  deepStrictEqual(values, {
    "//r.example/My_Path/:_authToken": "t",
    "@acme:registry": "https://a.example",
    "https-proxy": "p",
  });
});
