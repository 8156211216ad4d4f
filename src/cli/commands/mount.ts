import { AppError, ExitCode } from "../../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  relative,
  resolveFrom,
  tilde,
} from "../../base/paths.ts";
import { escapeControl, quote } from "../../base/text.ts";
import {
  activeEnv,
  auditEvent,
  hostDirs,
  type OpenEnv,
  requireNamed,
} from "../../env/mod.ts";
import { addPath, type PathLine, removePaths } from "../../manifest/mod.ts";
import type { Host } from "../../os/host.ts";
import { checkLine, type LineAnswer } from "../../sandbox/mod.ts";
import {
  type Command,
  type Input,
  type Outcome,
  textOption,
} from "../command.ts";
import { installEdited } from "../install_outcome.ts";

const PATH = {
  name: "path",
  summary: "A file or directory; * and ? stand for parts of one name",
} as const;

/** `aenv mount add`. */
export const add: Command = {
  words: {
    arguments: [{
      ...PATH,
      summary: `${PATH.summary}. Read-only unless it ends in :rw`,
    }],
    env: true,
    examples: ["aenv mount add ~/data", "aenv mount add ../shared:rw"],
  },
  async run(input, host) {
    const place = placeOf(input, host, "mount into");
    const line = lineOf(input.args[0]!, place);
    const { refusal, paths } = check(line, place);
    if (refusal !== undefined) {
      throw new AppError(
        "SANDBOX_REFUSED",
        `Cannot grant ${quote(shown(line))}: ${refusal}`,
        { hint: "Name a smaller place", exitCode: ExitCode.failed },
      );
    }
    const { env } = place;
    const { text, removed } = addPath(env.manifestText, line, {
      file: env.manifestPath,
    });
    const [before] = removed;
    const words = before === undefined
      ? `granted ${shown(line)}`
      : `granted ${shown(line)} in the place of ${shown(before)}`;
    const remarks = [
      ...(paths.length === 0 ? ["nothing is there yet: it is left out"] : []),
      ...(env.manifest.sandbox?.enabled ? [] : [
        `the sandbox of environment ${env.label} is off: nothing is confined to this`,
      ]),
    ];
    for (const remark of remarks) host.notice(`aenv: ${remark}`);
    const isKnown = text === env.manifestText;
    const outcome = await edited(place, {
      ...{ text, host, command: "mount add" },
      words: isKnown ? `${shown(line)} was granted already` : words,
      data: { added: isKnown ? [] : [line], removed },
    });
    if (!isKnown) await audit("mount-added", [line], { place, host });
    return outcome;
  },
};

/** `aenv mount rm`. */
export const rm: Command = {
  words: {
    arguments: [PATH],
    env: true,
    examples: ["aenv mount rm ~/data", "aenv mount rm ../shared:rw"],
  },
  async run(input, host) {
    const place = placeOf(input, host, "take a path out of");
    const { env } = place;
    const text = input.args[0]!;
    const { path } = lineOf(text, place);
    const access = /:(ro|rw)$/.exec(text)?.[1];
    const result = removePaths(env.manifestText, (line) => {
      const isSame = line.path === path || line.path === text ||
        absolute(line.path, place) === absolute(path, place);
      return isSame && (access === undefined || line.access === access);
    }, { file: env.manifestPath });
    if (result.removed.length === 0) {
      throw new AppError(
        "ITEM_NOT_FOUND",
        `Cannot find ${quote(text)}: ${
          quote(env.manifestPath)
        } does not grant it`,
        { hint: "See what it grants: aenv mount list" },
      );
    }
    const { removed } = result;
    const outcome = await edited(place, {
      ...{ text: result.text, host, command: "mount rm" },
      words: `no longer granted: ${removed.map(shown).join(", ")}`,
      data: { added: [], removed },
    });
    await audit("mount-removed", removed, { place, host });
    return outcome;
  },
};

/** `aenv mount list`. */
export const list: Command = {
  words: {
    env: true,
    examples: ["aenv mount list", "aenv mount list --json"],
  },
  run(input, host) {
    const place = placeOf(input, host, "list the paths of");
    const lines = place.env.manifest.sandbox?.paths ?? [];
    const rows = lines.map((line) => ({ ...line, ...check(line, place) }));
    return {
      data: rows.map((row) => ({ ...row, refusal: row.refusal ?? null })),
      text: () => rows.map(rowText).join("\n"),
    };
  },
};

/** The env and where its paths start from. */
interface Place {
  readonly env: OpenEnv;
  readonly home: AbsPath;
  readonly aenvHome: AbsPath;
  readonly cwd: AbsPath;
  readonly searchPath: string;
}

function placeOf(input: Input, host: Host, action: string): Place {
  const { env, dirs } = activeEnv(host, textOption(input, "env"));
  return {
    env: requireNamed(env, action),
    home: host.home(),
    aenvHome: dirs.root,
    cwd: host.cwd(),
    searchPath: host.env["PATH"] ?? "",
  };
}

/** What was typed as a line of the manifest: below HOME with `~`, in a project relative where it was typed so. */
function lineOf(text: string, { env, home, cwd }: Place): PathLine {
  const [, typed, access] = /^(.*?)(?::(ro|rw))?$/s.exec(text)!;
  const path = typed!.startsWith("~") || isAbsolutePath(typed!)
    ? tilde(typed!, home)
    : env.scope === "project"
    ? relative(env.baseDir, resolveFrom(cwd, typed!))
    : tilde(resolveFrom(cwd, typed!), home);
  return { path, access: access === "rw" ? "rw" : "ro" };
}

function absolute(path: string, { env, home }: Place): string {
  return path.startsWith("~/") || path === "~"
    ? resolveFrom(home, `.${path.slice(1)}`)
    : resolveFrom(env.baseDir, path);
}

function check(line: PathLine, place: Place): LineAnswer {
  return checkLine(line, { ...place, baseDir: place.env.baseDir });
}

async function edited(
  { env }: Place,
  { text, host, command, words, data }: {
    readonly text: string;
    readonly host: Host;
    readonly command: string;
    readonly words: string;
    readonly data: Readonly<Record<string, unknown>>;
  },
): Promise<Outcome> {
  if (text === env.manifestText) return { data, text: () => words };
  const touches = ["sandbox"];
  const outcome = await installEdited(env, { text, touches }, {
    host,
    command,
  });
  return {
    ...outcome,
    data: { ...data, install: outcome.data },
    text: () => [escapeControl(words), outcome.text()].join("\n"),
  };
}

async function audit(
  event: "mount-added" | "mount-removed",
  lines: readonly PathLine[],
  { place, host }: { readonly place: Place; readonly host: Host },
): Promise<void> {
  await auditEvent({ event, paths: lines.map(shown) }, {
    ...{ dirs: hostDirs(host), env: place.env.label },
  });
}

function shown({ path, access }: PathLine): string {
  return `${path}:${access}`;
}

function rowText(row: PathLine & LineAnswer): string {
  const state = row.refusal !== undefined
    ? `refused: ${row.refusal}`
    : row.paths.length === 0
    ? "nothing is there"
    : row.paths.join(", ");
  return escapeControl(`${row.access}  ${row.path}  (${state})`);
}
