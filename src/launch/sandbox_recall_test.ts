import { deepStrictEqual, notDeepStrictEqual, ok } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { type OpenEnv, openEnv } from "../env/mod.ts";
import { claude } from "../agents/mod.ts";
import { policyInput, type SandboxRequest } from "./sandbox_input.ts";
import { READ_VARIABLES } from "./sandbox_recall.ts";

/** Variables that somebody may have set, with two values each that a policy could tell apart. */
const VALUES = (world: EnvWorld): Record<string, readonly [string, string]> => {
  const [one, other] = [world.path("one"), world.path("other")];
  const paths = [
    ...["SSH_AUTH_SOCK", "TMPDIR", "SSL_CERT_FILE", "AWS_CA_BUNDLE"],
    ...["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "NVM_DIR"],
    ...["CARGO_HOME", "GOPATH", "PNPM_HOME", "VOLTA_HOME", "GIT_DIR"],
    ...["CLAUDE_CONFIG_DIR", "CODEX_HOME", "PWD", "OLDPWD"],
  ].map((name) => [name, [one, other]] as const);
  return {
    ...Object.fromEntries(paths),
    PATH: [`${one}:/usr/bin`, `${other}:/usr/bin`],
    LANG: ["C", "de"],
    SHELL: ["/bin/sh", "/bin/bash"],
  };
};

Deno.test({
  name: "READ_VARIABLES are all whose values a policy is made from",
  ignore: Deno.build.os === "windows",
  fn() {
    using world = new EnvWorld();
    world.write("one/.credentials.json", "{}");
    world.write("other/x", "");
    world.write(
      "p/aenv.toml",
      '[env]\nname = "p"\n[sandbox]\nenabled = true\n',
    );
    const ref = {
      kind: "project",
      manifest: world.path("p/aenv.toml"),
    } as const;
    const values = VALUES(world);
    const inputWith = (changed?: string) => {
      const set = Object.entries(values).map(([name, [one, other]]) =>
        [name, name === changed ? other : one] as const
      );
      const host = world.host(Object.fromEntries(set));
      const env = openEnv(ref, host, world.dirs) as OpenEnv;
      const request: SandboxRequest = { env, program: world.path("claude") };
      const { input } = policyInput(request, {
        ...{ host, os: "linux", dirs: world.dirs },
      });
      const { variables: _, environment, ...rest } = input;
      return {
        rest,
        passing: environment.map(({ name, passes }) => ({ name, passes })),
      };
    };
    const before = inputWith();
    for (const name of Object.keys(values)) {
      if (READ_VARIABLES.includes(name)) continue;
      deepStrictEqual(inputWith(name), before, name);
    }
    // A policy does rest on some.
    notDeepStrictEqual(inputWith("CLAUDE_CONFIG_DIR").rest, before.rest);
    ok(claude.CONFIG_VARIABLES.every((name) => READ_VARIABLES.includes(name)));
  },
});
