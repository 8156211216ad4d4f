/** The programs that agents use, where the user's own network has a proxy, without which no name is known. */

import assert from "node:assert/strict";
import { ORIGIN } from "../support/sources/certificates.ts";
import { GitRepository } from "../support/sources/git_repository.ts";
import { NpmRegistry } from "../support/sources/npm_registry.ts";
import { TempDir } from "../support/temp.ts";
import { UpstreamProxy } from "../support/upstream_proxy.ts";
import { succeeded, Tools } from "./proxy_tools_world.ts";

const LOGIN = "me:secret-of-mine";

/** Tools behind a proxy that wants a login. */
async function behind(
  upstream: UpstreamProxy,
  ports: readonly string[] = [],
): Promise<Tools> {
  return await Tools.start({ names: {}, env: upstream.env, ports });
}

function company(login = LOGIN): UpstreamProxy {
  return new UpstreamProxy({ login, names: [ORIGIN] });
}

Deno.test("curl reaches what is allowed through the network's own proxy, and sees nothing of its login", async () => {
  await using upstream = company();
  await using tools = await behind(upstream);
  const url = `${tools.url}/file`;
  assert.equal(succeeded(await tools.run("curl", ["-sS", url])), "the file");
  const socks =
    `socks5h://aenv:${tools.world.proxy.credential.password}@127.0.0.1:${tools.world.port}`;
  const bySocks = await tools.run("curl", ["-sS", "-x", socks, url]);
  assert.equal(succeeded(bySocks), "the file");
  const connect = `CONNECT ${ORIGIN}:${tools.port} HTTP/1.1`;
  assert.deepEqual(upstream.requests, [connect, connect]);
  const refused = await tools.run("curl", ["-sSv", "https://evil.test/"]);
  assert.match(
    refused.stderr,
    /403 Refused by the sandbox of aenv: evil\.test/,
  );
  assert.equal(upstream.requests.length, 2);
  const variables = succeeded(await tools.run("env", []));
  for (const text of [variables, refused.stderr]) {
    assert.ok(!text.includes("secret-of-mine"));
    assert.ok(!text.includes(btoa(LOGIN)));
    assert.ok(!text.includes(`:${upstream.port}`));
  }
});

Deno.test("curl is told what is wrong with the network's own proxy", async () => {
  await using upstream = company("other:login");
  const { port } = upstream;
  const url = `http://${LOGIN}@127.0.0.1:${port}`;
  await using tools = await Tools.start({ names: {}, env: { ALL_PROXY: url } });
  const curl = (address: string) => tools.run("curl", ["-sSv", address]);
  const wanted = new RegExp(
    `the proxy of this network, http://127\\.0\\.0\\.1:${port}, does not take the user name and password in ALL_PROXY`,
  );
  const plain = await curl(`http://${ORIGIN}:${tools.port}/`);
  const tunnelled = await curl(`https://${ORIGIN}:${tools.port}/`);
  assert.match(plain.stdout, wanted);
  assert.match(tunnelled.stderr, wanted);
  // The tool's own login is not what is asked for.
  assert.ok(!/ 407 /.test(plain.stderr + tunnelled.stderr));
});

Deno.test("git clones through the network's own proxy", async () => {
  await using upstream = company();
  await using tools = await behind(upstream);
  const { repositories } = tools.web;
  const repository = await GitRepository.create(`${repositories}/a.git`);
  await repository.commit({ "a.txt": "text" });
  const url = `${tools.url}/git/a.git`;
  succeeded(await tools.run("git", ["clone", "-q", url, "clone"]));
  const text = Deno.readTextFileSync(`${tools.dir.path}/clone/a.txt`);
  assert.equal(text, "text");
  assert.ok(upstream.requests.length > 0);
});

Deno.test("npm installs through the network's own proxy", async () => {
  using dir = new TempDir();
  await using registry = await NpmRegistry.start(dir.path);
  await registry.publish("left", "1.0.0", { files: { "index.js": "1" } });
  const { port } = new URL(registry.url);
  await using upstream = company();
  await using tools = await behind(upstream, [port]);
  const args = ["install", "--no-audit", "--no-fund", "--no-update-notifier"];
  succeeded(
    await tools.run("npm", [
      ...args,
      ...["--fetch-retries=0", "--prefix", tools.dir.path],
      `--registry=https://${ORIGIN}:${port}/`,
      "left@1.0.0",
    ], { NODE_EXTRA_CA_CERTS: registry.certificates.caFile }),
  );
  Deno.statSync(`${tools.dir.path}/node_modules/left/index.js`);
  assert.ok(upstream.requests.length > 0);
});

Deno.test("Python and Deno get https through the network's own proxy", async () => {
  await using upstream = company();
  await using tools = await behind(upstream);
  const url = `${tools.url}/file`;
  const python =
    `import urllib.request; print(urllib.request.urlopen("${url}").read().decode())`;
  const byPython = await tools.run("/usr/bin/python3", ["-c", python]);
  assert.equal(succeeded(byPython), "the file\n");
  const deno = `console.log(await (await fetch("${url}")).text())`;
  const args = ["eval", "--no-config", deno];
  const byDeno = await tools.run(Deno.execPath(), args, { NO_COLOR: "1" });
  assert.equal(succeeded(byDeno), "the file\n");
  assert.equal(upstream.requests.length, 2);
});
