/** What the agent's own record of a conversation says that the system refused to its tools. */
import { asRecord } from "./user_config.ts";

/** A call that failed for want of a right. */
export interface RefusedTool {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `Bash`, `Read`, …; empty when the record does not say. */
  readonly tool: string;
  /** The line of its output that says so. */
  readonly why: string;
}

const REFUSED =
  /permission denied|operation not permitted|read-only file system|\b(EACCES|EPERM|EROFS)\b/i;
/** One command can walk over thousands of closed directories. */
const MAX_LINES = 5;
/** Longer lines of a record hold more than words. */
const MAX_RECORD = 1024 * 1024;
const MAX_CALLS = 10_000;

/** The refused calls in a record (JSON lines) since a moment. Lines that are not as expected are left out: whoever is confined can write them. */
export function refusedTools(text: string, since: number): RefusedTool[] {
  const tools = new Map<string, string>();
  return text.split("\n").flatMap((line) => {
    const isOfUse = line.includes('"tool_use"') ||
      (line.includes('"tool_result"') && REFUSED.test(line));
    if (!isOfUse || line.length > MAX_RECORD) return [];
    const { timestamp, message } = parse(line);
    const { content } = asRecord(message);
    if (!Array.isArray(content)) return [];
    const time = Date.parse(String(timestamp));
    return content.map(asRecord).flatMap((part) => {
      const { type, id, name } = part;
      if (type === "tool_use" && tools.size < MAX_CALLS) {
        tools.set(String(id), String(name));
      }
      if (type !== "tool_result" || !(time >= since)) return [];
      const tool = tools.get(String(part["tool_use_id"])) ?? "";
      return linesOf(part["content"]).filter((why) => REFUSED.test(why))
        .slice(0, MAX_LINES).map((why) => ({ time, tool, why }));
    });
  });
}

function linesOf(content: unknown): string[] {
  const texts = Array.isArray(content)
    ? content.map((part) => asRecord(part)["text"])
    : [content];
  return texts.filter((text) => typeof text === "string")
    .flatMap((text) => text.split("\n")).map((line) => line.trim());
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return asRecord(JSON.parse(line));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}
