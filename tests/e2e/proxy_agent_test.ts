/** The real agent with nothing but the proxy's variables: its model's API, and what its tools may reach. */

import assert from "node:assert/strict";
import { startProxy } from "../../src/sandbox/network/proxy.ts";
import { parseRules } from "../../src/sandbox/network/rules.ts";
import type { ProxyEvent } from "../../src/sandbox/network/events.ts";
import { claudePrograms } from "../support/agents.ts";
import { run } from "../support/process.ts";
import { StubApi } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";

for (const { label, path } of claudePrograms()) {
  Deno.test(`Claude Code ${label} reaches its API through the proxy by @agent, and its tools are told why they may not go elsewhere`, async () => {
    using dir = new TempDir();
    await using api = new StubApi([
      { bash: "curl -sS http://evil.test/ > refusal; echo done" },
    ]);
    const events: ProxyEvent[] = [];
    const bugs: unknown[] = [];
    const rules = parseRules(["@agent"], {
      agent: "claude",
      agentUrls: [api.url],
      packages: {},
    });
    const proxy = startProxy(rules, {
      manifest: "/home/me/aenv.toml",
      audit: (event) => events.push(event),
      onBug: (error) => bugs.push(error),
      lookUp: () => Promise.resolve([]),
    });
    const args = ["-p", "hello", "--permission-mode", "bypassPermissions"];
    const done = await run(path, args, {
      cwd: dir.path,
      env: {
        PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
        HOME: dir.path,
        ANTHROPIC_BASE_URL: api.url,
        ANTHROPIC_API_KEY: "sk-test",
        IS_SANDBOX: "1",
        ...proxy.environment(),
      },
    });
    await proxy.close();
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const refusal = Deno.readTextFileSync(`${dir.path}/refusal`);
    assert.match(refusal, /^Cannot connect to "evil\.test" on port 80: /);
    const port = Number(new URL(api.url).port);
    const calls = events.filter((event) => event.port === port);
    assert.ok(calls.length > 0);
    assert.ok(calls.every(({ decision }) => decision === "allowed"));
    const refused = events.filter(({ decision }) => decision === "refused");
    assert.ok(refused.some(({ host }) => host === "evil.test"));
    assert.deepEqual(bugs, []);
  });
}
