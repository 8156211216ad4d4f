/** Names under which Claude Code offers what a directory's `.claude` holds. Measured on 2.1.197. */
import { type AbsPath, join } from "../../base/paths.ts";
import { readDir, readText } from "../../os/fs.ts";

/** Names of a directory's skills, commands and workflows; a file may be offered under more than one. */
export function skillNames(dir: AbsPath): string[] {
  const claude = join(dir, ".claude");
  const skills = (readDir(join(claude, "skills")) ?? []).flatMap(({ name }) => [
    name,
    // A plugin among the skills brings its own.
    ...(readDir(join(claude, "skills", name, "skills")) ?? []).map((e) =>
      `${name}:${e.name}`
    ),
  ]);
  const names = [...skills, ...commandNames(claude), ...workflowNames(claude)];
  return names.flatMap((name) => [name, offeredName(name)]);
}

/** Characters that a name may not have are offered as a dash. */
function offeredName(name: string): string {
  return name.replace(/[^A-Za-z0-9_:-]/g, "-");
}

/** A command is named after its file, or after its directory when the file is a SKILL.md. */
function commandNames(claude: AbsPath): string[] {
  return filesBelow(join(claude, "commands"), ".md").flatMap((name) => {
    const parts = name.split(":");
    if (parts.at(-1) !== "SKILL" || parts.length === 1) return [name];
    return [name, parts.slice(0, -1).join(":"), parts.at(-2)!];
  });
}

/** A workflow is named in its code: every text called `name` there may be it. */
function workflowNames(claude: AbsPath): string[] {
  const dir = join(claude, "workflows");
  return ["js", "mjs", "ts", "md", "json"].flatMap((ending) =>
    filesBelow(dir, `.${ending}`).flatMap((name) => {
      const text = readText(join(dir, ...name.split(":")) + `.${ending}`) ?? "";
      const named = [
        ...text.matchAll(/\bname["']?\s*:\s*(["'`])((?:(?!\1).)+)\1/g),
      ];
      return [name, ...named.map((match) => match[2]!)];
    })
  );
}

/** Names of the agents of a directory: the front matter's, and the file's. */
export function agentNames(dir: AbsPath): string[] {
  const agents = join(dir, ".claude", "agents");
  return filesBelow(agents, ".md").flatMap((name) => {
    const text = readText(join(agents, ...name.split(":")) + ".md") ?? "";
    const named = frontMatterName(text);
    return named === undefined ? [name] : [named, name];
  });
}

/** The `name` of a YAML front matter: plain, quoted, with a comment, or folded over lines. */
function frontMatterName(text: string): string | undefined {
  const matter = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  const lines = matter?.split(/\r?\n/) ?? [];
  const at = lines.findIndex((line) => /^name[ \t]*:/.test(line));
  if (at < 0) return undefined;
  const first = lines[at]!.replace(/^name[ \t]*:[ \t]*/, "");
  const quoted = /^(["'])(.*)\1[ \t]*(#.*)?$/.exec(first);
  if (quoted) return quoted[2];
  const end = lines.findIndex((line, i) => i > at && !/^[ \t]+\S/.test(line));
  const more = lines.slice(at + 1, end < 0 ? undefined : end);
  const head = /^[>|]/.test(first) ? [] : [first.replace(/(^|[ \t])#.*$/, "")];
  const name = [...head, ...more].map((line) => line.trim()).join(" ").trim();
  return name === "" ? undefined : name;
}

/** Files with this ending below `dir`, as `sub:name` without the ending. At most four levels, as deep as anybody nests them. */
function filesBelow(dir: AbsPath, ending: string, depth = 4): string[] {
  if (depth === 0) return [];
  return (readDir(dir) ?? []).flatMap(({ name, kind }) => {
    if (name.endsWith(ending)) return [name.slice(0, -ending.length)];
    if (kind === "file") return [];
    return filesBelow(join(dir, name), ending, depth - 1).map((below) =>
      `${name}:${below}`
    );
  });
}
