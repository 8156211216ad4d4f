import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import "../../tests/support/open_libc.ts";
import { type OpenEnv, openEnv } from "../env/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { openSecrets, type SecretKey, SecretValue } from "../secrets/mod.ts";
import { secretFacts } from "../env/mod.ts";
import { fillServices } from "./service_values.ts";
import {
  checkPluginServers,
  planServices,
  serviceVariables,
} from "./services.ts";
import type { LaunchPlan, PlannedService } from "./types.ts";

const RUN = "/home/r" as AbsPath;

function open(world: EnvWorld, manifest: string): OpenEnv {
  world.env("e", manifest);
  const ref = { kind: "named", name: "e" } as never;
  return openEnv(ref, world.host(), world.dirs) as OpenEnv;
}

function plan(
  world: EnvWorld,
  env: OpenEnv,
  os: "linux" | "windows" = "linux",
): PlannedService[] {
  return planServices(env, {
    runDir: RUN,
    cwd: world.cwd,
    host: { os, self: "/bin/aenv" as AbsPath },
    dirOf: (cwd) => join("/base" as AbsPath, cwd),
  });
}

const SERVERS = `
[mcp.plain]
command = "x"
[mcp.gh]
command = "gh"
args = ["--token", "\${secret:a.b}"]
secret_args = "allow"
env = { B = "\${secret:b}", C = "\${secret:a.b}", D = "\${HOME}" }
cwd = "sub"
[mcp.off]
command = "x"
env = { A = "\${secret:a}" }
disabled = true
[mcp.web]
url = "https://h.example/\${secret:b}"
headers = { X = "y" }
type = "sse"
`;

Deno.test("planServices() takes the servers that ask for a secret out from under the agent, as templates", () => {
  using world = new EnvWorld();
  deepStrictEqual(plan(world, open(world, SERVERS)), [
    {
      kind: "stdio",
      name: "gh",
      command: "gh",
      args: ["--token", "${secret:a.b}"],
      env: { B: "${secret:b}", C: "${secret:a.b}", D: "${HOME}" },
      cwd: "/base/sub",
      secrets: ["a.b", "b"],
      socket: "/home/r/1.sock",
      log: "/home/r/gh.log",
    },
    {
      kind: "sse",
      name: "web",
      url: "https://h.example/${secret:b}",
      headers: { X: "y" },
      secrets: ["b"],
    },
  ]);
});

Deno.test("planServices() plans none where the agent gets the secrets, and refuses on Windows", () => {
  using world = new EnvWorld();
  const exposed = open(world, `[secrets]\nexpose = "env"\n${SERVERS}`);
  deepStrictEqual(plan(world, exposed), []);
  throws(() => plan(world, open(world, SERVERS), "windows"), {
    code: "NOT_SUPPORTED",
    exitCode: 3,
  });
  deepStrictEqual(plan(world, open(world, ""), "windows"), []);
});

Deno.test("checkPluginServers() refuses a plugin's server that asks for a secret, wherever it does", () => {
  checkPluginServers("p", { s: { command: "x", env: { A: "${HOME}" } } });
  for (
    const entry of [
      { command: "x", env: { A: "${secret:k}" } },
      { command: "x", args: ["${secret:k}"] },
      { url: "https://x", headers: { A: "b ${secret:k}" } },
    ]
  ) {
    throws(() => checkPluginServers("p", { s: entry }), {
      code: "NOT_SUPPORTED",
      exitCode: 3,
      hint: "Declare the server in aenv.toml: [mcp.s]",
    });
  }
});

Deno.test("serviceVariables() exempts this machine from the caller's proxy, only where a relay needs it", () => {
  using world = new EnvWorld();
  const services = plan(world, open(world, SERVERS));
  const proxy = { HTTPS_PROXY: "http://p:1" };
  deepStrictEqual(serviceVariables(services, {}), {});
  deepStrictEqual(serviceVariables(services.slice(0, 1), proxy), {});
  const list = "127.0.0.1";
  deepStrictEqual(serviceVariables(services, proxy), {
    NO_PROXY: list,
    no_proxy: list,
  });
  const hosts = "a,127.0.0.1";
  for (const no of [{ no_proxy: "a" }, { NO_PROXY: hosts }]) {
    deepStrictEqual(serviceVariables(services, { all_proxy: "x", ...no }), {
      NO_PROXY: hosts,
      no_proxy: hosts,
    });
  }
});

/** Values by key, and the agent's environment. */
interface Values {
  readonly environment?: Readonly<Record<string, string>>;
  readonly [key: string]:
    | string
    | Uint8Array
    | Readonly<Record<string, string>>
    | undefined;
}

/** Keeps values in the file backend and fills the services of a manifest in. */
async function fill(
  world: EnvWorld,
  manifest: string,
  { environment = { PATH: "/bin:relative", HOME: "/h" }, ...values }: Values,
) {
  const env = open(world, manifest);
  const host = world.host({ AENV_SECRET_BACKEND: "file" });
  const place = { host, dirs: world.dirs };
  const secrets = openSecrets({
    facts: secretFacts(env),
    commands: {},
    command: undefined,
    runsCommands: false,
    configured: undefined,
    ...place,
  });
  for (const [key, value] of Object.entries(values)) {
    const bytes = value as string | Uint8Array;
    await secrets.put(key as SecretKey, new SecretValue(bytes));
  }
  const services = plan(world, env);
  const planned = { services, environment, cwd: world.cwd };
  return await fillServices(planned as unknown as LaunchPlan, env, place);
}

Deno.test("fillServices() gives a server the agent's variables, its own, and its values", async () => {
  using world = new EnvWorld();
  const manifest = SERVERS.replace('"gh"\nargs', '"sh"\nargs');
  const { brokered, relayed } = await fill(
    world,
    manifest,
    {
      "a.b": "one",
      b: "two",
      environment: {
        PATH: "/bin",
        HOME: "/h",
        CLAUDE_CODE_OAUTH_TOKEN: "login",
        B: "x",
      },
    },
  );
  const { path, args, env } = brokered[0]!.program();
  strictEqual(path, "/bin/sh");
  deepStrictEqual(args.slice(-4), ["/base/sub", "/bin/sh", "--token", "one"]);
  deepStrictEqual(env, {
    PATH: "/bin",
    HOME: "/h",
    CLAUDECODE: "1",
    CLAUDE_PROJECT_DIR: world.cwd,
    B: "two",
    C: "one",
    D: "/h",
  });
  strictEqual(relayed[0]!.url.href, "https://h.example/two");
});

Deno.test("fillServices() takes what a value holds as it is, not as a template", async () => {
  using world = new EnvWorld();
  const manifest = '[mcp.a]\ncommand = "sh"\nenv = { A = "${secret:a}" }';
  const { brokered } = await fill(world, manifest, {
    a: "${secret:a} ${HOME}",
  });
  strictEqual(brokered[0]!.program().env["A"], "${secret:a} ${HOME}");
});

const REFUSED: readonly {
  readonly manifest: string;
  readonly value?: string | Uint8Array;
  readonly error: Record<string, unknown>;
}[] = [
  {
    manifest: 'command = "x"\nenv = { A = "${secret:k}" }',
    error: { code: "SECRET_MISSING" },
  },
  {
    manifest: 'command = "x"\nenv = { A = "${secret:k}" }',
    value: Uint8Array.of(1, 0, 255),
    error: {
      code: "SECRET_INVALID",
      message: 'Cannot start MCP server "s" of "e": the secret "k" is not text',
    },
  },
  {
    manifest: 'command = "x"\nenv = { A = "${secret:k}", B = "${env:NOPE}" }',
    value: "v",
    error: {
      code: "VARIABLE_MISSING",
      message:
        'Cannot start environment "e": MCP server "s" needs the variable NOPE, which the agent does not get',
    },
  },
  {
    manifest: 'url = "https://h.example"\nheaders = { A = "${secret:k}" }',
    value: "two\nlines",
    error: {
      code: "SECRET_INVALID",
      message:
        'Cannot start MCP server "s" of "e": header "A" cannot hold its value',
    },
  },
  {
    manifest: 'url = "https://${secret:k}/"',
    value: "no host",
    error: {
      code: "SECRET_INVALID",
      message:
        'Cannot start MCP server "s" of "e": with its values, its address is not one',
    },
  },
];

Deno.test("fillServices() refuses what would not work, and never shows a value", async () => {
  for (const { manifest, value, error } of REFUSED) {
    using world = new EnvWorld();
    const values = value === undefined ? {} : { k: value };
    await rejects(fill(world, `[mcp.s]\n${manifest}`, values), error, manifest);
  }
});

Deno.test("a server's program is looked for when it is started, in absolute directories of PATH", async () => {
  using world = new EnvWorld();
  world.write("p/sub/relative/tool", "#!/bin/sh\n");
  world.chmod("p/sub/relative/tool", 0o755);
  const manifest = '[mcp.s]\ncommand = "tool"\nenv = { A = "${secret:k}" }';
  const { brokered } = await fill(world, manifest, { k: "v" });
  throws(() => brokered[0]!.program(), {
    message: 'Cannot run "tool": there is no such program',
  });
});
