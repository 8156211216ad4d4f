/** The words of `claude mcp add`, which `aenv add mcp` takes as they are. */
import { AppError } from "../base/errors.ts";
import type { ServerTable } from "../base/server_table.ts";
import { didYouMean, quote } from "../base/text.ts";

/** Options that take one text. */
const TEXT_OPTIONS = [
  ...["-t", "--transport", "-s", "--scope", "-E", "--from"],
  ...["--secrets", "--server", "--client-id", "--callback-port"],
];
const FLAGS = ["--dry-run", "--json", "-h", "--help", "--client-secret"];
const LISTS: Readonly<Record<string, { option: string; item: RegExp }>> = {
  "-e": { option: "--env", item: /^[^=\s-][^=\s]*=/ },
  "--env": { option: "--env", item: /^[^=\s-][^=\s]*=/ },
  "-H": { option: "--header", item: /^[\w-]+:(?!\/\/)/ },
  "--header": { option: "--header", item: /^[\w-]+:(?!\/\/)/ },
};

/**
 * The words with every variable and header as an option of its own (`--env=A=1`), so that a name or a command behind them is
 * not taken for one more, and with a server in JSON as `--server`. Throws `USAGE` for an option that stands before `--` and is
 * none of ours: it is the command's.
 */
export function normalizeMcpWords(args: readonly string[]): string[] {
  const out: string[] = [];
  let at = 0;
  let words = 0;
  while (at < args.length) {
    const word = args[at]!;
    if (word === "--") return [...out, ...args.slice(at)];
    const list = LISTS[word];
    if (list !== undefined) {
      const items = takeItems(args, at + 1, list.item);
      out.push(...items.map((item) => `${list.option}=${item}`));
      if (items.length === 0) out.push(word);
      at += 1 + items.length;
      continue;
    }
    const next = args[at + 1];
    if (word === "--json" && next !== undefined && /^(\s*[{[]|-$)/.test(next)) {
      out.push(`--server=${next}`);
      at += 2;
      continue;
    }
    at++;
    if (TEXT_OPTIONS.includes(word)) {
      out.push(word, ...args.slice(at, at + 1));
      at++;
    } else if (word === "--select") {
      const names = args.slice(at).findIndex((name) => name.startsWith("-"));
      const end = names < 0 ? args.length : at + names;
      out.push(word, ...args.slice(at, end));
      at = end;
    } else {
      if (word.startsWith("-") && word !== "-") requireOwn(word, words);
      else words++;
      out.push(attached(word));
    }
  }
  return out;
}

/** The words behind a variadic option: at least one, then all that look like its items. */
function takeItems(
  args: readonly string[],
  from: number,
  item: RegExp,
): readonly string[] {
  let end = from;
  while (end < args.length && (item.test(args[end]!) || end === from)) {
    if (args[end] === "--") break;
    end++;
  }
  return args.slice(from, end);
}

/** `-eA=1` as `--env=A=1`. */
function attached(word: string): string {
  const match = /^-([eH])([^]+)$/.exec(word);
  if (match === null) return word;
  return `${match[1] === "e" ? "--env" : "--header"}=${match[2]}`;
}

function requireOwn(word: string, before: number): void {
  const name = word.replace(/=[^]*$/, "");
  const known = [...TEXT_OPTIONS, ...FLAGS, ...Object.keys(LISTS), "--select"];
  const isShort = /^-[eHtsE]./.test(word) && !word.startsWith("--");
  if (known.includes(name) || isShort) return;
  const near = didYouMean(name, known);
  throw new AppError(
    "USAGE",
    `Cannot run "aenv add mcp": unknown option ${quote(name)}`,
    {
      hint: before >= 2
        ? "Put -- in front of the server's own command: aenv add mcp NAME -- CMD ARGS"
        : near === undefined
        ? "See its words: aenv add mcp --help"
        : `Did you mean ${near}?`,
    },
  );
}

/** What was typed about one server. */
export interface TypedServer {
  readonly transport: string | undefined;
  readonly env: readonly string[];
  readonly headers: readonly string[];
  /** Command and arguments, or the url. */
  readonly words: readonly string[];
}

/** The server that was typed. Throws `USAGE` where the agent would start something else than was meant. */
export function typedServer(name: string, typed: TypedServer): ServerTable {
  const { words, env, headers } = typed;
  const transport = typed.transport ?? "stdio";
  const [first, ...rest] = words;
  if (first === undefined || first === "") {
    throw wrong(name, "neither a command nor a url was given", [
      `aenv add mcp ${name} -- CMD ARGS, or: aenv add mcp --transport http ${name} URL`,
    ]);
  }
  if (transport === "stdio") {
    if (/^https?:\/\//i.test(first)) {
      throw wrong(name, "a url is no command", [
        `aenv add mcp --transport http ${name} URL`,
      ]);
    }
    if (headers.length > 0) throw wrong(name, "headers need a url");
    return {
      command: first,
      ...(rest.length > 0 ? { args: rest } : {}),
      ...(env.length > 0 ? { env: variables(name, env) } : {}),
    };
  }
  if (rest.length > 0) {
    throw wrong(name, "it has a url, and a command behind it");
  }
  if (env.length > 0) throw wrong(name, "variables need a command");
  return {
    ...(transport === "sse" ? { type: "sse" } : {}),
    url: first,
    ...(headers.length > 0 ? { headers: headerTable(name, headers) } : {}),
  };
}

function variables(
  name: string,
  items: readonly string[],
): Record<string, string> {
  return Object.fromEntries(items.map((item) => {
    const cut = item.indexOf("=");
    if (cut > 0) return [item.slice(0, cut), item.slice(cut + 1)];
    throw wrong(name, "a variable was not written as NAME=VALUE", [
      `aenv add mcp ${name} -e NAME=VALUE -- CMD ARGS`,
    ]);
  }));
}

function headerTable(
  name: string,
  items: readonly string[],
): Record<string, string> {
  return Object.fromEntries(items.map((item) => {
    const cut = item.indexOf(":");
    if (cut > 0) return [item.slice(0, cut).trim(), item.slice(cut + 1).trim()];
    throw wrong(name, "a header was not written as NAME: VALUE", [
      `aenv add mcp --transport http ${name} URL -H "NAME: VALUE"`,
    ]);
  }));
}

/** The texts themselves are not shown: any may be a credential. */
function wrong(
  name: string,
  state: string,
  [hint]: readonly string[] = [],
): AppError {
  return new AppError("USAGE", `Cannot add ${quote(name)}: ${state}`, {
    hint: hint === undefined
      ? "See its words: aenv add mcp --help"
      : `Type: ${hint}`,
  });
}
