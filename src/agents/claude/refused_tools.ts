/** Claude Code's records of conversations: what the system refused to its tools. */
import { refusedCalls, type RefusedTool, type ToolEntry } from "../refused.ts";
import { asRecord } from "./user_config.ts";

/** Name of the directory of the records in the agent's own. */
export const RECORDS = "projects";

/** The refused calls in a record (JSON lines) since a moment, in milliseconds since 1970. */
export function refusedTools(text: string, since: number): RefusedTool[] {
  return refusedCalls(text, since, (line) => {
    const { content } = asRecord(line["message"]);
    if (!Array.isArray(content)) return [];
    return content.map(asRecord).flatMap((part): ToolEntry[] => {
      const { type, id, name, tool_use_id: of, content: texts } = part;
      if (type === "tool_use") return [{ kind: "call", id, tool: name }];
      if (type === "tool_result") return [{ kind: "result", id: of, texts }];
      return [];
    });
  });
}
