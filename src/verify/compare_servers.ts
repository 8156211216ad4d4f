/** MCP servers and their tools. */
import { type Comparison, toolPrefix, unexpected } from "./comparison.ts";
import type { Row } from "./types.ts";
import { logName } from "./workplace.ts";

/** One row per server, and one per tool that belongs to none. */
export function compareServers(input: Comparison): Row[] {
  const { declared, observation } = input;
  const seen = new Map(
    observation.servers.map(({ name, status }) => [name, status]),
  );
  const names = new Set(declared.servers.map(({ name }) => name));
  const prefixes = [...names].map(toolPrefix);
  const tools = observation.tools.filter((tool) =>
    tool.startsWith("mcp__") && !prefixes.some((p) => tool.startsWith(p))
  );
  return [
    ...declared.servers.map((server) =>
      serverRow(server, seen.get(server.name), input.serverErrors)
    ),
    ...[...seen.keys()].filter((name) => !names.has(name)).map((name) =>
      unexpected("mcp server", name)
    ),
    ...tools.map((tool) => unexpected("mcp tool", tool)),
  ];
}

function serverRow(
  { name, from, barred, beside }: Comparison["declared"]["servers"][number],
  status: string | undefined,
  errors: Comparison["serverErrors"],
): Row {
  // What answered came from there: the relay that the agent has leads nowhere else.
  const declared = beside ? BESIDE : true;
  const row = { kind: "mcp server" as const, item: name, from, declared };
  switch (status) {
    case undefined:
      return {
        ...row,
        seen: false,
        status: "missing",
        ...(barred === undefined ? {} : { detail: barred }),
      };
    case "connected":
      return { ...row, seen: declared, status: "ok" };
    case "needs-auth":
      return {
        ...row,
        seen: status,
        status: "unobserved",
        detail: "it asks for a login, and verify uses none",
      };
    case "pending":
      return {
        ...row,
        seen: status,
        status: "failed",
        detail: "it did not connect in time",
      };
    default: {
      const reason = failure(errors.get(logName(name)) ?? []);
      return {
        ...row,
        seen: status,
        status: "failed",
        detail: reason ?? "the agent gives no reason",
      };
    }
  }
}

/** How the report names servers that the agent does not start itself. */
const BESIDE = "beside the agent";
/** How the agent's log begins what a server printed. */
export const SERVER_SAID = "Server stderr: ";

/** The agent's last word on a server, after what the server itself said. */
function failure(errors: readonly string[]): string | undefined {
  const said = errors.find((error) => error.startsWith(SERVER_SAID))
    ?.slice(SERVER_SAID.length).trim().split("\n").at(-1);
  const last = errors.filter((error) => !error.startsWith(SERVER_SAID))
    .at(-1);
  return last === undefined || said === undefined
    ? last ?? said
    : `${last} (${said})`;
}
