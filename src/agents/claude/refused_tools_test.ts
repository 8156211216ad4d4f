import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { refusedTools } from "./refused_tools.ts";

const TIME = "2026-11-20T18:05:37.966Z";
const AT = Date.parse(TIME);

function use(id: string, name: string): string {
  const content = [{ type: "tool_use", id, name, input: {} }];
  return JSON.stringify({
    type: "assistant",
    timestamp: TIME,
    message: { content },
  });
}

function result(id: string, content: unknown, timestamp = TIME): string {
  const part = { type: "tool_result", "tool_use_id": id, content };
  return JSON.stringify({
    type: "user",
    timestamp,
    message: { content: [part] },
  });
}

Deno.test("refusedTools() finds what the system refused, by the tool and the line that says so", () => {
  const text = [
    use("a", "Bash"),
    result("a", "Exit code 1\ncat: /home/me/.ssh/id_rsa: Permission denied"),
    use("b", "Read"),
    result("b", "EACCES: permission denied, open '/home/me/.netrc'"),
    use("c", "Bash"),
    result("c", [{
      type: "text",
      text: "kill 1 failed: operation not permitted",
    }]),
    use("d", "Bash"),
    result("d", "touch: cannot touch 'x': Read-only file system"),
  ].join("\n");
  deepStrictEqual(refusedTools(text, 0), [
    {
      time: AT,
      tool: "Bash",
      why: "cat: /home/me/.ssh/id_rsa: Permission denied",
    },
    {
      time: AT,
      tool: "Read",
      why: "EACCES: permission denied, open '/home/me/.netrc'",
    },
    { time: AT, tool: "Bash", why: "kill 1 failed: operation not permitted" },
    {
      time: AT,
      tool: "Bash",
      why: "touch: cannot touch 'x': Read-only file system",
    },
  ]);
});

Deno.test("refusedTools() leaves out what was before, what went well and what only talks about it", () => {
  const said = {
    timestamp: TIME,
    message: { content: [{ type: "text", text: "Permission denied" }] },
  };
  const text = [
    use("a", "Bash"),
    result("a", "Permission denied", "2026-11-20T18:05:37.000Z"),
    result("a", "fine"),
    JSON.stringify(said),
    "Permission denied",
  ].join("\n");
  deepStrictEqual(refusedTools(text, AT), []);
});

Deno.test("refusedTools() takes a few lines of one call", () => {
  const many = "find: /x: Permission denied\n".repeat(1000);
  deepStrictEqual(refusedTools(result("a", many), AT).length, 5);
});

Deno.test("refusedTools() reads any record", () => {
  const content = fc.oneof(fc.jsonValue(), fc.constant([{ text: 1 }]));
  const line = fc.oneof(
    fc.string(),
    content.map((value) => result("a", value)),
    fc.jsonValue().map((value) =>
      `{"message":${JSON.stringify(value)},"x":"tool_use"}`
    ),
  );
  fc.assert(fc.property(fc.array(line), (lines) => {
    refusedTools(lines.join("\n"), 0);
  }));
});
