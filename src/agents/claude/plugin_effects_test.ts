import { deepStrictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { TempDir } from "../../../tests/support/temp.ts";
import type { AbsPath } from "../../base/paths.ts";
import { commandWords, pluginEffects, textEffects } from "./plugin_effects.ts";

/** What a plugin with these files would run. */
function effects(files: Readonly<Record<string, unknown>>): string[] {
  using temp = new TempDir();
  for (const [name, content] of Object.entries(files)) {
    const path = `${temp.path}/${name}`;
    Deno.mkdirSync(dirname(path), { recursive: true });
    const text = typeof content === "string"
      ? content
      : JSON.stringify(content);
    Deno.writeTextFileSync(path, text);
  }
  return pluginEffects(temp.path as AbsPath);
}

function hooks(command: string) {
  return { Stop: [{ hooks: [{ type: "command", command }] }] };
}

Deno.test("pluginEffects() finds hooks in the file, in the manifest, and in files that the manifest names", () => {
  deepStrictEqual(
    effects({
      "hooks/hooks.json": { description: "d", hooks: hooks("one") },
      "more.json": { hooks: hooks("three") },
      ".claude-plugin/plugin.json": {
        name: "p",
        hooks: [hooks("two"), "./more.json", "../out.json"],
      },
    }),
    [
      "hook Stop: one",
      "hook Stop: two",
      "hooks from ./more.json",
      "hook Stop: three",
      "hooks from ../out.json, which leads out of it",
    ],
  );
});

Deno.test("pluginEffects() prints hooks that are not of the usual form as they stand", () => {
  deepStrictEqual(
    effects({
      "hooks/hooks.json": {
        hooks: {
          Stop: "x",
          PreToolUse: [
            { matcher: "Bash", command: "y" },
            {
              matcher: "Edit",
              hooks: [{ type: "command", command: "z", async: true }],
            },
          ],
        },
      },
    }),
    [
      'hook Stop: "x"',
      'hook PreToolUse (Bash): {"matcher":"Bash","command":"y"}',
      'hook PreToolUse (Edit): {"type":"command","command":"z","async":true}',
    ],
  );
});

Deno.test("pluginEffects() finds servers, monitors and settings, and prints what it does not know", () => {
  deepStrictEqual(
    effects({
      ".mcp.json": {
        a: { command: "node", args: ["x y"], env: { A: "1 2" } },
        b: { type: "http", url: "https://b.example", headers: { H: "v" } },
        c: { command: "x", args: "not a list" },
        d: 1,
      },
      ".lsp.json": { go: { command: "gopls" } },
      "monitors/monitors.json": [{ name: "m", command: "tail -f x" }],
      "settings.json": { agent: "boss" },
      ".claude-plugin/plugin.json": {
        name: "p",
        description: "not shown",
        mcpServers: "./bundle.mcpb",
        outputStyles: "./styles",
        future: { command: "x" },
      },
      "bin/tool": "",
    }),
    [
      'mcp server a: node "x y" (env: "A=1 2")',
      "mcp server b: https://b.example (headers: H=v)",
      'mcp server c: {"command":"x","args":"not a list"}',
      "mcp server d: 1",
      "language server go: gopls",
      'monitor m: "tail -f x"',
      'settings: {"agent":"boss"}',
      "mcpServers from ./bundle.mcpb",
      "outputStyles from ./styles",
      'future: {"command":"x"}',
      "program on PATH: bin/tool",
    ],
  );
});

Deno.test("pluginEffects() says when a file cannot be understood", () => {
  deepStrictEqual(effects({ "hooks/hooks.json": "{" }), [
    "hooks/hooks.json: no valid JSON",
  ]);
});

Deno.test("textEffects() finds commands in texts and in their front matter", () => {
  using temp = new TempDir();
  Deno.writeTextFileSync(
    `${temp.path}/SKILL.md`,
    "---\nname: s\nhooks:\n  Stop:\n    - x\ndescription: d\n---\nNow: !`date`, !`id -u`\n",
  );
  Deno.writeTextFileSync(`${temp.path}/plain.md`, "`date`\n");
  deepStrictEqual(textEffects(temp.path as AbsPath), [
    "SKILL.md: hooks:",
    "SKILL.md:   Stop:",
    "SKILL.md:     - x",
    "SKILL.md runs: date",
    "SKILL.md runs: id -u",
  ]);
});

Deno.test("commandWords() shows where words begin and end", () => {
  deepStrictEqual(
    [
      commandWords("npx", ["-y", "a b", ""]),
      commandWords("x;y", ["$HOME/${A:-b}", "a\nb"]),
    ],
    ['npx -y "a b" ""', '"x;y" $HOME/${A:-b} "a\\nb"'],
  );
});
