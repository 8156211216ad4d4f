/** Changes of protected files as people read them. */
import { escapeControl } from "../base/text.ts";
import type { Change } from "../sandbox/mod.ts";

const WORDS: Readonly<Record<Change["change"], string>> = {
  created: "made",
  deleted: "removed",
  content: "written",
  mode: "mode",
  kind: "replaced",
  target: "led elsewhere",
  nested: "made or written",
};

/** One line for each change; a directory that appeared or went is one line with all that is in it. */
export function changeLines(
  changes: readonly Change[],
  project: string,
): string[] {
  const whole = changes.filter(({ change, before, after }) =>
    (change === "created" && after?.kind === "directory") ||
    (change === "deleted" && before?.kind === "directory")
  );
  return changes.filter((change) =>
    !whole.some((above) =>
      above.change === change.change &&
      change.path.startsWith(above.path + "/")
    )
  ).map((change) => {
    const word = WORDS[change.change].padEnd(15);
    const name = change.path.startsWith(project + "/")
      ? change.path.slice(project.length + 1)
      : change.path;
    const slash = whole.includes(change) ? "/" : "";
    return escapeControl(
      `  ${word}  ${name}${slash}  (${change.why}${detail(change)})`,
    );
  });
}

function detail({ change, before, after }: Change): string {
  if (
    change === "mode" && before && after && "mode" in before && "mode" in after
  ) {
    return `; ${before.mode.toString(8)} → ${after.mode.toString(8)}`;
  }
  return after?.kind === "symlink" ? `; a link to ${after.target}` : "";
}
