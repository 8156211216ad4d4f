// An MCP server in one file, without a dependency: hands out the team's review notes.
import { createInterface } from "node:readline";

const NOTES = [
  "Every change of behaviour has a test.",
  "An error message names what it is about, and what to do.",
];

const TOOL = {
  name: "read_notes",
  description: "Reads the team's notes on how code is reviewed",
  inputSchema: { type: "object", properties: {} },
};

const ANSWERS = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "notes", version: "1.0.0" },
  }),
  "tools/list": () => ({ tools: [TOOL] }),
  "tools/call": () => ({ content: [{ type: "text", text: NOTES.join("\n") }] }),
  ping: () => ({}),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params = {} } = JSON.parse(line);
  if (id === undefined) continue;
  const answer = ANSWERS[method];
  const error = { code: -32601, message: `Unknown method ${method}` };
  const outcome = answer ? { result: answer(params) } : { error };
  const reply = JSON.stringify({ jsonrpc: "2.0", id, ...outcome });
  process.stdout.write(`${reply}\n`);
}
