import { ok, strictEqual } from "node:assert/strict";
import { helpText } from "./help.ts";
import { TABLE } from "./table.ts";

Deno.test("helpText() has a line for every command that is not hidden, in the table's order", () => {
  const text = helpText(TABLE);
  const shown = TABLE.filter((row) => !row.hidden);
  const places = shown.map(({ name, summary }) => {
    const line = text.split("\n").findIndex((l) =>
      l.startsWith(`  ${name} `) && l.endsWith(summary)
    );
    ok(line > 0, name);
    return line;
  });
  strictEqual(
    places.every((line, i) => i === 0 || line > places[i - 1]!),
    true,
  );
  for (const { name } of TABLE.filter((row) => row.hidden)) {
    strictEqual(text.includes(name), false, name);
  }
});

Deno.test("helpText() fits a terminal of 100 columns", () => {
  for (const line of helpText(TABLE).split("\n")) ok(line.length <= 100, line);
});
