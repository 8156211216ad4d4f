import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import {
  entry,
  model,
  source,
  textOf,
} from "../../tests/support/manifest_texts.ts";
import {
  addEntry,
  editManifest,
  type EntryKind,
  parseManifest,
  removeEntry,
  setEntry,
} from "./mod.ts";

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
