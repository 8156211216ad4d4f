/**
 * The part of Apple's sandbox profile language that profiles of ours use: a reader that refuses everything else, and an
 * evaluator for questions about paths. Words that the system's own profiles and those of known sandboxes use.
 */

/** A word, a string, a pattern `#"…"`, or a list of such. */
export type Expression =
  | { readonly word: string }
  | { readonly text: string }
  | { readonly pattern: string }
  | { readonly list: readonly Expression[] };

const OPERATIONS = new Set(
  `default process-fork process-exec* process-info* signal mach-priv-task-port mach-lookup sysctl-read sysctl-write
  user-preference-read iokit-open ipc-posix-sem ipc-posix-shm* ipc-posix-shm-read* ipc-posix-shm-read-data
  ipc-posix-shm-write-create ipc-posix-shm-write-unlink system-socket file-read* file-read-data file-read-metadata
  file-test-existence file-write* file-write-data file-write-create file-write-unlink file-map-executable file-ioctl
  network-outbound network-inbound network-bind`.trim().split(/\s+/),
);

/** Filters by the kinds of their arguments: `s` a string or parameter, `p` a pattern, `w` a word, `n` a number, `f` a filter. */
const FILTERS: Readonly<Record<string, string>> = {
  literal: "s",
  subpath: "s",
  "path-literal": "s",
  regex: "p",
  "vnode-type": "w",
  "ioctl-command": "w",
  target: "w",
  "global-name": "s",
  "sysctl-name": "s",
  "sysctl-name-prefix": "s",
  "iokit-registry-entry-class": "s",
  "ipc-posix-name": "s",
  "ipc-posix-name-prefix": "s",
  "ipc-posix-name-regex": "p",
  "socket-domain": "w",
  "socket-protocol": "n",
  remote: "wa",
  local: "wa",
  "require-all": "f+",
  "require-not": "f",
};

const WORDS = new Set(
  `same-sandbox self DIRECTORY CHARACTER-DEVICE AF_SYSTEM AF_UNIX TIOCSTI ip unix-socket`
    .split(" "),
);

/** Reads a whole profile. Throws on the first thing that is not right. */
export function parseProfile(text: string): Expression[] {
  const reader = new Tokens(text);
  const found: Expression[] = [];
  for (let next = reader.peek(); next !== undefined; next = reader.peek()) {
    found.push(reader.expression());
  }
  return found;
}

class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    const plain = text.split("\n").filter((line) => !line.startsWith(";"))
      .join("\n");
    this.#tokens = plain.match(
      /#"[^"]*"|"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+|"/g,
    ) ?? [];
  }

  peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  expression(): Expression {
    const token = this.#tokens[this.#at++];
    if (token === undefined || token === ")" || token === '"') {
      throw new Error(`unexpected ${token ?? "end"}`);
    }
    if (token.startsWith('#"')) return { pattern: token.slice(2, -1) };
    if (token.startsWith('"')) return { text: JSON.parse(token) as string };
    if (token !== "(") return { word: token };
    const list: Expression[] = [];
    while (this.peek() !== ")") list.push(this.expression());
    this.#at++;
    return { list };
  }
}

/** Throws unless a profile consists of known words in their places, and uses the parameters that there are. */
export function checkProfile(
  text: string,
  parameters: Readonly<Record<string, string>>,
): void {
  const [version, fallback, ...rules] = parseProfile(text);
  assertSame(version, "(version 1)");
  assertSame(fallback, "(deny default)");
  const used = new Set<string>();
  for (const rule of rules) checkRule(rule, used);
  for (const name of used) {
    if (!Object.hasOwn(parameters, name)) throw new Error(`no value: ${name}`);
  }
  for (const name of Object.keys(parameters)) {
    if (!used.has(name)) throw new Error(`never used: ${name}`);
  }
}

function assertSame(expression: Expression | undefined, text: string): void {
  const shown = expression === undefined ? "nothing" : show(expression);
  if (shown !== text) throw new Error(`${shown} in the place of ${text}`);
}

function show(expression: Expression): string {
  if ("word" in expression) return expression.word;
  if ("text" in expression) return JSON.stringify(expression.text);
  if ("pattern" in expression) return `#"${expression.pattern}"`;
  return `(${expression.list.map(show).join(" ")})`;
}

function checkRule(rule: Expression, used: Set<string>): void {
  const [action, ...rest] = listOf(rule).map((part) => part);
  if (!/^(allow|deny)$/.test(wordOf(action))) throw new Error(show(rule));
  let operations = 0;
  for (const part of rest) {
    if ("word" in part) {
      if (!OPERATIONS.has(part.word)) throw new Error(`${part.word}?`);
      operations++;
    } else checkFilter(part, used);
  }
  if (operations === 0) throw new Error(`no operation: ${show(rule)}`);
}

function checkFilter(filter: Expression, used: Set<string>): void {
  const [head, ...rest] = listOf(filter);
  const kinds = FILTERS[wordOf(head)];
  if (kinds === undefined) throw new Error(`${show(filter)}?`);
  const wanted = kinds.endsWith("+")
    ? rest.map(() => kinds[0]!)
    : [...kinds].slice(0, Math.max(rest.length, 1));
  if (rest.length === 0 || rest.length > wanted.length) {
    throw new Error(`arguments: ${show(filter)}`);
  }
  rest.forEach((part, index) => checkArgument(part, wanted[index]!, used));
}

function checkArgument(part: Expression, kind: string, used: Set<string>) {
  const isString = "text" in part || isParameter(part, used);
  const isRight = {
    s: isString,
    p: "pattern" in part && isPattern(part.pattern),
    w: "word" in part && WORDS.has(part.word),
    n: "word" in part && /^\d+$/.test(part.word),
    f: "list" in part,
    a: ("text" in part && /^(\*|localhost):(\*|\d+)$/.test(part.text)) ||
      "list" in part,
  }[kind];
  if (!isRight) throw new Error(`${show(part)} as ${kind}`);
  if ("list" in part && !isString) checkFilter(part, used);
}

function isPattern(text: string): boolean {
  return new RegExp(text) instanceof RegExp;
}

function isParameter(part: Expression, used: Set<string>): boolean {
  if (!("list" in part) || wordOf(part.list[0]) !== "param") return false;
  const [, name] = part.list;
  if (name === undefined || !("text" in name) || part.list.length !== 2) {
    throw new Error(`parameter: ${show(part)}`);
  }
  used.add(name.text);
  return true;
}

function listOf(expression: Expression): readonly Expression[] {
  if ("list" in expression) return expression.list;
  throw new Error(`no list: ${show(expression)}`);
}

function wordOf(expression: Expression | undefined): string {
  return expression !== undefined && "word" in expression
    ? expression.word
    : "";
}

/** What a question is about. */
export interface Probe {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** A profile that answers. */
export class Profile {
  readonly #rules: readonly (readonly Expression[])[];
  readonly #parameters: Readonly<Record<string, string>>;

  /** `text` may be a part of a profile. */
  constructor(text: string, parameters: Readonly<Record<string, string>>) {
    // The others say nothing about files, and take time.
    this.#rules = parseProfile(text).map(listOf).filter((rule) =>
      rule.some((part) =>
        "word" in part && /^(file|process-exec|default)/.test(part.word)
      )
    );
    this.#parameters = parameters;
  }

  /** Whether an operation on a file is allowed: the last rule that fits decides. */
  allows(operation: string, probe: Probe): boolean {
    const rule = this.#rules.findLast((rule) =>
      this.#fits(rule, operation, probe)
    );
    return wordOf(rule?.[0]) === "allow";
  }

  #fits(
    rule: readonly Expression[],
    operation: string,
    probe: Probe,
  ): boolean {
    const isNamed = rule.slice(1).some((part) =>
      "word" in part && covers(part.word, operation)
    );
    const filters = rule.slice(1).filter((part) => "list" in part);
    return isNamed &&
      (filters.length === 0 ||
        filters.some((filter) => this.#holds(listOf(filter), probe)));
  }

  #holds(filter: readonly Expression[], probe: Probe): boolean {
    const [head, ...rest] = filter;
    switch (wordOf(head)) {
      case "literal":
        return probe.path === this.#string(rest[0]!);
      case "subpath": {
        const base = this.#string(rest[0]!);
        return probe.path === base || probe.path.startsWith(base + "/");
      }
      case "regex":
        return "pattern" in rest[0]! &&
          new RegExp(rest[0].pattern).test(probe.path);
      case "vnode-type":
        return probe.isDirectory && wordOf(rest[0]) === "DIRECTORY";
      case "require-not":
        return !this.#holds(listOf(rest[0]!), probe);
      case "require-all":
        return rest.every((part) => this.#holds(listOf(part), probe));
      default:
        return false;
    }
  }

  #string(part: Expression): string {
    if ("text" in part) return part.text;
    const name = listOf(part)[1]!;
    return this.#parameters["text" in name ? name.text : ""]!;
  }
}

/** `file-write*` covers all that begins like it; `default` covers everything. */
function covers(word: string, operation: string): boolean {
  return word === "default" || word === operation ||
    (word.endsWith("*") && operation.startsWith(word.slice(0, -1)));
}
