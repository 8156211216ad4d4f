import assert from "node:assert/strict";
import fc from "fast-check";
import { looksLikeCredential } from "../base/redact.ts";
import {
  type FilterInput,
  filterVariables,
  passingVariables,
} from "./env_filter.ts";

function decisions(
  variables: Record<string, string>,
  parts: Partial<FilterInput> = {},
): Record<string, string> {
  const found = filterVariables({
    variables,
    envHost: [],
    agent: "claude",
    agentAccepts: () => true,
    network: "open",
    ...parts,
  });
  return Object.fromEntries(
    found.map(({ name, passes, why }) => [name, `${passes ? "+" : "-"}${why}`]),
  );
}

function passing(
  variables: Record<string, string>,
  parts: Partial<FilterInput> = {},
): string[] {
  return Object.entries(decisions(variables, parts))
    .filter(([, why]) => why.startsWith("+")).map(([name]) => name);
}

Deno.test("filterVariables() says for each variable which list let it pass, or that none did", () => {
  assert.deepEqual(
    decisions({
      PATH: "/usr/bin",
      LC_ALL: "C",
      TERM: "xterm",
      GOROOT: "/opt/go",
      SSL_CERT_FILE: "/etc/x.pem",
      HTTPS_PROXY: "http://proxy:3128",
      ANTHROPIC_API_KEY: "sk-ant-0123456789",
      ANTHROPIC_MODEL: "some",
      AWS_PROFILE: "work",
      MY_SETTING: "1",
      LD_PRELOAD: "/x.so",
      "bad-name": "1",
    }, { envHost: ["AWS_PROFILE"] }),
    {
      ANTHROPIC_API_KEY: "+login of claude",
      ANTHROPIC_MODEL: "+setting of claude",
      AWS_PROFILE: "+sandbox.env_host: AWS_PROFILE",
      GOROOT: "+toolchain",
      HTTPS_PROXY: "+proxy",
      LC_ALL: "+locale",
      LD_PRELOAD: "-it makes programs run something (loaders)",
      MY_SETTING: "-it is on no list",
      PATH: "+system",
      SSL_CERT_FILE: "+certificates",
      TERM: "+terminal",
      "bad-name": "-its name is no plain variable name",
    },
  );
});

Deno.test("filterVariables() lets no variable pass that makes a loader, a shell, an interpreter or git run something, not even by env_host", () => {
  const names =
    `LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES GCONV_PATH GLIBC_TUNABLES BASH_ENV ENV
    PROMPT_COMMAND ZDOTDIR NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5OPT PERL5LIB RUBYOPT RUBYLIB
    JAVA_TOOL_OPTIONS _JAVA_OPTIONS GOFLAGS RUSTC_WRAPPER CARGO_BUILD_RUSTC_WRAPPER GIT_SSH_COMMAND GIT_EXTERNAL_DIFF
    GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_EXEC_PATH GIT_DIR GIT_PAGER GIT_EDITOR GIT_ASKPASS GIT_PROXY_COMMAND
    LESSOPEN npm_config_script_shell NPM_CONFIG_NODE_OPTIONS PIP_INDEX_URL DOTNET_STARTUP_HOOKS OPENSSL_CONF
    SSH_AUTH_SOCK DOCKER_HOST DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR DISPLAY KUBECONFIG TMUX
    GPG_AGENT_INFO`.trim().split(/\s+/);
  const variables = Object.fromEntries(names.map((name) => [name, "/x"]));
  assert.deepEqual(passing(variables, { envHost: names }), []);
  assert.deepEqual(passing(variables, { envHost: ["*"] }), []);
});

Deno.test("filterVariables() lets nothing pass that looks like a credential, by name or value, not even by env_host", () => {
  const variables = {
    GITHUB_TOKEN: "x",
    NPM_TOKEN: "x",
    AWS_SECRET_ACCESS_KEY: "x",
    DB_PASSWORD: "x",
    OPENAI_API_KEY: "x",
    MY_URL: "https://me:secret@example.com/",
    PLAIN: "ghp_0123456789012345678901234567890123456789",
    LANG: "sk-ant-REDACTED-0123456789",
  };
  assert.deepEqual(
    passing(variables, { envHost: Object.keys(variables) }),
    [],
  );
});

Deno.test("filterVariables() gives each agent its own login and not another's", () => {
  const variables = {
    ANTHROPIC_API_KEY: "x",
    ANTHROPIC_AUTH_TOKEN: "x",
    CLAUDE_CODE_OAUTH_TOKEN: "x",
    OPENAI_API_KEY: "x",
    CODEX_API_KEY: "x",
    CODEX_ACCESS_TOKEN: "x",
  };
  assert.deepEqual(passing(variables), [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
  ]);
  assert.deepEqual(passing(variables, { agent: "codex" }), [
    "CODEX_ACCESS_TOKEN",
    "CODEX_API_KEY",
    "OPENAI_API_KEY",
  ]);
  assert.deepEqual(passing(variables, { agent: "none" }), []);
});

Deno.test("filterVariables() takes what the agent's own filter refuses away, also from env_host", () => {
  const name = "CLAUDE_CODE_ENTRYPOINT";
  const refuses = { agentAccepts: () => false, envHost: [name] };
  assert.deepEqual(passing({ [name]: "cli" }, refuses), []);
});

Deno.test("filterVariables() keeps a switch although its name sounds like a credential", () => {
  assert.deepEqual(
    passing({
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1",
      CLAUDE_CODE_API_KEY_HELPER_TTL_MS: "60000",
      CLAUDE_CODE_SOME_TOKEN: "abc",
    }),
    ["CLAUDE_CODE_API_KEY_HELPER_TTL_MS", "CLAUDE_CODE_SKIP_BEDROCK_AUTH"],
  );
});

Deno.test("filterVariables() passes proxies while the network is open only, with a password too", () => {
  const variables = {
    "https_proxy": "http://me:secret@proxy:3128",
    NO_PROXY: "x",
  };
  assert.deepEqual(passing(variables), ["NO_PROXY", "https_proxy"]);
  assert.deepEqual(passing(variables, { network: "hosts" }), []);
  assert.deepEqual(passing(variables, { network: "none" }), []);
});

Deno.test("a variable of a granted socket passes while it holds a path, and no other of its kind", () => {
  const variables = { SSH_AUTH_SOCK: "/run/agent", X_SOCK: "relative" };
  assert.deepEqual(passing(variables), []);
  const sockets = ["SSH_AUTH_SOCK", "X_SOCK"];
  assert.deepEqual(passing(variables, { sockets }), ["SSH_AUTH_SOCK"]);
});

Deno.test("passingVariables() are the values of what passes", () => {
  const variables = { TERM: "xterm", OTHER: "1" };
  const found = filterVariables({
    variables,
    envHost: [],
    agent: "none",
    agentAccepts: () => true,
    network: "none",
  });
  assert.deepEqual(passingVariables(variables, found), { TERM: "xterm" });
});

Deno.test("whatever the variables are: no credential but the login passes, and no decision shows a value", () => {
  const name = fc.constantFrom(
    ..."TERM LANG GITHUB_TOKEN A_SECRET_B MY_VAR ANTHROPIC_X OTEL_AUTH LC_X PATH CLAUDE_TOKEN"
      .split(" "),
  );
  const value = fc.oneof(
    fc.string({ minLength: 12 }),
    fc.constant("ghp_0123456789012345678901234567890123456789"),
  );
  const property = fc.property(fc.dictionary(name, value), (variables) => {
    const found = filterVariables({
      variables,
      envHost: ["*"],
      agent: "claude",
      agentAccepts: () => true,
      network: "open",
    });
    const shown = JSON.stringify(found);
    for (const [name, value] of Object.entries(variables)) {
      assert.ok(!shown.includes(JSON.stringify(value)));
      const decision = found.find((entry) => entry.name === name)!;
      const isSwitch = /^(\d{1,7}|true|false)$/.test(value);
      if (looksLikeCredential(name, value) && !isSwitch) {
        assert.equal(decision.passes, false, name);
      }
    }
  });
  fc.assert(property);
});
