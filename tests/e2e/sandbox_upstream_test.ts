/** A confined program where the user's own network has a proxy with a login. */

import assert from "node:assert/strict";
import { claimAs } from "../enforcement/world.ts";
import { run } from "../support/process.ts";
import { RawServer } from "../support/proxy_world.ts";
import { UpstreamProxy } from "../support/upstream_proxy.ts";
import { WorkWorld } from "./sandbox_work_world.ts";

const SECRET = "secret-of-mine";
const HOSTS =
  'network = { mode = "hosts", allow = ["far.test", "far.test:*"] }';

/** What is tried inside: the listed host, another one, the proxy itself; and where its login could be found. */
const SCRIPT = `
curl -sS "http://far.test:$1/"; echo
curl -sS "http://evil.test:$1/" || true
curl -sS --noproxy "*" --max-time 30 "http://127.0.0.1:$2/" 2>&1 || true
curl -sS "http://127.0.0.1:$2/" || true
env; cat /proc/[0-9]*/environ 2> /dev/null | tr '\\0' '\\n'
`;

claimAs(
  "a confined program reaches listed hosts through the proxy of the user's own network, and finds its login nowhere",
  async (user) => {
    using world = await WorkWorld.open(user, HOSTS);
    await using server = new RawServer(async (client) => {
      await client.until("\r\n\r\n");
      await client.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfound");
    });
    await using upstream = new UpstreamProxy({
      login: `me:${SECRET}`,
      names: ["far.test", "evil.test"],
    });
    const ports = [server.port, upstream.port].map(String);
    const words = ["bash", "-c", SCRIPT, "bash", ...ports];
    const env = { ...world.env, ...upstream.env };
    const done = await run(...world.command(...words), {
      env,
      cwd: world.project,
      timeoutMs: 120_000,
    });
    const said = done.stdout + done.stderr;
    assert.match(done.stdout, /^found\n/, said);
    assert.match(done.stdout, /Cannot connect to "evil\.test"/);
    assert.match(done.stdout, /Cannot connect to "127\.0\.0\.1"/);
    assert.deepEqual(upstream.requests, [
      `GET http://far.test:${server.port}/ HTTP/1.1`,
    ]);
    for (const secret of [SECRET, btoa(`me:${SECRET}`)]) {
      assert.ok(!said.includes(secret), said);
    }
    const log = await world.aenv(["audit"]);
    assert.ok(!log.stdout.includes(SECRET), log.stdout);
    const through = `http://127.0.0.1:${upstream.port}`;
    assert.ok(log.stdout.includes(`, through ${through}\n`), log.stdout);
  },
);
