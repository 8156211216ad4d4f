/** What agents' own records of conversations say that the system refused to their tools. */

/** A call that failed for want of a right. */
export interface RefusedTool {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `Bash`, `exec_command`, …; empty when the record does not say. */
  readonly tool: string;
  /** The line of its output that says so. */
  readonly why: string;
}

const REFUSED =
  /permission denied|operation not permitted|read-only file system|\b(EACCES|EPERM|EROFS)\b/i;
/** What lines have that are about calls: most are not. */
const CALL = /tool_use|tool_result|_call/;
/** One command can walk over thousands of closed directories. */
const MAX_LINES = 5;
/** Longer lines of a record hold more than words. */
const MAX_RECORD = 1024 * 1024;
const MAX_CALLS = 10_000;

/** A call, or what came of it, as one entry of a record has it. */
export type ToolEntry =
  | { readonly kind: "call"; readonly id: unknown; readonly tool: unknown }
  | { readonly kind: "result"; readonly id: unknown; readonly texts: unknown };

/**
 * The refused calls in a record (JSON lines) since a moment. `entriesOf` finds the entries in a line; lines that are not as
 * expected are left out: whoever is confined can write them.
 */
export function refusedCalls(
  text: string,
  since: number,
  entriesOf: (line: Readonly<Record<string, unknown>>) => readonly ToolEntry[],
): RefusedTool[] {
  const tools = new Map<unknown, string>();
  return text.split("\n").flatMap((line) => {
    const isLooked = CALL.test(line) && line.length <= MAX_RECORD;
    const record = isLooked ? parse(line) : undefined;
    if (record === undefined) return [];
    const time = Date.parse(String(record["timestamp"]));
    return entriesOf(record).flatMap((entry) => {
      if (entry.kind === "call") {
        if (tools.size < MAX_CALLS) tools.set(entry.id, String(entry.tool));
        return [];
      }
      if (!(time >= since)) return [];
      const tool = tools.get(entry.id) ?? "";
      return refusedLines(entry.texts).map((why) => ({ time, tool, why }));
    });
  });
}

/** Lines of a text, or of those in a list of `{ text }`. */
function refusedLines(texts: unknown): string[] {
  const all = Array.isArray(texts)
    ? texts.map((part) => (part as { text?: unknown } | null)?.text)
    : [texts];
  return all.filter((text) => typeof text === "string")
    .flatMap((text) => text.split("\n")).map((line) => line.trim())
    .filter((line) => REFUSED.test(line)).slice(0, MAX_LINES);
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null;
    return isObject ? value as Record<string, unknown> : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
