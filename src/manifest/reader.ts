/** Walks a parsed TOML document and reports what is wrong with line and column. */
import {
  AppError,
  type AppErrorOptions,
  type ErrorCode,
} from "../base/errors.ts";
import { didYouMean, listWords, quote } from "../base/text.ts";
import { locate } from "./locate.ts";

/** Where a value stands: keys, and indexes into arrays. */
export type KeyPath = readonly (string | number)[];

/** A table of the document with the place where it stands. */
export type Table = Readonly<Record<string, unknown>>;

/** What a document is called in errors, and their code. */
export interface DocumentKind {
  readonly noun: string;
  readonly code: ErrorCode;
}

const MANIFEST: DocumentKind = { noun: "manifest", code: "MANIFEST_INVALID" };

/** The document a value came from; every check throws its kind's code (`MANIFEST_INVALID`) with the place. */
export class Reader {
  readonly text: string;
  readonly file: string;
  readonly #kind: DocumentKind;

  constructor(text: string, file: string, kind = MANIFEST) {
    this.text = text;
    this.file = file;
    this.#kind = kind;
  }

  /** Throws: `state` says what is wrong at `path`. */
  fail(path: KeyPath, state: string, hint?: string): never {
    const place = locate(this.text, path);
    const where = place ? `line ${place.line}, column ${place.column}: ` : "";
    throw this.#error(where + state, { hint });
  }

  /** Throws: `state` names the place itself. */
  failAt(state: string, cause: unknown): never {
    throw this.#error(state, { cause });
  }

  #error(state: string, options: AppErrorOptions): AppError {
    const { noun, code } = this.#kind;
    return new AppError(
      code,
      `Cannot read ${noun} ${quote(this.file)}: ${state}`,
      options,
    );
  }

  /** `value` as a table whose keys are all in `known`. */
  table(value: unknown, path: KeyPath, known: readonly string[]): Table {
    const table = this.anyTable(value, path);
    for (const key of Object.keys(table)) {
      if (known.includes(key)) continue;
      const near = didYouMean(key, known);
      const section = path.length === 0
        ? "at the top level"
        : `in [${showPath(path)}]`;
      this.fail(
        [...path, key],
        `unknown key ${quote(key)} ${section}`,
        near === undefined
          ? `Known keys: ${listWords(known)}`
          : `Did you mean ${quote(near)}?`,
      );
    }
    return table;
  }

  /** `value` as a table with any keys; an absent one is empty. */
  anyTable(value: unknown, path: KeyPath): Table {
    if (value === undefined) return {};
    if (
      typeof value !== "object" || value === null || Array.isArray(value) ||
      value instanceof Date
    ) {
      this.fail(
        path,
        `${showPath(path)} must be a table, not ${kindOf(value)}`,
      );
    }
    return value as Table;
  }

  /** `value` as text; undefined when absent. */
  string(value: unknown, path: KeyPath): string | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "string") {
      this.fail(
        path,
        `${showPath(path)} must be a string, not ${kindOf(value)}`,
      );
    }
    if (value.includes("\0")) {
      this.fail(path, `${showPath(path)} holds a NUL character`);
    }
    return value;
  }

  /** `value` as text that must be there. */
  required(value: unknown, path: KeyPath): string {
    const text = this.string(value, path);
    if (text === undefined) {
      this.fail(path.slice(0, -1), `${showPath(path)} is missing`);
    }
    if (text === "") this.fail(path, `${showPath(path)} is empty`);
    return text;
  }

  /** `value` as one of `choices`, `fallback` when absent. */
  choice<T extends string>(
    value: unknown,
    path: KeyPath,
    choices: readonly [T, ...T[]],
  ): T {
    const text = this.string(value, path) ?? choices[0];
    if (choices.includes(text as T)) return text as T;
    this.fail(
      path,
      `${showPath(path)} is ${quote(text)}`,
      `Use ${choices.map((c) => `"${c}"`).join(" or ")}`,
    );
  }

  /** `value` as a boolean, `fallback` when absent. */
  boolean(value: unknown, path: KeyPath, fallback: boolean): boolean {
    if (value === undefined) return fallback;
    if (typeof value !== "boolean") {
      this.fail(
        path,
        `${showPath(path)} must be true or false, not ${kindOf(value)}`,
      );
    }
    return value;
  }

  /** `value` as a list of texts; empty when absent. */
  strings(value: unknown, path: KeyPath): string[] {
    return this.list(value, path).map((item, i) =>
      this.required(item, [...path, i])
    );
  }

  /** `value` as a list; empty when absent. */
  list(value: unknown, path: KeyPath): unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.fail(path, `${showPath(path)} must be a list, not ${kindOf(value)}`);
    }
    return value;
  }

  /** `value` as a table of texts; empty when absent. */
  stringTable(value: unknown, path: KeyPath): Record<string, string> {
    const out: Record<string, string> = {};
    for (const [key, item] of Object.entries(this.anyTable(value, path))) {
      out[key] = this.string(item, [...path, key]) ?? "";
    }
    return out;
  }
}

/** `a.b[0].c`. */
export function showPath(path: KeyPath): string {
  let out = "";
  for (const part of path) {
    if (typeof part === "number") out += `[${part}]`;
    else {out += (out === "" ? "" : ".") +
        (/^[A-Za-z0-9_-]+$/.test(part) ? part : quote(part));}
  }
  return out;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object") return "a table";
  return typeof value === "string" ? "a string" : `a ${typeof value}`;
}
