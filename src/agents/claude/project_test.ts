import assert from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { projectFacts } from "./project.ts";

/** A home with a directory between it and the project, and agent files in each. */
function tree(): {
  home: AbsPath;
  mid: AbsPath;
  project: AbsPath;
  sub: AbsPath;
} {
  const home = Deno.realPathSync(Deno.makeTempDirSync()) as AbsPath;
  const [mid, project, sub] = ["mid", "mid/project", "mid/project/sub"].map((
    p,
  ) => `${home}/${p}`);
  for (
    const [dir, tag] of [[home, "home"], [mid, "mid"], [
      project,
      "own",
    ]] as const
  ) {
    write(`${dir}/.claude/skills/sk-${tag}/SKILL.md`, "x");
    write(`${dir}/.claude/commands/sub/co-${tag}.md`, "x");
    write(
      `${dir}/.claude/agents/file-${tag}.md`,
      `---\ndescription: d\nname: ag-${tag}\n---\n`,
    );
    write(
      `${dir}/.mcp.json`,
      JSON.stringify({ mcpServers: { [`m-${tag}`]: {}, shared: { tag } } }),
    );
  }
  Deno.mkdirSync(sub!, { recursive: true });
  return {
    home,
    mid: mid as AbsPath,
    project: project as AbsPath,
    sub: sub as AbsPath,
  };
}

function write(path: string, text: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

Deno.test("projectFacts() ends the project at the git root", () => {
  const { home, project, sub } = tree();
  Deno.mkdirSync(`${project}/.git`);
  const facts = projectFacts({ cwd: sub, home, manifestDir: undefined });
  assert.equal(facts.root, project);
  assert.deepEqual(facts.inside, [sub, project]);
  assert.deepEqual(facts.foreign.skills, []);
  assert.deepEqual(facts.foreign.mcpServers, ["m-home", "m-mid"]);
  assert.deepEqual(facts.mcpServers["shared"], { tag: "own" });
});

Deno.test("projectFacts() names what a walk without a git root would pick up below HOME", () => {
  const { home, project } = tree();
  const facts = projectFacts({ cwd: project, home, manifestDir: undefined });
  assert.equal(facts.root, project);
  assert.deepEqual(facts.foreign.skills, ["sk-mid", "sub:co-mid"]);
  assert.deepEqual(facts.foreign.agents, ["ag-mid", "file-mid"]);
});

Deno.test("projectFacts() takes the manifest's directory as root where there is no git root", () => {
  const { home, project, sub } = tree();
  const facts = projectFacts({ cwd: sub, home, manifestDir: project });
  assert.equal(facts.root, project);
});

Deno.test("projectFacts() does not take a home under git for a project", () => {
  const { home, project } = tree();
  Deno.mkdirSync(`${home}/.git`);
  const facts = projectFacts({ cwd: project, home, manifestDir: undefined });
  assert.equal(facts.root, project);
  assert.equal(
    projectFacts({ cwd: home, home, manifestDir: undefined }).isHome,
    true,
  );
});

Deno.test("projectFacts() does not turn off a name that the project has itself", () => {
  const { home, mid, project } = tree();
  write(`${mid}/.claude/skills/sk-own/SKILL.md`, "x");
  const facts = projectFacts({ cwd: project, home, manifestDir: undefined });
  assert.equal(facts.foreign.skills.includes("sk-own"), false);
});

Deno.test("projectFacts() walks by the real path when HOME is a link", () => {
  const { home, project } = tree();
  const link = `${Deno.makeTempDirSync()}/home` as AbsPath;
  Deno.symlinkSync(home, link);
  const cwd = project.replace(home, link) as AbsPath;
  const facts = projectFacts({ cwd, home: link, manifestDir: undefined });
  assert.equal(facts.cwd, project);
  // The agent compares $HOME as text, so its walk does not end there.
  assert.equal(facts.foreign.skills.includes("sk-home"), true);
});
