/** One variable in the text of a settings.json: every other byte stays. */
import { asRecord, isRecord, parseJsonObject } from "./user_config.ts";

/** A text with one more piece in it. */
export interface Insertion {
  readonly text: string;
  /** Where the piece begins, in characters, and what it is: without it the text is what it was. */
  readonly at: number;
  readonly piece: string;
}

/** Start and end (exclusive) of a part of a text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A member of an object: its key, and its value. */
interface Member extends Span {
  readonly key: string;
  readonly value: Span;
}

const NEW_FILE = { open: "{\n  ", close: "\n}\n" };

/** `text` with `env.<name>` set, which it has not; undefined when it is no JSON object or its `env` is something else. */
export function insertVariable(
  text: string,
  name: string,
  value: string,
): Insertion | undefined {
  const settings = parseJsonObject(text);
  if (settings === undefined) return undefined;
  const env = settings["env"];
  if (env !== undefined && !isRecord(env)) return undefined;
  const found = place(
    text,
    `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const result = text.slice(0, found.at) + found.piece + text.slice(found.at);
  const wanted = { ...settings, env: { ...asRecord(env), [name]: value } };
  return isEqual(parseJsonObject(result), wanted)
    ? { ...found, text: result }
    : undefined;
}

/** The whole text of a settings file with nothing but `env.<name>`. */
export function newSettings(name: string, value: string): string {
  const member = `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
  return `${NEW_FILE.open}"env": {\n    ${member}\n  }${NEW_FILE.close}`;
}

/** `text` without `env.<name>`; undefined when it has none, or when that cannot be told. */
export function removeVariable(text: string, name: string): string | undefined {
  const settings = parseJsonObject(text);
  if (settings === undefined) return undefined;
  const env = last(membersOf(text, wholeOf(text)), "env");
  if (env === undefined || text[env.value.start] !== "{") return undefined;
  const members = membersOf(text, env.value);
  const index = members.findLastIndex(({ key }) => key === name);
  if (index < 0) return undefined;
  const [before, own, after] = [
    members[index - 1],
    members[index]!,
    members[index + 1],
  ];
  // With the comma behind it, or for the last one that before it.
  const start = after ? own.start : before?.end ?? env.value.start + 1;
  const end = after?.start ?? (before ? own.end : env.value.end - 1);
  const result = text.slice(0, start) + text.slice(end);
  const { [name]: _, ...rest } = asRecord(settings["env"]);
  return isEqual(parseJsonObject(result), { ...settings, env: rest })
    ? result
    : undefined;
}

/** The value of `env.<name>`. */
export function variableIn(text: string, name: string): unknown {
  return asRecord(parseJsonObject(text)?.["env"])[name];
}

function isEqual(a: unknown, b: unknown): boolean {
  return a !== undefined && sorted(a) === sorted(b);
}

/** The same text for objects that differ in the order of their keys only. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    isRecord(item)
      ? Object.fromEntries(
        Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1),
      )
      : item);
}

/** Where a member of `env` goes, and all that has to be written there. */
function place(text: string, member: string): Omit<Insertion, "text"> {
  const whole = wholeOf(text);
  const members = membersOf(text, whole);
  const env = last(members, "env");
  if (env !== undefined) {
    const at = env.value.start + 1;
    const [first] = membersOf(text, env.value);
    const space = first && text.slice(at, first.start);
    return { at, piece: first ? `${space}${member},` : member };
  }
  const at = whole.start + 1;
  const [first] = members;
  if (first === undefined) {
    return { at, piece: `\n  "env": {\n    ${member}\n  }\n` };
  }
  const space = text.slice(at, first.start);
  const line = /\n[ \t]*$/.exec(space)?.[0];
  const inner = line === undefined ? "" : line + line.slice(1);
  return {
    at,
    piece: `${space}"env": {${inner}${member}${line ?? ""}},`,
  };
}

function last(members: readonly Member[], key: string): Member | undefined {
  return members.findLast((member) => member.key === key);
}

function wholeOf(text: string): Span {
  return { start: text.indexOf("{"), end: text.lastIndexOf("}") + 1 };
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** The members of the object at `span` in valid JSON. */
function membersOf(text: string, span: Span): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let key: Span | undefined;
  let value: number | undefined;
  let end = span.start;
  for (const match of text.slice(span.start, span.end).matchAll(TOKEN)) {
    const [token] = match;
    const start = span.start + match.index;
    const isEnd = depth === 1 && (token === "," || token === "}");
    if (isEnd && key && value !== undefined) {
      const name = JSON.parse(text.slice(key.start, key.end)) as string;
      members.push({
        key: name,
        start: key.start,
        end,
        value: { start: value, end },
      });
      key = value = undefined;
    } else if (depth === 1 && key === undefined && token.startsWith('"')) {
      key = { start, end: start + token.length };
    } else if (key && value === undefined && token !== ":") value = start;
    if ("{[".includes(token)) depth++;
    if ("}]".includes(token)) depth--;
    end = start + token.length;
  }
  return members;
}
