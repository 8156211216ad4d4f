/** Where other programs keep their MCP servers. Read only, and only when the user asks for it. */
import { type AbsPath, join } from "../../base/paths.ts";
import { readDir } from "../../os/fs.ts";

/** The programs whose files are known. */
export const PROGRAMS = [
  "claude-desktop",
  "claude-code",
  "cursor",
  "vscode",
  "project",
] as const;

/** One of {@link PROGRAMS}. */
export type Program = typeof PROGRAMS[number];

/** A file that may hold servers. */
export interface Place {
  readonly path: AbsPath;
  readonly comments: boolean;
  /** See `ForeignText`: keys of objects, one after the other. */
  readonly at: readonly (readonly string[])[];
}

/** What decides where the files are. */
export interface PlaceFacts {
  readonly os: "linux" | "darwin" | "windows";
  readonly env: Readonly<Record<string, string>>;
  readonly home: AbsPath;
  /** The directory whose project files count. */
  readonly project: AbsPath;
  /** The state file of Claude Code. */
  readonly stateFile: AbsPath;
  /** Directories under which Claude Code may keep servers for this project only. */
  readonly projects: readonly AbsPath[];
}

const SERVERS = [["mcpServers"]];
const EDITOR = [["servers"], ["mcpServers"]];
const SETTINGS = [["mcp", "servers"], ["mcp.servers"]];

/** The files of a program, the ones that win last. */
export function placesOf(program: Program, facts: PlaceFacts): Place[] {
  const { home, project } = facts;
  switch (program) {
    case "claude-desktop":
      return desktopDirs(facts).map((dir) =>
        strict(join(dir, "claude_desktop_config.json"))
      );
    case "claude-code":
      return [{
        path: facts.stateFile,
        comments: false,
        at: [
          ...SERVERS,
          ...facts.projects.map((dir) => ["projects", dir, "mcpServers"]),
        ],
      }];
    case "cursor":
      return [home, project].map((dir) =>
        loose(join(dir, ".cursor", "mcp.json"), SERVERS)
      );
    case "vscode":
      return [
        ...vscodeDirs(facts).flatMap((dir) => [
          loose(join(dir, "User", "settings.json"), SETTINGS),
          loose(join(dir, "User", "mcp.json"), EDITOR),
        ]),
        loose(join(project, ".vscode", "mcp.json"), EDITOR),
      ];
    case "project":
      return [strict(join(project, ".mcp.json"))];
  }
}

function strict(path: AbsPath): Place {
  return { path, comments: false, at: SERVERS };
}

function loose(path: AbsPath, at: Place["at"]): Place {
  return { path, comments: true, at };
}

/** Where programs of a user keep their settings. */
function configDir({ os, env, home }: PlaceFacts): AbsPath {
  if (os === "darwin") return join(home, "Library", "Application Support");
  const set = os === "windows" ? env["APPDATA"] : env["XDG_CONFIG_HOME"];
  if (set?.startsWith("/") || os === "windows" && set) return set as AbsPath;
  return os === "windows"
    ? join(home, "AppData", "Roaming")
    : join(home, ".config");
}

function desktopDirs(facts: PlaceFacts): AbsPath[] {
  const own = join(configDir(facts), "Claude");
  if (facts.os !== "linux" || !facts.env["WSL_DISTRO_NAME"]) return [own];
  // Under WSL the program runs on Windows.
  const users = "/mnt/c/Users" as AbsPath;
  const others = (readDir(users) ?? []).map(({ name }) =>
    join(users, name, "AppData", "Roaming", "Claude")
  );
  return [own, ...others];
}

function vscodeDirs(facts: PlaceFacts): AbsPath[] {
  return ["VSCodium", "Code - Insiders", "Code"].map((name) =>
    join(configDir(facts), name)
  );
}
