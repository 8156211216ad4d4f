import { deepEqual } from "node:assert/strict";
import { dirname } from "node:path";
import type { AbsPath } from "../base/paths.ts";
import {
  hookCommands,
  pluginHooks,
  scanComponents,
  scanPlugin,
} from "./scan.ts";

const FRONT = "---\ndescription: does it\n---\ntext\n";

/** Runs `check` in a directory with these files. */
function withFiles(
  files: Readonly<Record<string, string>>,
  check: (root: AbsPath) => void,
): void {
  const root = Deno.makeTempDirSync();
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = `${root}/${name}`;
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
    check(root as AbsPath);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function names(
  parts: readonly { kind: string; name: string; aliases: readonly string[] }[],
): string[] {
  return parts.map(({ kind, name, aliases }) =>
    [kind, name, ...aliases].join(" ")
  );
}

Deno.test("scanComponents() names skills by their directory, commands by their file, agents by their front matter", () => {
  withFiles({
    "skills/dir/SKILL.md": "---\nname: other\ndescription: d\n---\n",
    "skills/not a skill/README.md": "x",
    "skills/plugin/SKILL.md": FRONT,
    "skills/plugin/.claude-plugin/plugin.json": "{}",
    "skills/sp ace/SKILL.md": FRONT,
    "commands/sub/do.md": FRONT,
    "agents/sub/file.md": '---\nname: "helper"\ndescription: d\n---\n',
    "agents/nameless.md": FRONT,
    "workflows/wf.js": 'export const meta = { name: "flow" };',
  }, (root) => {
    deepEqual(names(scanComponents({ root, isPlugin: false })), [
      "skill dir other",
      "skill sp-ace",
      "command sub:do",
      "agent helper sub:helper",
      "skill flow wf",
    ]);
  });
});

Deno.test("scanPlugin() takes nameless agents, more skills, and other commands instead of the usual ones", () => {
  withFiles({
    ".claude-plugin/plugin.json": JSON.stringify({
      name: "p",
      skills: "./more",
      commands: ["./extra/one.md"],
    }),
    "skills/usual/SKILL.md": FRONT,
    "more/added/SKILL.md": FRONT,
    "commands/usual.md": FRONT,
    "extra/one.md": FRONT,
    "agents/nameless.md": "text",
  }, (root) => {
    deepEqual(names(scanPlugin(root)), [
      "skill usual",
      "skill added",
      "command one",
      "agent nameless",
    ]);
  });
});

Deno.test("hookCommands() leaves out what does not run at a fresh start", () => {
  function starts(matcher: unknown): number {
    const hooks = [{ type: "command", command: "true" }];
    return hookCommands({ SessionStart: [{ matcher, hooks }] }).length;
  }
  const matchers = [undefined, "", "*", "startup", "resume|startup", "start.*"];
  deepEqual(matchers.map(starts), [1, 1, 1, 1, 1, 1]);
  deepEqual(["resume", "clear|compact", "(", "start"].map(starts), [
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("hookCommands() takes a table of any shape without failing", () => {
  for (
    const table of [undefined, 5, [], { Stop: 5 }, { Stop: [{ hooks: 1 }] }]
  ) {
    deepEqual(hookCommands(table), []);
  }
});

Deno.test("pluginHooks() joins hooks.json with the manifest's tables and paths", () => {
  function table(command: string): Record<string, unknown> {
    return { Stop: [{ hooks: [{ type: "command", command }] }] };
  }
  withFiles({
    "hooks/hooks.json": JSON.stringify({ hooks: table("usual") }),
    "other.json": JSON.stringify({ hooks: table("by path") }),
    ".claude-plugin/plugin.json": JSON.stringify({
      hooks: ["./other.json", table("inline")],
    }),
  }, (root) => {
    deepEqual(pluginHooks(root).map(({ command }) => command), [
      "usual",
      "by path",
      "inline",
    ]);
  });
});
