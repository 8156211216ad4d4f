/** The same claim as in leak_test.ts, where HOME and the project are laid out in ways that are easy to miss. */

import assert from "node:assert/strict";
import { bareEnv } from "../support/aenv.ts";
import { type ClaudeProgram, claudePrograms } from "../support/agents.ts";
import {
  type Canary,
  CanaryList,
  gatherEvidence,
  namesIn,
} from "../support/canaries.ts";
import { mcpServerOf, writeJson, writeText } from "../support/claude_items.ts";
import {
  type DirtyHome,
  makeDirtyHome,
  PROJECT_FILE,
} from "../support/dirty_home.ts";
import { run } from "../support/process.ts";
import type { StubApi } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";
import { launchInEnv, PROMPT, stubFor, UNKNOWN_TO } from "./leak_world.ts";

/** A way of laying things out. */
interface Layout {
  readonly name: string;
  readonly git: boolean;
  /** Directory below the temporary one that everything is in. */
  readonly below?: string;
  /** Changes the dirty HOME; canaries of its own go to `list`. */
  readonly arrange?: (dirty: DirtyHome, list: CanaryList) => void;
  /** Where in the project the agent is started. */
  readonly cwd?: string;
  /** HOME under another name. */
  readonly home?: (dirty: DirtyHome) => string;
}

const LAYOUTS: readonly Layout[] = [
  {
    name: "special characters in the path",
    git: false,
    below: "a [b] {c,d} (e)!*? +@$^ü",
  },
  {
    name: "rules and memory are symlinks into a directory of dotfiles",
    git: true,
    arrange: linkParts,
  },
  { name: "~/.claude is a symlink", git: true, arrange: linkWhole },
  {
    name: "items above the project have other names than their files",
    git: false,
    arrange: writeOddNames,
  },
  {
    name: "servers above the project are named like wanted ones",
    git: false,
    arrange: writeNamesakes,
  },
  {
    name: "HOME is a symlink, the cwd deep in the repository",
    git: true,
    home: linkHome,
    cwd: "packages/deep",
  },
  { name: "HOME is a repository", git: false, arrange: makeHomeRepository },
];

for (const agent of claudePrograms()) {
  for (const layout of LAYOUTS) {
    Deno.test(
      `plain Claude Code ${agent.label} loads every canary when ${layout.name}`,
      () => checkControl(layout, agent),
    );
    for (const isolation of ["private", "overlay"] as const) {
      Deno.test(
        `${isolation} env, Claude Code ${agent.label}: nothing leaks when ${layout.name}`,
        () => checkLayout(layout, { agent, isolation }),
      );
    }
  }
}

/** A layout in place. */
interface Site {
  readonly dirty: DirtyHome;
  readonly home: string;
  readonly cwd: string;
  /** What must not reach the agent. */
  readonly unwanted: readonly Canary[];
  /** The project's own, which must. */
  readonly projectItems: readonly Canary[];
}

function lay(layout: Layout, root: string, stub: StubApi): Site {
  const dirty = makeDirtyHome(root, { git: layout.git, stubUrl: stub.url });
  const list = new CanaryList("more");
  const cwd = layout.cwd ? `${dirty.project}/${layout.cwd}` : dirty.project;
  writeText(`${cwd}/${PROJECT_FILE}`, "notes\n");
  layout.arrange?.(dirty, list);
  const home = layout.home?.(dirty) ?? dirty.home;
  return {
    dirty,
    home,
    cwd,
    unwanted: [...dirty.canaries, ...list.canaries],
    // From a directory of its own the agent does not see all of the project.
    projectItems: layout.cwd ? [] : dirty.projectItems,
  };
}

function rootOf(layout: Layout, temp: TempDir): string {
  const root = layout.below ? `${temp.path}/${layout.below}` : temp.path;
  Deno.mkdirSync(root, { recursive: true });
  return root;
}

async function checkControl(
  layout: Layout,
  agent: ClaudeProgram,
): Promise<void> {
  using temp = new TempDir();
  const root = rootOf(layout, temp);
  await using stub = stubFor(root, layout.cwd);
  const { dirty, home, cwd, unwanted } = lay(layout, root, stub);
  const env = {
    ...bareEnv(home, agent),
    ...dirty.callerEnv,
    ANTHROPIC_BASE_URL: stub.url,
  };
  const finished = await run(agent.path, PROMPT, { env, cwd });
  assert.equal(finished.code, 0, finished.stderr);
  const evidence = gatherEvidence(stub, dirty.marks);
  const unknown = UNKNOWN_TO[agent.label] ?? [];
  const missing = unwanted.filter(({ name, isIn }) =>
    !isIn(evidence) && !unknown.includes(name)
  );
  assert.deepEqual(missing.map(({ name }) => name), []);
}

async function checkLayout(
  layout: Layout,
  { agent, isolation }: {
    agent: ClaudeProgram;
    isolation: "private" | "overlay";
  },
): Promise<void> {
  using temp = new TempDir();
  const root = rootOf(layout, temp);
  await using stub = stubFor(root, layout.cwd);
  const { dirty, home, cwd, unwanted, projectItems } = lay(layout, root, stub);
  const { declared, evidence, finished } = await launchInEnv(dirty, {
    agent,
    isolation,
    projectConfig: "load",
    stub,
    cwd,
    home,
  });
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(namesIn(evidence, unwanted), [], "leaked");
  const wanted = [...declared.items, ...projectItems];
  assert.deepEqual(
    namesIn(evidence, wanted),
    wanted.map(({ name }) => name),
    "missing",
  );
}

/** Moves a file or directory elsewhere and leaves a symlink in its place. */
function moveAndLink(path: string, target: string): void {
  Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
  Deno.renameSync(path, target);
  Deno.symlinkSync(target, path);
}

function linkParts({ home }: DirtyHome, list: CanaryList): void {
  const dotfiles = `${home}/dotfiles`;
  writeText(`${dotfiles}/single.md`, `${list.add("linked-rule")}\n`);
  moveAndLink(`${home}/.claude/rules`, `${dotfiles}/rules`);
  Deno.symlinkSync(`${dotfiles}/single.md`, `${dotfiles}/rules/single.md`);
  moveAndLink(`${home}/CLAUDE.md`, `${dotfiles}/home.md`);
  moveAndLink(`${home}/work/CLAUDE.md`, `${dotfiles}/work.md`);
}

function linkWhole({ home }: DirtyHome): void {
  moveAndLink(`${home}/.claude`, `${home}/dotfiles/claude`);
}

function linkHome({ home }: DirtyHome): string {
  Deno.symlinkSync(home, `${home}-link`);
  return `${home}-link`;
}

/** The agent then keeps what belongs to the project under the name of HOME. */
function makeHomeRepository({ home, project }: DirtyHome): void {
  const args = ["init", "--quiet", home];
  const { success } = new Deno.Command("git", { args }).outputSync();
  assert.ok(success);
  const kept = `${home}/.claude/projects`;
  const nameOf = (path: string) => path.replaceAll(/[^A-Za-z0-9]/g, "-");
  Deno.renameSync(`${kept}/${nameOf(project)}`, `${kept}/${nameOf(home)}`);
  const state = readJson(`${home}/.claude.json`);
  state.projects[home] = state.projects[project];
  writeJson(`${home}/.claude.json`, state);
}

// deno-lint-ignore no-explicit-any -- files that the test itself wrote
function readJson(path: string): any {
  return JSON.parse(Deno.readTextFileSync(path));
}

function writeOddNames({ home }: DirtyHome, list: CanaryList): void {
  const claude = `${home}/work/.claude`;
  const described = (name: string) => `description: ${list.add(name)}`;
  const agents: Readonly<Record<string, string>> = {
    named: `name: other-name\n${described("agent-named")}`,
    commented: `name: with-comment # why\n${described("agent-commented")}`,
    quoted: `name: "in quotes"\n${described("agent-quoted")}`,
    folded: `name: >-\n  over-lines\n${described("agent-folded")}`,
    "deeper/nested": `name: nested-agent\n${described("agent-nested")}`,
  };
  for (const [file, matter] of Object.entries(agents)) {
    writeText(`${claude}/agents/${file}.md`, `---\n${matter}\n---\nx\n`);
  }
  const documents: Readonly<Record<string, string>> = {
    "skills/a dir ü/SKILL.md": `name: front\n${described("skill-spaced")}`,
    "commands/one/two.md": described("command-nested"),
    "commands/sp ace.md": described("command-spaced"),
    "commands/folder/SKILL.md": `name: x\n${described("command-folder")}`,
  };
  for (const [file, matter] of Object.entries(documents)) {
    writeText(`${claude}/${file}`, `---\n${matter}\n---\nx\n`);
  }
  const description = list.add("workflow");
  writeText(
    `${claude}/workflows/file-name.js`,
    `export const meta = {\n  description: "${description}",\n  name: 'another name',\n};\nexport default async function () {}\n`,
  );
}

function writeNamesakes({ home, marks }: DirtyHome, list: CanaryList): void {
  const path = `${home}/work/.mcp.json`;
  const { mcpServers } = readJson(path);
  const plugin = "plugin:review:decl-plugin-mcp-z";
  Object.assign(mcpServers, {
    "proj-project-mcp-z": mcpServerOf("farther", marks),
    "decl-mcp-server-z": mcpServerOf(list.add("namesake-env"), marks),
    [plugin]: mcpServerOf(list.add("namesake-plugin"), marks),
  });
  writeJson(path, { mcpServers });
}
