import { deepStrictEqual } from "node:assert/strict";
import "../../tests/support/open_libc.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { AuditLog, readNewest, SessionLog } from "../audit/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { tellRefusedTools } from "./audit_told.ts";

class World extends TempDir {
  readonly dir = join(this.path as AbsPath, "claude");
  readonly #log = new AuditLog(join(this.path as AbsPath, "audit"));

  write(name: string, why: string): string {
    const path = join(this.dir, name);
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    const content = [{ type: "tool_result", content: `${why}: EACCES` }];
    const timestamp = new Date().toISOString();
    Deno.writeTextFileSync(
      path,
      JSON.stringify({ timestamp, message: { content } }) + "\n",
    );
    return path;
  }

  told(since: number): unknown[] {
    const log = new SessionLog(this.#log, {});
    const codex = join(this.path as AbsPath, "codex");
    tellRefusedTools({ claude: this.dir, codex, since }, log);
    return readNewest(this.#log.files, { count: 100, wants: () => true })
      .map(({ why }) => why).sort();
  }
}

Deno.test("tellRefusedTools() reads the records of a session, and those of what it started, each refusal once", () => {
  using world = new World();
  const since = Date.now() - 1000;
  world.write("projects/a/1.jsonl", "one");
  world.write("projects/a/1/subagents/2.jsonl", "two");
  world.write("projects/b/3.jsonl", "one");
  world.write("projects/a/notes.txt", "no record");
  const old = world.write("projects/a/0.jsonl", "before");
  Deno.utimeSync(old, new Date(since - 10_000), new Date(since - 10_000));
  deepStrictEqual(world.told(since), ["one: EACCES", "two: EACCES"]);
});

Deno.test("tellRefusedTools() reads the records of Codex", () => {
  using world = new World();
  const dir = `${world.path}/codex/sessions/2026/11/20`;
  Deno.mkdirSync(dir, { recursive: true });
  const payload = { type: "function_call_output", output: "x: EACCES" };
  const line = { timestamp: new Date().toISOString(), payload };
  Deno.writeTextFileSync(`${dir}/rollout-1.jsonl`, JSON.stringify(line));
  deepStrictEqual(world.told(0), ["x: EACCES"]);
});

Deno.test("tellRefusedTools() follows no link, opens no pipe and goes on past what is closed", () => {
  using world = new World();
  const since = Date.now() - 1000;
  world.write("projects/z/1.jsonl", "one");
  const outside = world.write("../outside/1.jsonl", "outside");
  Deno.symlinkSync(outside, `${world.dir}/projects/z/link.jsonl`);
  Deno.symlinkSync(`${world.path}/outside`, `${world.dir}/projects/link`);
  const fifo = `${world.dir}/projects/z/fifo.jsonl`;
  new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
  const closed = world.write("projects/a/1.jsonl", "closed");
  Deno.chmodSync(closed, 0);
  deepStrictEqual(
    world.told(since).filter((why) => why !== "closed: EACCES"),
    ["one: EACCES"],
  );
});

Deno.test("tellRefusedTools() is content with an agent that has no records", () => {
  using world = new World();
  deepStrictEqual(world.told(0), []);
});
