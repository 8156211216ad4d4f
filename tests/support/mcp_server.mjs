// A stdio MCP server for tests: `node mcp_server.mjs NAME DIRECTORY`. It writes its environment to DIRECTORY/NAME when it
// starts, and offers one tool, `ping`, described by its name.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [name, directory] = process.argv.slice(2);
const environment = Object.entries(process.env).map(([key, value]) =>
  `${key}=${value}\n`
);
writeFileSync(join(directory, name), environment.join(""));

const EMPTY = { resources: [], prompts: [], resourceTemplates: [] };

function resultOf({ method, params }) {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion ?? "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name, version: "1" },
      };
    case "tools/list": {
      const inputSchema = { type: "object", properties: {} };
      return { tools: [{ name: "ping", description: name, inputSchema }] };
    }
    case "tools/call":
      return { content: [{ type: "text", text: `pong from ${name}` }] };
    case "ping":
      return {};
  }
  return /^(resources|prompts|resources\/templates)\/list$/.test(method)
    ? EMPTY
    : undefined;
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.id === undefined) continue;
  const result = resultOf(message);
  const answer = result === undefined
    ? { error: { code: -32601, message: "Method not found" } }
    : { result };
  const text = JSON.stringify({ jsonrpc: "2.0", id: message.id, ...answer });
  process.stdout.write(`${text}\n`);
}
