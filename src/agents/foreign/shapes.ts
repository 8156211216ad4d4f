/** Where the servers stand in a file or link of another program. */
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { asList, asRecord, isRecord } from "../claude/user_config.ts";
import { parseJson } from "./jsonc.ts";
import type { Input } from "./references.ts";
import { convertServer, type FoundServer } from "./server.ts";
import type { ForeignContext, ForeignServer, ForeignText } from "./types.ts";

/** Keys that lead to the part of a settings file that is about servers. */
const WAYS: readonly (readonly string[])[] = [
  [],
  ["mcp"],
  ["settings", "mcp"],
  ["customizations", "vscode", "mcp"],
  ["customizations", "vscode", "settings", "mcp"],
];
const LISTS = ["mcpServers", "servers"];

/** The servers of a text; none where it has a place for them that is empty or missing. Throws `CONTENT_INVALID`. */
export function foreignServers(
  text: ForeignText,
  context: ForeignContext,
): ForeignServer[] {
  return findServers(text).map((found) => convertServer(found, context));
}

function findServers(text: ForeignText): FoundServer[] {
  const { from, at, name } = text;
  const whole = parse(text);
  if (!isRecord(whole)) throw unusable(from, "it is not a JSON object");
  if (at !== undefined) {
    return at.flatMap((way) => {
      const part = follow(whole, way.slice(0, -1)) ?? {};
      return entriesOf(asRecord(part[way.at(-1)!]), part, from);
    });
  }
  if (isServer(whole)) {
    const own = name ?? whole["name"];
    if (typeof own !== "string") throw unusable(from, "the server has no name");
    return [{ name: own, entry: whole, from, inputs: inputsOf(whole) }];
  }
  for (const way of WAYS) {
    const part = follow(whole, way);
    if (part === undefined) continue;
    const list = LISTS.find((key) => isRecord(part[key]));
    if (list !== undefined) {
      return entriesOf(asRecord(part[list]), part, from);
    }
  }
  for (const key of ["mcp.servers", "mcp.mcpServers"]) {
    if (isRecord(whole[key])) return entriesOf(whole[key], whole, from);
  }
  const values = Object.values(whole);
  if (values.length > 0 && values.every(isServer)) {
    return entriesOf(whole, {}, from);
  }
  // With a name it is meant to be a server, and what it lacks can be said.
  if (name !== undefined) {
    return [{ name, entry: whole, from, inputs: new Map() }];
  }
  throw unusable(from, "it has no MCP servers");
}

function parse({ text, from, comments }: ForeignText): unknown {
  try {
    return parseJson(text, { comments });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's words quote the text, which may hold credentials.
    const place = /\(?line (\d+) column (\d+)\)?/.exec(error.message);
    const where = place && !comments
      ? ` (line ${place[1]}, column ${place[2]})`
      : "";
    throw unusable(from, `it is not valid JSON${where}`);
  }
}

function unusable(from: string, state: string): AppError {
  return new AppError(
    "CONTENT_INVALID",
    `Cannot read MCP servers of ${quote(from)}: ${state}`,
  );
}

/** A declaration says how a server is reached. */
function isServer(value: unknown): value is Record<string, unknown> {
  const entry = asRecord(value);
  return ["command", "url", "serverUrl", "httpUrl"].some((key) =>
    typeof entry[key] === "string"
  );
}

function follow(
  whole: Record<string, unknown>,
  way: readonly string[],
): Record<string, unknown> | undefined {
  let part: unknown = whole;
  for (const key of way) part = asRecord(part)[key];
  return isRecord(part) ? part : undefined;
}

function entriesOf(
  table: Readonly<Record<string, unknown>>,
  part: Readonly<Record<string, unknown>>,
  from: string,
): FoundServer[] {
  const inputs = inputsOf(part);
  return Object.entries(table).map(([name, entry]) => ({
    name,
    entry,
    from,
    inputs,
  }));
}

/** The `inputs` of VS Code, by id. */
function inputsOf(part: Readonly<Record<string, unknown>>): Map<string, Input> {
  const inputs = new Map<string, Input>();
  for (const item of asList(part["inputs"])) {
    const { id, type, password, description, default: fallback } = asRecord(
      item,
    );
    if (typeof id !== "string") continue;
    inputs.set(id, {
      id,
      kind: type === "command"
        ? "unusable"
        : password === true
        ? "secret"
        : "text",
      description: typeof description === "string" ? description : "",
      fallback: typeof fallback === "string" ? fallback : undefined,
    });
  }
  return inputs;
}
