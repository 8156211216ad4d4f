import { deepStrictEqual } from "node:assert/strict";
import { refusedTools } from "./refused_tools.ts";

/** As Codex 0.169 writes it. */
function line(payload: Record<string, unknown>): string {
  const timestamp = "2026-11-20T17:21:30.007Z";
  return JSON.stringify({ timestamp, type: "response_item", payload });
}

Deno.test("refusedTools() finds what the system refused to Codex, in texts and in lists of them", () => {
  const text = [
    line({ type: "function_call", name: "exec_command", "call_id": "1" }),
    line({
      type: "function_call_output",
      "call_id": "1",
      output: "Wall time: 0\nOutput:\nhi\ncat: /x: Permission denied\n",
    }),
    line({ type: "custom_tool_call", name: "apply_patch", "call_id": "2" }),
    line({
      type: "custom_tool_call_output",
      "call_id": "2",
      output: [{ type: "input_text", text: "Read-only file system" }],
    }),
    line({ type: "message", content: "Permission denied" }),
  ].join("\n");
  deepStrictEqual(
    refusedTools(text, 0).map(({ tool, why }) => [tool, why]),
    [
      ["exec_command", "cat: /x: Permission denied"],
      ["apply_patch", "Read-only file system"],
    ],
  );
  deepStrictEqual(refusedTools(text, Date.parse("2027-01-01")), []);
});
