import { rejects, strictEqual } from "node:assert/strict";
import { editToml } from "./toml_edit.ts";

const WHERE = { file: "aenv.toml", code: "MANIFEST_INVALID" } as const;

const TEXT = `# top
aenv_schema_version = "2"

[env] # the env
name = "old"   # its name
compat = { claude = ">=2.1, <3", codex = "1" }
list = [
  "a", # first
  "b",
]
`;

Deno.test("editToml() changes one value and keeps comments, order and layout", async () => {
  const text = await editToml(TEXT, (document) => {
    (document["env"] as Record<string, unknown>)["name"] = "new";
  }, WHERE);
  strictEqual(text, TEXT.replace('"old"', '"new"'));
});

Deno.test("editToml() keeps line ends of Windows and ends with a line break", async () => {
  const before = '# a\r\n[x] # b\r\ny = "1"\r\n';
  const after = await editToml(before, (document) => {
    (document["x"] as Record<string, unknown>)["y"] = "2";
  }, WHERE);
  strictEqual(after, before.replace("1", "2"));
  strictEqual(
    await editToml("", (document) => document["k"] = "v", WHERE),
    'k = "v"\n',
  );
});

Deno.test("editToml() refuses when the text would not say what was meant", async () => {
  await rejects(
    editToml(TEXT, (document) => document["gone"] = undefined, WHERE),
    /Cannot edit "aenv.toml"/,
  );
});
