/** Codex's records of conversations: what the system refused to its tools. */
import { refusedCalls, type RefusedTool } from "../refused.ts";

/** Name of the directory of the records in the agent's own. */
export const RECORDS = "sessions";

/** The refused calls in a record (JSON lines) since a moment, in milliseconds since 1970. */
export function refusedTools(text: string, since: number): RefusedTool[] {
  return refusedCalls(text, since, ({ payload }) => {
    if (typeof payload !== "object" || payload === null) return [];
    const { type, call_id: id, name, output } = payload as Record<
      string,
      unknown
    >;
    // Of a patch, and of a command.
    if (/^(custom_tool|function)_call$/.test(String(type))) {
      return [{ kind: "call", id, tool: name }];
    }
    return /^(custom_tool|function)_call_output$/.test(String(type))
      ? [{ kind: "result", id, texts: output }]
      : [];
  });
}
