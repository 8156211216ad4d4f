import assert from "node:assert/strict";

Deno.test("every claim that the README names exists", () => {
  const at = (name: string) =>
    Deno.readTextFileSync(new URL(`./${name}`, import.meta.url));
  const rows = at("README.md").split("\n").map((line) =>
    line.split("|").map((cell) => cell.trim())
  ).filter((cells) => cells[2]?.endsWith("_test"));
  assert.ok(rows.length >= 40);
  for (const [, , file, claim] of rows) {
    const text = at(`${file}.ts`);
    assert.ok(
      text.includes(`laim("${claim}"`) || text.includes(`  "${claim}",`),
      claim,
    );
  }
});
