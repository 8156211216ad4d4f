import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import type { ItemName } from "../base/ids.ts";
import {
  addEntry,
  editManifest,
  type Entry,
  type EntryKind,
  parseManifest,
  removeEntry,
  setEntry,
} from "./mod.ts";

/** Ways to write the entries of a kind. Those at the top stand before the first header. */
const FORMS = ["blocks", "section", "dotted", "table", "none"] as const;

const name = fc.constantFrom("a", "b", "c.d", "e-f", "1", "constructor", "G_h")
  .map((text) => text as ItemName);

const source = fc.oneof(
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

const entry: fc.Arbitrary<Entry> = fc.record({
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

const model = fc.record({
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

type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

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

function textOf(one: Model): string {
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

/** Lines that hold nothing but a comment of ours. */
function commentLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) =>
    /^\ufeff?# (comment|remark) /.test(line)
  ).map((line) => line.replace("\ufeff", ""));
}

function checkLayout(before: string, after: string): void {
  deepStrictEqual(commentLines(after), commentLines(before));
  strictEqual(after.startsWith("\ufeff"), before.startsWith("\ufeff"));
  strictEqual(after.lastIndexOf("\ufeff") <= 0, true);
  if (/[^]\r\n/.test(before)) ok(!/[^\r]\n/.test(after), "a bare line feed");
  else ok(!after.includes("\r\n"), "a carriage return");
  ok(after.endsWith("\n"));
}

const change = fc.record({
  kind: fc.constantFrom<EntryKind[]>("plugins", "skills"),
  verb: fc.constantFrom("add", "remove", "set"),
  entry,
});

Deno.test("a row of edits says what it should, and keeps every comment line, line end and value", () => {
  let edits = 0;
  const changes = fc.array(change, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(model, changes, (one, row) => {
      let text = textOf(one);
      let wanted = parseManifest(text, "m");
      for (const { kind, verb, entry } of row) {
        const known = wanted[kind].findIndex((item) =>
          item.name === entry.name
        );
        const exists = wanted[kind].some((item) =>
          item.name.toLowerCase() === entry.name.toLowerCase()
        );
        if (verb === "add" ? exists : known < 0) continue;
        const place = { kind, file: "m" };
        const after = verb === "add"
          ? addEntry(text, entry, place)
          : verb === "remove"
          ? removeEntry(text, entry.name, place)
          : setEntry(text, entry, place);
        wanted = {
          ...wanted,
          [kind]: verb === "add"
            ? [...wanted[kind], entry]
            : wanted[kind].toSpliced(
              known,
              1,
              ...verb === "set" ? [entry] : [],
            ),
        };
        deepStrictEqual(parseManifest(after, "m"), wanted);
        checkLayout(text, after);
        text = after;
        edits++;
      }
    }),
    { numRuns: 5000 },
  );
  ok(edits > 3000, `only ${edits} edits`);
});

Deno.test("adding an entry and removing it gives the text back", () => {
  fc.assert(
    fc.property(model, entry, (one, item) => {
      const text = textOf({ ...one, hasEnd: true });
      const place = { kind: "plugins", file: "m" } as const;
      const names = one.plugins.entries.map((other) =>
        other.name.toLowerCase()
      );
      const isFree = !names.includes(item.name.toLowerCase());
      const isPlain = one.plugins.form === "blocks" ||
        one.plugins.form === "none" || one.plugins.entries.length > 0;
      if (!isFree || !isPlain) return;
      const after = removeEntry(addEntry(text, item, place), item.name, place);
      // What stays behind: a comma that became needless, blank lines.
      const tidy = (any: string) =>
        any.replaceAll(/,(?=\s*(#[^\n]*\s*)*\])/g, "").replaceAll(
          /\n\s*\n/g,
          "\n",
        );
      strictEqual(tidy(after), tidy(text));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("editManifest() changes any value of any manifest and keeps the comment lines", () => {
  const value = fc.record({
    name: fc.constantFrom("y", "z"),
    variable: fc.constantFrom("A", "B", "NEW"),
    text: fc.option(source),
    hook: fc.boolean(),
    path: fc.option(fc.constantFrom("/new:ro", "~/b:rw")),
    gone: fc.constantFrom("/a:ro", "/c#d:ro", "~/b:rw"),
  });
  fc.assert(
    fc.property(model, value, (one, to) => {
      const text = textOf(one);
      // deno-lint-ignore no-explicit-any
      const edit = (document: any) => {
        document.env.name = to.name;
        if (to.text === null) delete document.vars[to.variable];
        else document.vars[to.variable] = to.text;
        if (!to.hook) delete document.hooks.pre_activate;
        document.sandbox.paths = document.sandbox.paths.filter((path: string) =>
          path !== to.gone
        );
        if (to.path !== null) document.sandbox.paths.push(to.path);
      };
      const wanted = parse(text.replace("\ufeff", ""));
      edit(wanted);
      const after = editManifest(text, edit, { file: "m" });
      deepStrictEqual(parse(after), wanted);
      checkLayout(text, after);
    }),
    { numRuns: 1500 },
  );
});
