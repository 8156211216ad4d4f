// The plugin's own MCP server: a checklist with one box per file.
import { createInterface } from "node:readline";

const ticked = new Set();

const tick = {
  name: "tick",
  description: "Marks a file as reviewed and tells which ones are",
  inputSchema: {
    type: "object",
    properties: { file: { type: "string" } },
    required: ["file"],
  },
};

function answer(method, params) {
  switch (method) {
    case "initialize": {
      const { protocolVersion } = params;
      const serverInfo = { name: "checklist", version: "1.0.0" };
      return { protocolVersion, capabilities: { tools: {} }, serverInfo };
    }
    case "tools/list":
      return { tools: [tick] };
    case "tools/call": {
      ticked.add(params.arguments.file);
      return { content: [{ type: "text", text: [...ticked].join("\n") }] };
    }
    case "ping":
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const result = answer(method, params);
  const error = { code: -32601, message: `Unknown method ${method}` };
  const reply = { jsonrpc: "2.0", id, ...(result ? { result } : { error }) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
