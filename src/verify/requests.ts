/** `--full`: what a request to the model holds. */
import { claude } from "../agents/mod.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { isFile, readText } from "../os/fs.ts";
import { type Comparison, unexpected } from "./comparison.ts";
import { filesBelow } from "./scan.ts";
import type { ModelRequest } from "./stub_api.ts";
import { From, type Row } from "./types.ts";

/** A line of the user's own configuration that would give it away in a request. */
export interface ForeignText {
  readonly file: string;
  readonly text: string;
}

/** Shorter lines are found anywhere. */
const MIN_LINE = 12;
const MAX_LINES = 200;

/** All text of a request, one piece per line of the list. */
function textsOf(request: ModelRequest): string[] {
  const out: string[] = [];
  function walk(value: unknown): void {
    if (typeof value === "string") out.push(value);
    else if (Array.isArray(value)) value.forEach(walk);
    else if (claude.isRecord(value)) Object.values(value).forEach(walk);
  }
  walk([request.system, request.messages, request.tools]);
  return out;
}

/** Rows for the first request of a conversation: memory files, declared texts, hook output, style, and foreign texts. */
export function compareRequest(
  request: ModelRequest,
  input: Comparison,
  foreign: readonly ForeignText[],
): Row[] {
  const body = textsOf(request).join("\n");
  return [
    ...memoryRows(body, input),
    ...input.declared.texts.map(({ item, from, text }): Row => {
      const seen = body.includes(text);
      return {
        kind: "text",
        item,
        from,
        declared: true,
        seen,
        status: seen ? "ok" : "missing",
      };
    }),
    ...hookOutputRows(body, input),
    ...styleRows(body, input),
    ...input.declared.switchedOff.filter((name) => offers(body, name)).map((
      name,
    ) =>
      unexpected("text", name, "it is switched off, and offered all the same")
    ),
    ...foreign.filter(({ text }) => body.includes(text)).map(({ file }) =>
      unexpected("text", file, "a line of it is in the request")
    ).filter((row, index, rows) =>
      rows.findIndex(({ item }) => item === row.item) === index
    ),
  ];
}

/** Whether a name stands in a list of things to use. */
function offers(body: string, name: string): boolean {
  return body.split("\n").some((line) => line.startsWith(`- ${name}:`));
}

function memoryRows(body: string, { declared }: Comparison): Row[] {
  const items = declared.items.filter(({ kind }) => kind === "memory");
  const seen = new Set(
    [...body.matchAll(/^Contents of (.+) \([^()\n]*\):$/gm)].map((m) => m[1]!),
  );
  return [
    ...items.filter(({ item, required }) => required || seen.has(item)).map(
      ({ item, from }): Row => ({
        kind: "text",
        item: `contents of ${item}`,
        from,
        declared: true,
        seen: seen.has(item),
        status: seen.has(item) ? "ok" : "missing",
      }),
    ),
    ...[...seen].filter((path) =>
      !items.some(({ item }) => item === path) &&
      !declared.memoryRoots.some((root) => path.startsWith(root + "/"))
    ).map((path) => unexpected("text", `contents of ${path}`)),
  ];
}

/** What hooks printed must have arrived: the first line of each. */
function hookOutputRows(body: string, { observation }: Comparison): Row[] {
  const lines = observation.hooks.filter(({ event, exitCode }) =>
    exitCode === 0 && ["SessionStart", "UserPromptSubmit"].includes(event)
  ).flatMap(({ event, stdout }) => {
    const line = hookContext(stdout);
    return line === undefined ? [] : [{ event, line }];
  });
  return lines.map(({ event, line }): Row => {
    const seen = body.includes(line);
    return {
      kind: "text",
      item: `output of a ${event} hook`,
      from: "hook",
      declared: true,
      seen,
      status: seen ? "ok" : "missing",
    };
  });
}

/** What a hook's output adds to the conversation: plain text, or a field of a JSON object. */
function hookContext(stdout: string): string | undefined {
  let text = stdout;
  if (stdout.trim().startsWith("{")) {
    try {
      const output = claude.asRecord(JSON.parse(stdout));
      const specific = claude.asRecord(output["hookSpecificOutput"]);
      text = String(specific["additionalContext"] ?? "");
    } catch (error) {
      // Not JSON after all: then it is plain text.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return text.split("\n").map((line) => line.trim()).find((line) => line !== "")
    ?.slice(0, 200);
}

function styleRows(body: string, { declared, baseline }: Comparison): Row[] {
  const named = /^# Output Style: (.+)$/m.exec(body)?.[1];
  const wanted = declared.style?.name;
  if (wanted === undefined || wanted === baseline.style) {
    if (named === undefined) return [];
    return [unexpected("text", `output style ${named}`)];
  }
  const seen = named !== undefined;
  return [{
    kind: "text",
    item: `output style ${wanted}`,
    from: declared.style?.from ?? From.nobody,
    declared: true,
    seen,
    status: seen ? "ok" : "missing",
  }];
}

/** Texts that are declared, wherever else they stand too. */
export interface OwnTexts {
  readonly files: readonly string[];
  readonly texts: readonly string[];
}

/** Lines of the user's own memory files, output styles and settings, and of memory files above the project, that nothing declared holds too. */
export function foreignTexts(
  user: claude.UserConfig,
  project: claude.ProjectFacts,
  own: OwnTexts,
): ForeignText[] {
  const ownText = [...own.files.map(read), ...own.texts].join("\n");
  const above = project.above.flatMap((dir) => [
    join(dir, "CLAUDE.md"),
    join(dir, "CLAUDE.local.md"),
    join(dir, "AGENTS.md"),
    ...memoryIn(join(dir, ".claude")),
  ]);
  const files = [...memoryIn(user.dir), ...above].filter((file) =>
    !own.files.includes(file)
  );
  const lines = files.flatMap((file) =>
    read(file).split("\n").map((line) => line.trim())
      .filter((line) => line.length >= MIN_LINE).slice(0, MAX_LINES)
      .map((text) => ({ file, text }))
  );
  return [...lines, ...settingsTexts(user)].filter(({ text }) =>
    !ownText.includes(text)
  );
}

/** Everything declared whose text may be in a request. */
export function ownTexts(
  { declared }: Comparison,
  directories: readonly AbsPath[],
): OwnTexts {
  const memory = declared.items.filter(({ kind }) => kind === "memory")
    .map(({ item }) => item);
  return {
    files: [...memory, ...directories.flatMap(stylesIn)],
    texts: declared.texts.map(({ item, text }) =>
      item === "language" ? languageText(text) : text
    ),
  };
}

function stylesIn(dir: AbsPath): AbsPath[] {
  return filesBelow(join(dir, "output-styles"), /\.md$/).map(({ path }) =>
    path
  );
}

/** The end of the sentence that asks for a language. */
function languageText(language: string): string {
  return `respond in ${language}.`;
}

function memoryIn(dir: AbsPath): AbsPath[] {
  return [
    join(dir, "CLAUDE.md"),
    ...filesBelow(join(dir, "rules"), /\.md$/).map(({ path }) => path),
    ...stylesIn(dir),
  ];
}

function settingsTexts(user: claude.UserConfig): ForeignText[] {
  const file = join(user.dir, "settings.json");
  const settings = claude.readJsonObject(file) ?? {};
  const attribution = Object.values(claude.asRecord(settings["attribution"]));
  return [
    ...attribution.filter((text): text is string =>
      typeof text === "string" && text.trim().length >= MIN_LINE
    ).map((text) => ({ file, text: text.trim() })),
    ...(typeof settings["language"] === "string"
      ? [{ file, text: languageText(settings["language"]) }]
      : []),
  ];
}

function read(file: string): string {
  return isFile(file) ? readText(file) ?? "" : "";
}
