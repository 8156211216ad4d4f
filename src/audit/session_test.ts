import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import "../../tests/support/open_libc.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { AuditLog } from "./log.ts";
import { readNewest } from "./read.ts";
import { SessionLog } from "./session.ts";

const SUBJECT = { env: "work", session: "7-1" };

class World extends TempDir {
  now = 0;
  readonly log = new AuditLog(join(this.path as AbsPath, "audit"));
  readonly session = new SessionLog(this.log, SUBJECT, () => this.now);

  refuse(to: string, domain = "agent"): void {
    this.session.tell({ event: "connect-refused", to, why: "EACCES" }, domain);
  }

  records(): Record<string, unknown>[] {
    return readNewest(this.log.files, { count: 1e6, wants: () => true });
  }
}

Deno.test("SessionLog.tell() writes whose event it is", () => {
  using world = new World();
  world.refuse("/run/docker.sock", "mcp.github");
  const { time: _t, prev: _p, ...rest } = world.records()[0]!;
  deepStrictEqual(rest, {
    ...{ n: 1, event: "connect-refused", env: "work", session: "7-1" },
    ...{ domain: "mcp.github", to: "/run/docker.sock", why: "EACCES", at: 0 },
  });
});

Deno.test("SessionLog.tell() limits what an agent can have written, and says how much there was", () => {
  using world = new World();
  for (let i = 0; i < 100_000; i++) {
    world.refuse(`/x/${i}`);
    world.now += 0.1;
  }
  world.session.end();
  const records = world.records();
  ok(records.length < 50, `${records.length}`);
  const omitted = records.filter(({ event }) => event === "left-out")
    .reduce((sum, { count }) => sum + Number(count), 0);
  const told = records.filter(({ event }) => event === "connect-refused");
  strictEqual(told.length + omitted, 100_000);
});

Deno.test("SessionLog.tell() does not let one kind or domain hide another", () => {
  using world = new World();
  for (let i = 0; i < 1000; i++) world.refuse(`/x/${i}`);
  world.refuse("/run/user/bus", "mcp.other");
  const why = "not listed";
  const refused = {
    event: "host-refused",
    host: "e.com",
    port: 1,
    why,
  } as const;
  world.session.tell(refused, "agent");
  const [other, host] = world.records().slice(-2);
  deepStrictEqual([other!["to"], host!["host"]], ["/run/user/bus", "e.com"]);
});

Deno.test("SessionLog.tell() writes an allowed host once for each port and domain", () => {
  using world = new World();
  const allowed = (host: string, port: number, domain: string) =>
    world.session.tell(
      { event: "host-allowed", host, port, rule: "@agent" },
      domain,
    );
  for (let i = 0; i < 100; i++) allowed("api.example.com", 443, "agent");
  allowed("api.example.com", 80, "agent");
  allowed("api.example.com", 443, "mcp.x");
  strictEqual(world.records().length, 3);
});

Deno.test("SessionLog.tell() keeps the session going when the log cannot be written", () => {
  using world = new World();
  Deno.writeTextFileSync(join(world.path as AbsPath, "audit"), "in the way");
  world.refuse("/run/docker.sock");
  ok(world.session.problem?.startsWith("Cannot make"), world.session.problem);
});
