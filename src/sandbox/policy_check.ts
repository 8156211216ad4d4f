/** Whether one line of a manifest could be granted, for whoever is about to write it. */
import type { AbsPath } from "../base/paths.ts";
import { PATH_LIST_SEPARATOR } from "../base/paths.ts";
import { expand, Looker } from "./host_facts_paths.ts";
import type { Wish } from "./policy_input.ts";
import { refusalOf } from "./policy_rules.ts";
import { manifestPath } from "./policy_wishes.ts";

/** A line of `sandbox.paths`. */
export interface PathLine {
  /** As the manifest has it. */
  readonly path: string;
  readonly access: "ro" | "rw";
}

/** What a line would give. */
export interface LineAnswer {
  /** Real paths that would be granted. */
  readonly paths: readonly AbsPath[];
  /** Why it would be refused. */
  readonly refusal: string | undefined;
}

/** What the line is looked at with. */
export interface LineContext {
  readonly home: AbsPath | undefined;
  readonly aenvHome: AbsPath;
  /** What relative paths start from: the project. */
  readonly baseDir: AbsPath;
  /** The caller's PATH. */
  readonly searchPath: string;
}

/** What a line gives here. Throws `SANDBOX_REFUSED` on a text that is no place. */
export function checkLine(
  { path: text, access }: PathLine,
  context: LineContext,
): LineAnswer {
  const looker = new Looker();
  const line = `sandbox.paths: ${text}:${access}`;
  const path = manifestPath(context, text, line);
  const wish: Wish = {
    path,
    access: access === "rw" ? "write" : "read",
    need: "asked",
    why: { source: "manifest", text: line },
  };
  const facts = {
    home: context.home && (looker.real(context.home) ?? context.home),
    aenvHome: looker.real(context.aenvHome) ?? context.aenvHome,
    projectRoot: looker.real(context.baseDir) ?? context.baseDir,
    searchPath: context.searchPath.split(PATH_LIST_SEPARATOR)
      .flatMap((dir) =>
        dir.startsWith("/") ? looker.real(dir as AbsPath) ?? [] : []
      ),
  };
  const matches = (/[*?]/.test(text) ? expand(path) : [path])
    .flatMap((found) => looker.look(found) ?? []);
  const refusals = matches.map((match) => refusalOf(match, wish, facts));
  return {
    paths: matches.map((match) => match.path),
    refusal: refusals.find((refusal) => refusal !== undefined),
  };
}
