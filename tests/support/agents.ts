/** The real agents that `scripts/prepare_tests.ts` puts below `.cache/agents/`. */

/** One installed agent. */
export interface ClaudeProgram {
  /** For test names: `newest` or `2.1.197`. */
  readonly label: string;
  /** Directory to put on PATH. */
  readonly directory: string;
  /** The program itself. */
  readonly path: string;
}

const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname)
  .replace(/^\/([A-Za-z]:)/, "$1").replace(/\/$/, "");

/** The repository's root directory, absolute. */
export function repositoryRoot(): string {
  return ROOT;
}

/** Codex. Throws when it has not been installed. */
export function codexProgram(): ClaudeProgram {
  return programAt("codex", { directory: "codex", label: "codex" });
}

/** The newest Claude Code and 2.1.197. Throws when they have not been installed. */
export function claudePrograms(): readonly [ClaudeProgram, ClaudeProgram] {
  return [claudeProgram("newest"), claudeProgram("2.1.197")];
}

function claudeProgram(label: string): ClaudeProgram {
  return programAt("claude", { directory: `claude-${label}`, label });
}

function programAt(
  name: string,
  place: { readonly directory: string; readonly label: string },
): ClaudeProgram {
  const { label } = place;
  const directory =
    `${ROOT}/.cache/agents/${place.directory}/node_modules/.bin`;
  const path = `${directory}/${name}`;
  try {
    Deno.statSync(path);
  } catch (error) {
    throw new Error(
      `Cannot test with ${place.directory}: run \`deno run -A scripts/prepare_tests.ts\` first`,
      { cause: error },
    );
  }
  return { label, directory, path };
}
