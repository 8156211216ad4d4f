/** MCP servers of other programs: finding their files, reading them, choosing among them. Writes nothing. */
import { claude, foreign } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, resolveFrom, tilde } from "../base/paths.ts";
import { didYouMean, listWords, quote } from "../base/text.ts";
import { readText, realPath } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import type { OpenEnv } from "./types.ts";
import { userPlaces } from "./user_places.ts";

/** Most bytes of a file with servers: the state file of Claude Code grows. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What is needed to read servers of other programs. */
export interface ImportContext {
  readonly env: OpenEnv;
  readonly host: Host;
  readonly dirs: Dirs;
  /** See `ForeignContext`. */
  secretKey(id: string): string;
}

/**
 * The servers that `from` has: a program, `cursor-deeplink:URL`, `vscode-deeplink:URL`, or a file. Throws `PATH_INVALID` when
 * there is nothing to read, `CONTENT_INVALID` when it cannot be understood or declares none, `IO`.
 */
export function importServers(
  from: string,
  context: ImportContext,
): foreign.ForeignServer[] {
  const link = linkOf(from);
  const texts = link === undefined
    ? isProgram(from)
      ? programTexts(from, context)
      : [fileText(from, context.host)]
    : [link];
  const servers = texts.flatMap((text) =>
    foreign.foreignServers(text, {
      secretKey: (id) => context.secretKey(id),
      hasWorkspace: context.env.scope === "project",
    })
  );
  if (servers.length > 0) return lastOfEach(servers);
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot import from ${
      quote(nameOf(from))
    }: no MCP server is declared there`,
  );
}

/** The chosen servers: `NAME`, or `NAME=OTHER` to call it otherwise here; all when nothing is chosen. Throws `USAGE`. */
export function selectServers(
  servers: readonly foreign.ForeignServer[],
  select: readonly string[],
): foreign.ForeignServer[] {
  const chosen = select.length === 0
    ? [...servers]
    : select.map((choice) => chooseOne(servers, choice));
  const names = chosen.map(({ name }) => name.toLowerCase());
  const twice = chosen.find(({ name }, i) =>
    names.indexOf(name.toLowerCase()) !== i
  );
  if (twice === undefined) return chosen;
  throw new AppError(
    "USAGE",
    `Cannot import ${quote(twice.found)}: two servers would be called ${
      quote(twice.name)
    }`,
    { hint: `Call it otherwise: --select ${twice.found}=OTHER` },
  );
}

/** Throws `CONTENT_INVALID` that names every server that cannot be taken over, and why. */
export function requireImportable(
  servers: readonly foreign.ForeignServer[],
  verb: "import" | "add" = "import",
): void {
  const bad = servers.filter(({ problems }) => problems.length > 0);
  if (bad.length === 0) return;
  const rest = servers.filter((server) => !bad.includes(server));
  const reasons = bad.map(({ found, problems }) =>
    `${quote(found)}: ${problems.join("; ")}`
  );
  const names = bad.map(({ found }) => found).join(", ");
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot ${verb} ${quote(names)}: ${
      bad.length === 1 ? "it" : "they"
    } cannot be taken over as declared, so nothing was ${verb}ed`,
    {
      hint: [
        ...reasons,
        ...(rest.length === 0 || verb === "add" ? [] : [
          `Leave out what cannot be taken: --select ${
            rest.map(({ found }) => shellWord(found)).join(" ")
          }`,
        ]),
      ].join("\n  "),
    },
  );
}

function shellWord(text: string): string {
  return /^[\w.@:+-]+$/.test(text) ? text : JSON.stringify(text);
}

function chooseOne(
  servers: readonly foreign.ForeignServer[],
  choice: string,
): foreign.ForeignServer {
  const exact = servers.find(({ found }) => found === choice);
  if (exact) return exact;
  const cut = choice.lastIndexOf("=");
  const wanted = cut < 0 ? choice : choice.slice(0, cut);
  const server = servers.find(({ found, name }) =>
    found === wanted || name === wanted
  );
  if (server === undefined) throw unknownChoice(servers, wanted);
  if (cut < 0) return server;
  // The note about the other name is no longer true.
  const notes = server.notes.filter((note) => !note.startsWith("it is called"));
  const problems = server.problems.filter((problem) =>
    !problem.startsWith("its name cannot")
  );
  return { ...server, name: choice.slice(cut + 1), notes, problems };
}

function unknownChoice(
  servers: readonly foreign.ForeignServer[],
  wanted: string,
): AppError {
  const names = servers.map(({ found }) => found);
  const near = didYouMean(wanted, names);
  return new AppError(
    "USAGE",
    `Cannot select ${quote(wanted)}: no server of that name is there`,
    {
      hint: near === undefined
        ? `There are: ${listWords(names)}`
        : `Did you mean ${quote(near)}?`,
    },
  );
}

function isProgram(from: string): from is foreign.Program {
  return (foreign.PROGRAMS as readonly string[]).includes(from);
}

function linkOf(from: string): foreign.ForeignText | undefined {
  const named = /^(cursor|vscode)-deeplink:([^]*)$/.exec(from);
  if (named) return foreign.readLink(named[2]!, named[1] as foreign.LinkKind);
  const kind = foreign.linkKind(from);
  return kind && foreign.readLink(from, kind);
}

/** A link may hold credentials: it is never shown. */
function nameOf(from: string): string {
  return linkOf(from)?.from ?? from;
}

function fileText(from: string, host: Host): foreign.ForeignText {
  const path = resolveFrom(host.cwd(), from);
  const text = readText(path, MAX_BYTES);
  if (text !== undefined) {
    return { text, from: shown(path, host), comments: true };
  }
  const near = didYouMean(from, foreign.PROGRAMS);
  throw new AppError(
    "PATH_INVALID",
    `Cannot import from ${quote(from)}: there is no such file`,
    {
      hint: near === undefined
        ? `Name a file, or one of: ${foreign.PROGRAMS.join(", ")}`
        : `Did you mean: --from ${near}`,
    },
  );
}

function programTexts(
  program: foreign.Program,
  { env, host, dirs }: ImportContext,
): foreign.ForeignText[] {
  const home = host.home();
  const cwd = host.cwd();
  const manifestDir = env.scope === "project" ? env.baseDir : undefined;
  const { root } = claude.projectFacts({ cwd, home, manifestDir });
  const projects = [root, realPath(cwd) ?? cwd];
  const places = foreign.placesOf(program, {
    os: host.os,
    env: host.env,
    home,
    project: manifestDir ?? root,
    stateFile: userPlaces(host, dirs).stateFile,
    projects: [...new Set(projects)],
  });
  const texts = places.flatMap(({ path, comments, at }) => {
    const text = readText(path, MAX_BYTES);
    return text === undefined
      ? []
      : [{ text, from: shown(path, host), comments, at }];
  });
  if (texts.length > 0) return texts;
  throw new AppError(
    "PATH_INVALID",
    `Cannot import from ${quote(program)}: it has no file with MCP servers`,
    {
      hint: `Looked for: ${listWords(places.map((p) => shown(p.path, host)))}`,
    },
  );
}

function shown(path: AbsPath, host: Host): string {
  return tilde(path, host.env["HOME"] ?? "");
}

/** Of servers with one name the last counts, as in the program itself. */
function lastOfEach(
  servers: readonly foreign.ForeignServer[],
): foreign.ForeignServer[] {
  const last = new Map<string, foreign.ForeignServer>();
  for (const server of servers) {
    const other = last.get(server.found);
    last.delete(server.found);
    const note = other && `that of ${other.from} is left out`;
    last.set(
      server.found,
      note ? { ...server, notes: [...server.notes, note] } : server,
    );
  }
  return [...last.values()];
}
