import { deepEqual } from "node:assert/strict";
import { dirname } from "node:path";
import type { AbsPath } from "../base/paths.ts";
import { treeMemory } from "./memory.ts";

Deno.test("treeMemory() requires what is always loaded, and knows what may be: imports and rules for some paths", () => {
  const root = Deno.makeTempDirSync() as AbsPath;
  try {
    const files = {
      "CLAUDE.md": "see @docs/more.md, me@example.com and @~/mine.md",
      "docs/more.md": "back to @../CLAUDE.md and @deeper.md",
      "docs/deeper.md": "end",
      "home/mine.md": "mine",
      "rules/always.md": "rule",
      "rules/sub/some.md": "---\npaths: src/**\n---\nrule",
      "rules/blank.md": " \n",
    };
    for (const [name, text] of Object.entries(files)) {
      Deno.mkdirSync(dirname(`${root}/${name}`), { recursive: true });
      Deno.writeTextFileSync(`${root}/${name}`, text);
    }
    const found = treeMemory(root, "project", `${root}/home` as AbsPath);
    deepEqual(
      found.map(({ item, from, required }) =>
        `${item.slice(root.length + 1)}: ${from}${required ? "" : ", maybe"}`
      ),
      [
        "CLAUDE.md: project",
        "docs/more.md: project (imported), maybe",
        "docs/deeper.md: project (imported), maybe",
        "home/mine.md: project (imported), maybe",
        "rules/always.md: project",
        "rules/sub/some.md: project, maybe",
      ],
    );
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
