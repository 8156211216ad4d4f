/** The programs that agents use, each with nothing but the variables that a launch gives it. */

import assert from "node:assert/strict";
import { NpmRegistry } from "../support/sources/npm_registry.ts";
import { GitRepository } from "../support/sources/git_repository.ts";
import { ORIGIN } from "../support/sources/certificates.ts";
import { RawServer } from "../support/proxy_world.ts";
import { TempDir } from "../support/temp.ts";
import { succeeded, Tools } from "./proxy_tools_world.ts";

Deno.test("curl gets https and http through the proxy, and says why when it may not", async () => {
  await using tools = await Tools.start();
  const curl = (...args: string[]) => tools.run("curl", ["-sS", ...args]);
  assert.equal(succeeded(await curl(`${tools.url}/file`)), "the file");
  const refused = await curl("https://evil.test/");
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /403/);
  assert.match(
    succeeded(await curl("http://evil.test/")),
    /^Cannot connect to "evil\.test" on port 80: .*\nTo allow it, add "evil\.test" to network\.allow /,
  );
  const verbose = await curl("-v", "https://evil.test/");
  assert.match(
    verbose.stderr,
    /403 Refused by the sandbox of aenv: evil\.test/,
  );
  assert.deepEqual(tools.world.decisions, [
    `allowed ${ORIGIN}:${tools.port}`,
    "refused evil.test:443 not-listed",
    "refused evil.test:80 not-listed",
    "refused evil.test:443 not-listed",
  ]);
});

Deno.test("curl gets https over SOCKS, where the proxy resolves the name", async () => {
  await using tools = await Tools.start();
  const { user, password } = tools.world.proxy.credential;
  const socks = `socks5h://${user}:${password}@127.0.0.1:${tools.world.port}`;
  const env = { HTTPS_PROXY: socks, "https_proxy": socks };
  const done = await tools.run("curl", ["-sS", `${tools.url}/file`], env);
  assert.equal(succeeded(done), "the file");
  assert.equal(tools.world.events[0]!.protocol, "socks");
  const refused = await tools.run("curl", ["-sS", "https://evil.test/"], env);
  assert.equal(refused.code, 97, refused.stderr);
});

Deno.test("curl that connects to a granted port of this machine need not use the proxy", async () => {
  await using tools = await Tools.start();
  const url = `https://localhost:${tools.port}/file`;
  const done = await tools.run("curl", ["-sS", url]);
  assert.equal(succeeded(done), "the file");
});

Deno.test("twenty transfers at once all arrive", async () => {
  await using tools = await Tools.start();
  const big = crypto.getRandomValues(new Uint8Array(60_000));
  tools.web.serve("/big", big);
  const urls = Array.from({ length: 20 }, () => `${tools.url}/big`);
  const outputs = urls.flatMap((_, index) => ["-o", `out-${index}`]);
  const args = ["-sS", "--no-keepalive", "--http1.1", "-Z", ...outputs];
  succeeded(await tools.run("curl", [...args, ...urls]));
  for (const index of urls.keys()) {
    const file = Deno.readFileSync(`${tools.dir.path}/out-${index}`);
    assert.deepEqual(file, big);
  }
});

Deno.test("git clones and pushes nothing but what the proxy lets through", async () => {
  await using tools = await Tools.start();
  const { repositories } = tools.web;
  const repository = await GitRepository.create(`${repositories}/a.git`);
  await repository.commit({ "a.txt": "text" });
  const url = `${tools.url}/git/a.git`;
  succeeded(await tools.run("git", ["clone", "-q", url, "clone"]));
  const text = Deno.readTextFileSync(`${tools.dir.path}/clone/a.txt`);
  assert.equal(text, "text");
  const args = ["ls-remote", "https://evil.test/a.git"];
  const refused = await tools.run("git", args);
  assert.equal(refused.code, 128);
  assert.match(refused.stderr, /403/);
});

Deno.test("git over ssh goes through the proxy, and the user's own ssh command stays", async () => {
  await using server = new RawServer(async (client) => {
    await client.send("SSH-2.0-test\r\n");
    await client.until("SSH-2.0-OpenSSH");
    client[Symbol.dispose]();
  });
  await using tools = await Tools.start({ ports: [String(server.port)] });
  const url = `ssh://git@${ORIGIN}:${server.port}/a.git`;
  const own = { GIT_SSH_COMMAND: "ssh -o UserKnownHostsFile=/dev/null" };
  const env = tools.world.proxy.environment(own);
  assert.ok(env["GIT_SSH_COMMAND"]!.startsWith(own.GIT_SSH_COMMAND));
  const done = await tools.run("git", ["ls-remote", url], env);
  // The server is no ssh server beyond its first line.
  assert.equal(done.code, 128);
  assert.match(server.connections[0]!.text, /^SSH-2\.0-OpenSSH/);
  const evil = `ssh://git@evil.test:${server.port}/a.git`;
  const refused = await tools.run("git", ["ls-remote", evil], env);
  assert.match(refused.stderr, /403 Refused by the sandbox of aenv/);
});

Deno.test("npm installs a package through the proxy, whatever proxy its own settings name", async () => {
  using dir = new TempDir();
  await using registry = await NpmRegistry.start(dir.path);
  await registry.publish("left", "1.0.0", { files: { "index.js": "1" } });
  const { port } = new URL(registry.url);
  await using tools = await Tools.start({ ports: [port] });
  const home = `${tools.dir.path}/home`;
  Deno.mkdirSync(home);
  Deno.writeTextFileSync(
    `${home}/.npmrc`,
    "https-proxy=http://127.0.0.1:1\nproxy=http://127.0.0.1:1\n",
  );
  const url = `https://${ORIGIN}:${port}/`;
  const env = { NODE_EXTRA_CA_CERTS: registry.certificates.caFile };
  const args = ["install", "--no-audit", "--no-fund", "--no-update-notifier"];
  const install = [...args, "--fetch-retries=0", "--prefix", tools.dir.path];
  const done = await tools.run("npm", [
    ...install,
    `--registry=${url}`,
    "left@1.0.0",
  ], env);
  succeeded(done);
  Deno.statSync(`${tools.dir.path}/node_modules/left/index.js`);
  const hosts = new Set(tools.world.events.map(({ host }) => host));
  assert.deepEqual([...hosts], [ORIGIN]);
  const evil = "--registry=https://evil.test/";
  const refused = await tools.run("npm", [...install, evil, "other"], env);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /403/);
});

Deno.test("Python gets https through the proxy, and shows why when it may not", async () => {
  await using tools = await Tools.start();
  const script = (url: string) =>
    `import urllib.request; print(urllib.request.urlopen("${url}").read().decode())`;
  const python = (url: string) =>
    tools.run("/usr/bin/python3", ["-c", script(url)]);
  assert.equal(succeeded(await python(`${tools.url}/file`)), "the file\n");
  const refused = await python("https://evil.test/");
  assert.match(
    refused.stderr,
    /Tunnel connection failed: 403 Refused by the sandbox of aenv: evil\.test is not in network\.allow/,
  );
});

Deno.test("Deno's fetch gets https through the proxy", async () => {
  await using tools = await Tools.start();
  const script = (url: string) =>
    `console.log(await (await fetch("${url}")).text())`;
  const deno = (url: string) =>
    tools.run(Deno.execPath(), ["eval", "--no-config", script(url)], {
      NO_COLOR: "1",
    });
  assert.equal(succeeded(await deno(`${tools.url}/file`)), "the file\n");
  assert.match((await deno("http://evil.test/")).stdout, /^Cannot connect to/);
});

Deno.test("a WebSocket goes through a tunnel", async () => {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => undefined,
  }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = (event) => socket.send(`echo ${event.data}`);
    return response;
  });
  const { port } = server.addr;
  {
    await using tools = await Tools.start({ ports: [String(port)] });
    const script = `const s = new WebSocket("ws://${ORIGIN}:${port}/");
      s.onopen = () => s.send("hello");
      s.onmessage = (event) => { console.log(event.data); s.close(); };`;
    const args = ["eval", "--no-config", script];
    const done = await tools.run(Deno.execPath(), args, { NO_COLOR: "1" });
    assert.equal(succeeded(done), "echo hello\n");
    assert.deepEqual(tools.world.decisions, [`allowed ${ORIGIN}:${port}`]);
  }
  await server.shutdown();
});
