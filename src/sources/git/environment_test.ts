import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  gitEnvironment,
  lookupEnvironment,
  userSettings,
} from "./environment.ts";

Deno.test("userSettings() keeps how to log in and how to get there, and nothing that runs or rewrites", () => {
  const kept = {
    "credential.helper": "store",
    "credential.https://x.example.helper": "!gh auth git-credential",
    "http.proxy": "http://p",
    "http.https://x.example.sslcainfo": "/ca.pem",
    "http.extraheader": "Authorization: x",
    "url.https://mirror.example/.insteadof": "https://x.example/",
    "core.sshcommand": "ssh -i key",
    "safe.directory": "/srv/x",
  };
  const dropped = {
    "core.hookspath": "/evil",
    "core.askpass": "/evil",
    "core.fsmonitor": "/evil",
    "core.gitproxy": "/evil",
    "filter.lfs.smudge": "git-lfs smudge",
    "http.sslverify": "false",
    "url.https://x/.pushinsteadof": "y",
    "alias.fetch": "!evil",
    "protocol.ext.allow": "always",
    "init.templatedir": "/evil",
    "remote.origin.uploadpack": "/evil",
  };
  const listing = Object.entries({ ...kept, ...dropped })
    .map(([name, value]) => `${name}\n${value}\0`).join("") +
    "credential.usehttppath\0";
  deepStrictEqual(userSettings(listing), [
    ...Object.entries(kept),
    ["credential.usehttppath", "true"],
  ]);
});

Deno.test("gitEnvironment() drops git's variables but those of the connection, and puts our settings last", () => {
  const host = {
    HOME: "/home/me",
    SSH_AUTH_SOCK: "/agent",
    GIT_DIR: "/evil",
    GIT_EXEC_PATH: "/evil",
    GIT_CONFIG_PARAMETERS: "'core.hooksPath=/evil'",
    GIT_TRACE: "1",
    GIT_ASKPASS: "/evil",
    GIT_SSL_CAINFO: "/ca.pem",
  };
  const env = gitEnvironment(host, [["credential.helper", "store"]], {
    transports: ["https", "ssh"],
  });
  for (
    const name of [
      "GIT_DIR",
      "GIT_EXEC_PATH",
      "GIT_CONFIG_PARAMETERS",
      "GIT_TRACE",
      "GIT_ASKPASS",
    ]
  ) {
    strictEqual(env[name], undefined, name);
  }
  strictEqual(env["GIT_SSL_CAINFO"], "/ca.pem");
  strictEqual(env["SSH_AUTH_SOCK"], "/agent");
  strictEqual(env["GIT_ALLOW_PROTOCOL"], "https:ssh");
  strictEqual(env["GIT_TERMINAL_PROMPT"], "0");
  strictEqual(env["GIT_CONFIG_KEY_0"], "credential.helper");
  const count = Number(env["GIT_CONFIG_COUNT"]);
  const names = Array.from(
    { length: count },
    (_, i) => env[`GIT_CONFIG_KEY_${i}`],
  );
  ok(names.indexOf("core.hooksPath") > 0);
  ok(!names.includes(undefined));
});

Deno.test("gitEnvironment() keeps ssh from asking, unless the user has a command of their own", () => {
  const options = { transports: ["ssh"] };
  const plain = gitEnvironment({}, [], options);
  ok(plain["GIT_SSH_COMMAND"]?.includes("BatchMode=yes"));
  strictEqual(plain["SSH_ASKPASS_REQUIRE"], "force");
  const own = gitEnvironment({ GIT_SSH_COMMAND: "my-ssh" }, [], options);
  strictEqual(own["GIT_SSH_COMMAND"], "my-ssh");
  const setting = gitEnvironment({}, [["core.sshcommand", "my-ssh"]], options);
  strictEqual(setting["GIT_SSH_COMMAND"], undefined);
});

Deno.test("lookupEnvironment() keeps what names the user's settings, and no repository", () => {
  const env = lookupEnvironment({
    HOME: "/home/me",
    GIT_CONFIG_COUNT: "0",
    GIT_CONFIG_GLOBAL: "/x",
    GIT_DIR: "/evil",
  });
  deepStrictEqual(env, {
    HOME: "/home/me",
    GIT_CONFIG_COUNT: "0",
    GIT_CONFIG_GLOBAL: "/x",
    LC_ALL: "C",
  });
});
