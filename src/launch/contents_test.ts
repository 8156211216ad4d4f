import assert from "node:assert/strict";
import { dirsAt, slotAt } from "../base/dirs.ts";
import type { EnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import { planContents } from "./contents.ts";
import { copyTree, scanTree, treeFingerprint } from "./tree.ts";

function tempDir(): AbsPath {
  return Deno.realPathSync(Deno.makeTempDirSync()) as AbsPath;
}

function write(path: string, text: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

/** An env whose manifest is `body` after [env]. */
function env(root: AbsPath, body: string): OpenEnv {
  return {
    kind: "env",
    scope: "named",
    label: "e" as EnvName,
    slotName: "e",
    slot: slotAt(root),
    manifest: parseManifest(`[env]\nname = "e"\n${body}`, "aenv.toml"),
    manifestText: body,
    manifestPath: join(root, "aenv.toml"),
    manifestReal: join(root, "aenv.toml"),
    baseDir: root,
    breadcrumb: "e",
  };
}

function plan(root: AbsPath, body: string) {
  return planContents(env(root, body), {
    home: "/home/u" as AbsPath,
    dirs: dirsAt(root),
  });
}

function plugin(name: string, source: string): string {
  return `[[plugins.enabled]]\nname = "${name}"\nsource = ${
    JSON.stringify(source)
  }\n`;
}

Deno.test("planContents() gives each plugin a place named after its files and the skills one wrapper", () => {
  const root = tempDir();
  write(`${root}/p/.claude-plugin/plugin.json`, '{"name":"rev"}');
  write(`${root}/s/SKILL.md`, "x");
  const skill = '[[skills.enabled]]\nname = "strict"\nsource = "./s"\n';
  const { plugins, skillsPlugin, installs } = plan(
    root,
    plugin("rev", "./p") + skill,
  );
  assert.match(plugins[0]!.installed, /\/installed\/[0-9a-f]{16}\/rev$/);
  assert.deepEqual(
    installs.map((step) => [step.kind, step.name, step.source]),
    [
      ["plugin", "rev", join(root, "p")],
      ["skill", "strict", join(root, "s")],
    ],
  );
  assert.equal(installs[1]!.target, join(skillsPlugin!, "skills", "strict"));
});

Deno.test("planContents() refuses sources that are missing, remote, or not what they are called", () => {
  const root = tempDir();
  write(`${root}/other/.claude-plugin/plugin.json`, '{"name":"other"}');
  write(`${root}/broken/.claude-plugin/plugin.json`, "{");
  write(`${root}/nameless/.claude-plugin/plugin.json`, "{}");
  write(`${root}/empty/readme.txt`, "x");
  write(`${root}/file`, "x");
  const cases: [string, string, RegExp][] = [
    ["./gone", "CONTENT_INVALID", /it does not exist/],
    ["./file", "STORE_MISSING", /it is not installed/],
    ["./other", "CONTENT_INVALID", /its own manifest calls it "other"/],
    ["./broken", "CONTENT_INVALID", /plugin.json/],
    ["./nameless", "CONTENT_INVALID", /has no name/],
    ["./empty", "CONTENT_INVALID", /there is no ".*plugin.json" in its root/],
    ["npm:x@1", "STORE_MISSING", /it is not installed/],
    ["git+https://h/r", "STORE_MISSING", /it is not installed/],
    ["x@owner/repo", "STORE_MISSING", /it is not installed/],
  ];
  for (const [source, code, message] of cases) {
    assert.throws(
      () => plan(root, plugin("rev", source)),
      { code, message },
      source,
    );
  }
});

Deno.test("planContents() refuses a subpath that a link leads out of the source", () => {
  const root = tempDir();
  write(`${root}/outside/.claude-plugin/plugin.json`, '{"name":"rev"}');
  Deno.mkdirSync(`${root}/p`);
  Deno.symlinkSync("../outside", `${root}/p/sub`);
  assert.throws(() => plan(root, plugin("rev", "./p") + 'subpath = "sub"\n'), {
    code: "CONTENT_INVALID",
  });
});

Deno.test("scanTree() refuses everything but files, directories and links that stay inside", () => {
  const fifo = tempDir();
  const made = new Deno.Command("mkfifo", { args: [`${fifo}/pipe`] })
    .outputSync();
  assert.equal(made.code, 0);
  assert.throws(() => scanTree(fifo), {
    message: /"pipe" is neither a file nor a directory/,
  });
  for (const target of ["/etc/passwd", "../x", "a/../../x"]) {
    const root = tempDir();
    Deno.symlinkSync(target, `${root}/link`);
    assert.throws(() => scanTree(root), {
      message: /the link "link" leads out of it/,
    }, target);
  }
});

Deno.test("treeFingerprint() changes when a file is written, replaced, added, removed or made executable", () => {
  const root = tempDir();
  write(`${root}/a`, "1");
  const marks = [treeFingerprint("n", scanTree(root))];
  function changed(): void {
    const mark = treeFingerprint("n", scanTree(root));
    assert.equal(marks.includes(mark), false);
    marks.push(mark);
  }
  Deno.writeTextFileSync(`${root}/new`, "2");
  Deno.renameSync(`${root}/new`, `${root}/a`);
  changed();
  write(`${root}/b`, "");
  changed();
  Deno.chmodSync(`${root}/b`, 0o755);
  changed();
  Deno.removeSync(`${root}/a`);
  changed();
  assert.notEqual(treeFingerprint("other", scanTree(root)), marks.at(-1));
});

Deno.test("copyTree() copies contents, links and the executable bit, with closed modes", () => {
  const root = tempDir();
  write(`${root}/d/run`, "#!/bin/sh\n");
  Deno.chmodSync(`${root}/d/run`, 0o755);
  write(`${root}/.git/config`, "x");
  Deno.symlinkSync("d/run", `${root}/link`);
  const target = join(tempDir(), "copy");
  copyTree(root, target, scanTree(root));
  assert.equal(Deno.readTextFileSync(`${target}/link`), "#!/bin/sh\n");
  assert.equal(Deno.lstatSync(`${target}/d/run`).mode! & 0o777, 0o700);
  assert.equal(Deno.lstatSync(`${target}/d`).mode! & 0o777, 0o700);
  assert.deepEqual([...Deno.readDirSync(target)].map((e) => e.name).sort(), [
    "d",
    "link",
  ]);
});
