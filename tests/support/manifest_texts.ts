/** Manifests as people may write them, for property tests. */
import fc from "fast-check";
import { parse } from "smol-toml";
import type { ItemName } from "../../src/base/ids.ts";
import type { Entry, EntryKind } from "../../src/manifest/mod.ts";

/** Ways to write the entries of a kind. Those at the top stand before the first header. */
const FORMS = ["blocks", "section", "dotted", "table", "none"] as const;

const name = fc.constantFrom("a", "b", "c.d", "e-f", "1", "constructor", "G_h")
  .map((text) => text as ItemName);

/** What a source may be called. */
export const source = fc.oneof(
  fc.constantFrom(
    "./a",
    "it's",
    'a"b',
    "# no",
    "[x]",
    "{y = 1},",
    "a\\b",
    "é\u202e",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
).filter((text) => !text.includes("\0"));

/** A plugin or skill. */
export const entry: fc.Arbitrary<Entry> = fc.record({
  name,
  source,
  subpath: fc.option(fc.constantFrom("s", "s/t"), { nil: undefined }),
}, { noNullPrototype: true });

const listed = fc.record({
  form: fc.constantFrom(...FORMS),
  entries: fc.uniqueArray(entry, {
    selector: (one) => one.name.toLowerCase(),
    maxLength: 4,
  }),
  isWide: fc.boolean(),
  isTrailing: fc.boolean(),
});

type Listed = typeof listed extends fc.Arbitrary<infer T> ? T : never;

/** A manifest, and how it is laid out. */
export const model = fc.record({
  plugins: listed,
  skills: listed,
  vars: fc.dictionary(fc.constantFrom("A", "B", "C_1"), source, { maxKeys: 3 }),
  paths: fc.array(fc.constantFrom("/a:ro", "~/b:rw", "/c#d:ro"), {
    maxLength: 3,
  }),
  /** What is put between lines, read round and round. */
  noise: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 }),
  isCrlf: fc.boolean(),
  hasMark: fc.boolean(),
  hasEnd: fc.boolean(),
});

/** See {@link model}. */
export type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

/** Puts comments, blank lines, indents and quotes where the stream says. */
class Writer {
  readonly lines: string[] = [];
  readonly #noise: readonly number[];
  #at = 0;

  constructor(noise: readonly number[]) {
    this.#noise = noise;
  }

  next(): number {
    return this.#noise[this.#at++ % this.#noise.length]!;
  }

  /** A line, and perhaps a remark on it; above it perhaps comments and blank lines. */
  line(text: string): void {
    const before = this.next();
    if (before >= 8) this.lines.push(`# comment ${this.#at} [x] "`);
    if (before === 7 || before === 9) this.lines.push("");
    const indent = this.next() === 5 ? "  " : "";
    const remark = this.next() === 6 ? ` # remark ${this.#at} '` : "";
    this.lines.push(indent + text + remark);
  }

  string(text: string): string {
    const literal = `'${text}'`;
    const triple = `"""\n${
      text.replace(/["\\\r]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)
    }"""`;
    for (const raw of this.next() > 6 ? [triple, literal] : [literal]) {
      if (this.next() > 4 && says(raw, text)) return raw;
    }
    return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
  }
}

function says(raw: string, text: string): boolean {
  try {
    return parse(`v = ${raw}`)["v"] === text && !raw.includes("\r");
  } catch {
    return false;
  }
}

function pairs(one: Entry, out: Writer): string[] {
  return (["name", "source", "subpath"] as const).flatMap((key) =>
    one[key] === undefined ? [] : [`${key} = ${out.string(one[key])}`]
  );
}

function writeList(prefix: string, one: Listed, out: Writer): void {
  const items = one.entries.map((item) => `{ ${pairs(item, out).join(", ")} }`);
  const end = one.isTrailing && items.length > 0 ? "," : "";
  if (!one.isWide) return out.line(`${prefix}[${items.join(", ")}${end}]`);
  out.line(`${prefix}[`);
  items.forEach((item, i) => {
    out.line(item + (i < items.length - 1 ? "," : end));
  });
  out.line("]");
}

function writeTop(kind: EntryKind, one: Listed, out: Writer): void {
  if (one.form === "dotted") writeList(`${kind}.enabled = `, one, out);
  if (one.form !== "table") return;
  if (one.entries.length === 0) return out.line(`${kind} = {}`);
  const items = one.entries.map((item) => `{ ${pairs(item, out).join(", ")} }`);
  out.line(`${kind} = { enabled = [${items.join(", ")}] }`);
}

function writeTables(kind: EntryKind, one: Listed, out: Writer): void {
  if (one.form === "section") {
    out.line(`[${kind}]`);
    if (one.entries.length > 0 || one.isTrailing) {
      writeList("enabled = ", one, out);
    }
  }
  if (one.form !== "blocks") return;
  for (const item of one.entries) {
    out.line(`[[${kind}.enabled]]`);
    for (const pair of pairs(item, out)) out.line(pair);
  }
}

/** The manifest as text: valid, with comments, blank lines, indents, quotes and line ends of all kinds. */
export function textOf(one: Model): string {
  const out = new Writer(one.noise);
  const kinds = ["plugins", "skills"] as const;
  for (const kind of kinds) writeTop(kind, one[kind], out);
  out.line("[env]");
  out.line('name = "x"');
  writeTables("plugins", one.plugins, out);
  out.line("[vars]");
  for (const [key, value] of Object.entries(one.vars)) {
    out.line(`${key} = ${out.string(value)}`);
  }
  writeTables("skills", one.skills, out);
  out.line("[sandbox]");
  out.line(`paths = [${one.paths.map((path) => `"${path}"`).join(", ")}]`);
  out.line("[hooks]");
  out.line('pre_activate = "echo"');
  const text = out.lines.join("\n") + (one.hasEnd ? "\n" : "");
  return (one.hasMark ? "\ufeff" : "") +
    (one.isCrlf ? text.replaceAll("\n", "\r\n") : text);
}
