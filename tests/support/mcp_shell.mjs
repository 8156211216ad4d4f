// A stdio MCP server for tests with one tool, `run`: what a bash script says, with its exit code, in the server's place.
import { spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

const EMPTY = { resources: [], prompts: [], resourceTemplates: [] };
const inputSchema = {
  type: "object",
  properties: { script: { type: "string" } },
  required: ["script"],
};

function run(script) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return `${stdout}${stderr}exit ${status}`;
}

function resultOf({ method, params }) {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion ?? "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name: "shell", version: "1" },
      };
    case "tools/list":
      return { tools: [{ name: "run", description: "run", inputSchema }] };
    case "tools/call":
      return {
        content: [{ type: "text", text: run(params.arguments.script) }],
      };
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
