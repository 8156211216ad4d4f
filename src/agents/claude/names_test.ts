import assert from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { agentNames, skillNames } from "./names.ts";

function directory(files: Record<string, string>): AbsPath {
  const root = Deno.makeTempDirSync();
  for (const [path, text] of Object.entries(files)) {
    const file = `${root}/.claude/${path}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  return root as AbsPath;
}

Deno.test("agentNames() reads the name as YAML does", () => {
  const matters = {
    plain: "name: a-plain",
    comment: "description: d\nname: a-comment # x",
    quoted: 'name: "a quoted # one"',
    folded: "name: >-\n  a-folded\ndescription: d",
    continued: "name: a\n  continued",
    none: "description: d",
  };
  const dir = directory(Object.fromEntries(
    Object.entries(matters).map((
      [file, text],
    ) => [`agents/f-${file}.md`, `---\n${text}\n---\nbody`]),
  ));
  assert.deepEqual(agentNames(dir).filter((name) => !name.startsWith("f-")), [
    "a-comment",
    "a continued",
    "a-folded",
    "a-plain",
    "a quoted # one",
  ]);
  assert.ok(agentNames(dir).includes("f-none"));
});

Deno.test("skillNames() knows skills, commands in directories, and workflows by their own name", () => {
  const dir = directory({
    "skills/s one/SKILL.md": "",
    "commands/c.md": "",
    "commands/sub/d.md": "",
    "commands/dir/SKILL.md": "",
    "workflows/file.js": 'export const meta = { name: "wf two", x: 1 };',
  });
  const names = skillNames(dir);
  for (const name of ["s-one", "c", "sub:d", "dir", "file", "wf two"]) {
    assert.ok(names.includes(name), name);
  }
});
