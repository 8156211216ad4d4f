/** One declaration of another program in the words of our manifest. */
import { nameProblem } from "../../base/ids.ts";
import { quote } from "../../base/text.ts";
import type { ServerTable } from "../../base/server_table.ts";
import { asRecord, isRecord } from "../claude/user_config.ts";
import { splitCommand } from "./command_line.ts";
import { convertReferences, type Input, type TextPlace } from "./references.ts";
import type { AskedSecret, ForeignContext, ForeignServer } from "./types.ts";

/** A declaration as it was found. */
export interface FoundServer {
  readonly name: string;
  readonly entry: unknown;
  readonly from: string;
  readonly inputs: ReadonlyMap<string, Input>;
}

/** Keys that are read here. */
const KNOWN = new Set([
  ...["type", "transport", "transportType", "command", "args", "env", "cwd"],
  ...["url", "serverUrl", "httpUrl", "headers", "disabled", "enabled", "name"],
]);
/** Keys without which a server would not work as it did. */
const NEEDED: Readonly<Record<string, string>> = {
  envFile: "its variables would be missing: write them under env",
  oauth: "a manifest cannot hold the OAuth client",
  auth: "a manifest cannot hold the OAuth client",
  headersHelper: "a manifest cannot hold a program that makes headers",
};
const HTTP = /^(streamable[-_]?)?http$/i;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Converts one declaration; whatever cannot be taken over is among its problems or notes. */
export function convertServer(
  found: FoundServer,
  context: ForeignContext,
): ForeignServer {
  return new Conversion(found, context).result();
}

class Conversion {
  readonly #found: FoundServer;
  readonly #context: ForeignContext;
  readonly #entry: Readonly<Record<string, unknown>>;
  readonly #notes = new Set<string>();
  readonly #problems = new Set<string>();
  readonly #asked = new Map<string, AskedSecret>();
  #usesWorkspace = false;

  constructor(found: FoundServer, context: ForeignContext) {
    this.#found = found;
    this.#context = context;
    this.#entry = asRecord(found.entry);
  }

  result(): ForeignServer {
    const name = this.#name();
    const table = isRecord(this.#found.entry)
      ? this.#table()
      : this.#fail("it is not a table of keys");
    return {
      found: this.#found.name,
      name,
      from: this.#found.from,
      table,
      notes: [...this.#notes],
      problems: [...this.#problems],
      asked: [...this.#asked.values()],
    };
  }

  #fail(problem: string): ServerTable {
    this.#problems.add(problem);
    return {};
  }

  #name(): string {
    const { name } = this.#found;
    if (nameProblem(name) === undefined) return name;
    const other = name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 100)
      .replace(/^[.-]+|[.-]+$/g, "");
    const problem = nameProblem(other);
    if (problem === undefined) this.#notes.add(`it is called ${other} here`);
    else this.#problems.add(`its name cannot be used: ${problem}`);
    return other;
  }

  #table(): ServerTable {
    for (const key of Object.keys(this.#entry)) this.#checkKey(key);
    const url = this.#entry["url"] ?? this.#entry["serverUrl"] ??
      this.#entry["httpUrl"];
    const command = this.#entry["command"];
    const has = (value: unknown) => value !== undefined && value !== null;
    if (has(command) === has(url)) {
      const state = has(url) ? "both command and url" : "no command and no url";
      return this.#fail(`it has ${state}`);
    }
    const table = has(url) ? this.#remote(url) : this.#stdio(command);
    return this.#isDisabled() ? { ...table, disabled: true } : table;
  }

  #checkKey(key: string): void {
    if (KNOWN.has(key) || this.#entry[key] === null) return;
    if (Object.hasOwn(NEEDED, key)) {
      this.#problems.add(`it has ${key}: ${NEEDED[key]}`);
    } else this.#notes.add(`${quote(key)} is not taken over`);
  }

  #isDisabled(): boolean {
    return this.#flag("disabled") === true || this.#flag("enabled") === false;
  }

  #flag(key: string): boolean | undefined {
    const value = this.#entry[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value;
    this.#problems.add(`its ${key} is neither true nor false`);
    return undefined;
  }

  #type(): string | undefined {
    for (const key of ["type", "transport", "transportType"]) {
      const value = this.#entry[key];
      if (value === undefined || value === null) continue;
      if (typeof value === "string") return value;
      this.#problems.add(`its ${key} is not a text`);
    }
    return undefined;
  }

  #stdio(value: unknown): ServerTable {
    const type = this.#type();
    if (type !== undefined && type !== "stdio" && type !== "local") {
      this.#problems.add(
        `its type is ${quote(type)}, and it has a command`,
      );
    }
    if (this.#entry["headers"] !== undefined) {
      this.#notes.add("headers are left out: it has a command");
    }
    if (typeof value !== "string" || value.trim() === "") {
      return this.#fail("its command is not a text");
    }
    const words = this.#words(value);
    const command = this.#text(words[0] ?? "", local("its command"));
    if (command.includes("${secret:")) {
      this.#problems.add("its command asks for a secret");
    }
    const args = words.slice(1).map((word, i) =>
      this.#text(word, local(`argument ${i + 1}`))
    );
    const env = this.#variables();
    const cwd = this.#cwd();
    const isOpen = args.some((arg) => arg.includes("${secret:"));
    if (isOpen) {
      this.#notes.add("every process can read the secret in its arguments");
    }
    return {
      command,
      ...(args.length > 0 ? { args } : {}),
      ...(Object.keys(env).length > 0 ? { env } : {}),
      ...(cwd === undefined ? {} : { cwd }),
      ...(isOpen ? { "secret_args": "allow" } : {}),
    };
  }

  /** Command and arguments; a command without arguments may be a whole line. */
  #words(command: string): string[] {
    const args = this.#entry["args"] ?? [];
    if (!Array.isArray(args)) {
      this.#problems.add("its args are not a list");
      return [command];
    }
    const words = args.map((arg: unknown, i) =>
      this.#scalar(arg, `argument ${i + 1}`) ?? ""
    );
    if (words.length > 0) return [command, ...words];
    const split = splitCommand(command);
    if (split === undefined) {
      this.#problems.add("its command is a line for a shell");
      return [command];
    }
    if (split.length > 1) {
      this.#notes.add("its command line is split into words");
    }
    return split;
  }

  /** `cwd` as written, or the manifest's directory where a text of the server depends on it. */
  #cwd(): string | undefined {
    const value = this.#entry["cwd"] ?? undefined;
    if (value !== undefined && typeof value !== "string") {
      this.#problems.add("its cwd is not a text");
      return undefined;
    }
    const usedBefore = this.#usesWorkspace;
    const cwd = value && this.#text(value, local("its cwd"))
      .replace(/^\$\{(?:env:)?HOME\}(?=\/|$)/, "~");
    const isWorkspace = cwd === "." || cwd === "./";
    if (usedBefore && cwd && !isWorkspace) {
      this.#problems.add("it needs the workspace and has a cwd of its own");
    }
    if (cwd?.includes("${") || /^~[^/]/.test(cwd ?? "")) {
      this.#problems.add(`its cwd ${quote(cwd ?? "")} is no fixed directory`);
    }
    if (this.#usesWorkspace) {
      this.#notes.add('the workspace is written as "."');
      // In a named env the agent's own directory is it.
      if (!this.#context.hasWorkspace && isWorkspace) return undefined;
      return cwd || (this.#context.hasWorkspace ? "." : undefined);
    }
    return cwd || undefined;
  }

  #variables(): Record<string, string> {
    return this.#texts("env", {
      what: "env",
      isLocal: true,
      isName: (name) => VARIABLE.test(name),
    });
  }

  #remote(value: unknown): ServerTable {
    for (const key of ["args", "env", "cwd"]) {
      const part = this.#entry[key];
      const isEmpty = part === undefined || part === null ||
        Object.keys(Object(part)).length === 0;
      if (!isEmpty) this.#notes.add(`${key} is left out: it has a url`);
    }
    const type = this.#type();
    if (type !== undefined && !HTTP.test(type) && type !== "sse") {
      this.#problems.add(`its type ${quote(type)} is not known here`);
    }
    if (typeof value !== "string") return this.#fail("its url is not a text");
    const url = this.#text(value.trim(), { what: "its url", isLocal: false });
    if (!/^https?:\/\/[^/]/i.test(url)) {
      this.#problems.add("its url is not an http or https URL");
    }
    const isSse = type === "sse" || type === undefined && /\/sse\/?$/.test(url);
    if (isSse && type === undefined) {
      this.#notes.add("its url ends with /sse, so its type is sse");
    }
    const headers = this.#texts("headers", {
      what: "header",
      isLocal: false,
      isName: (name) => HEADER.test(name),
    });
    return {
      ...(isSse ? { type: "sse" } : {}),
      url,
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
    };
  }

  #texts(
    key: "env" | "headers",
    { what, isLocal, isName }: TextPlace & { isName(name: string): boolean },
  ): Record<string, string> {
    const table = this.#entry[key] ?? {};
    if (!isRecord(table)) {
      this.#problems.add(`its ${key} is not a table`);
      return {};
    }
    const out: [string, string][] = [];
    for (const [name, value] of Object.entries(table)) {
      const place = `${what} ${quote(name)}`;
      if (!isName(name)) this.#problems.add(`${place} has an invalid name`);
      if (value === null) {
        this.#notes.add(`${place} is left out: it is null`);
        continue;
      }
      const text = this.#scalar(value, place);
      if (text === undefined) continue;
      if (key === "headers" && /[\r\n]/.test(text)) {
        this.#problems.add(`${place} has a line break`);
      }
      out.push([name, this.#text(text, { what: place, isLocal })]);
    }
    return Object.fromEntries(out);
  }

  /** Numbers and booleans are the texts that a program would get. */
  #scalar(value: unknown, what: string): string | undefined {
    if (typeof value === "string") {
      if (value.includes("\0")) this.#problems.add(`${what} has a NUL`);
      return value.replaceAll("\0", "");
    }
    if (typeof value === "number" || typeof value === "boolean") {
      return String(value);
    }
    this.#problems.add(`${what} is not a text`);
    return undefined;
  }

  #text(text: string, place: TextPlace): string {
    if (text.includes("\0")) this.#problems.add(`${place.what} has a NUL`);
    if (!text.isWellFormed()) {
      this.#problems.add(`${place.what} has half a character`);
    }
    return convertReferences(text, place, {
      inputs: this.#found.inputs,
      isOwn: this.#context.isOwn ?? false,
      note: (note) => this.#notes.add(note),
      problem: (problem) => this.#problems.add(problem),
      ask: (input) => this.#ask(input),
      useWorkspace: () => this.#usesWorkspace = true,
    });
  }

  #ask({ id, description }: Input): string {
    const key = this.#context.secretKey(id);
    this.#asked.set(key, { key, description });
    return key;
  }
}

function local(what: string): TextPlace {
  return { what, isLocal: true };
}
