/**
 * Claims about Seatbelt, as data: what is attempted, and whether it is refused. On macOS they are put to the kernel; on
 * Linux, where this part has been written and has never met a macOS, to a reader of the profile.
 */
import type { WorldOptions } from "../../support/sandbox_world.ts";
import { NETWORK_CASES } from "./cases_network.ts";
import type { MacWorld } from "./world.ts";

/** The words of an attempt; see attempt.c. */
export type Attempt = readonly string[];

/** One claim. */
export interface Case {
  readonly name: string;
  /** What it guards against. */
  readonly guards: string;
  /** A shell script in the project, before anything is confined. */
  readonly setup?: string;
  readonly options?: (world: MacWorld) => WorldOptions;
  /** Each is refused inside and changes nothing; each succeeds outside, so that it could have failed to fail. */
  readonly refused?: (world: MacWorld) => readonly Attempt[];
  /** Each succeeds inside. */
  readonly allowed?: (world: MacWorld) => readonly Attempt[];
  /** Whether the attempts are made as root, who may do them outside. */
  readonly asRoot?: boolean;
  /** Whether each is made in a terminal of its own. */
  readonly inTerminal?: boolean;
  /** Whether they are about what only macOS has. */
  readonly isMacOnly?: boolean;
}

/** Files of a project that run, or are believed, outside of the sandbox. */
const RUN_OUTSIDE = [
  ".mcp.json",
  ".envrc",
  ".gitmodules",
  ".claude/settings.json",
  ".codex/config.toml",
  ".vscode/tasks.json",
  ".idea/workspace.xml",
  "aenv.toml",
  "aenv.lock",
  ".git/config",
  ".git/hooks/pre-commit",
];

/** Makes all of {@link RUN_OUTSIDE}. */
const MAKE_ALL = `mkdir -p .claude .codex .vscode .idea
  for f in ${RUN_OUTSIDE.join(" ")}; do [ -e $f ] || echo x > $f; done`;

const FILE_CASES: readonly Case[] = [
  {
    name: "files of the home that are not granted are not read or listed",
    guards: "an agent that is talked into printing a key",
    refused: (w) => [
      ["read", w.at("home/.ssh/id_rsa")],
      ["read", w.at("home/.bashrc")],
      ["list", w.at("home/.ssh")],
      ["list", w.home],
    ],
  },
  {
    name: "the shell's files and LaunchAgents are not written",
    guards: "code that runs at the next login, outside",
    refused: (w) => [
      ["write", w.at("home/.bashrc")],
      ["truncate", w.at("home/.bashrc")],
      ["create", w.at("home/.zshrc")],
      ["unlink", w.at("home/.bashrc")],
      ["rename", w.at("project/file"), w.at("home/.bashrc")],
      ["create", w.at("home/Library/LaunchAgents/b.plist")],
      ["write", w.at("home/Library/LaunchAgents/a.plist")],
      [
        "rename",
        w.at("project/file"),
        w.at("home/Library/LaunchAgents/b.plist"),
      ],
    ],
  },
  {
    name: "the project and the temporary directory are read and written",
    guards: "a sandbox that nothing can work in",
    allowed: (w) => [
      ["read", w.at("project/file")],
      ["write", w.at("project/file")],
      ["create", w.at("project/new")],
      ["mkdir", w.at("project/dir")],
      ["rename", w.at("project/file"), w.at("project/other")],
      ["unlink", w.at("project/other")],
      ["symlink", "nowhere", w.at("project/link")],
      ["create", w.at("home/.aenv/envs/e/tmp/new")],
    ],
  },
  {
    name: "a directory whose name begins like the project's is another one",
    guards: "a comparison of names without the separator (CVE-2025-54794)",
    refused: (w) => [
      ["read", w.at("project-evil/file")],
      ["write", w.at("project-evil/file")],
      ["create", w.at("project-evil/new")],
      ["list", w.at("project-evil")],
    ],
  },
  {
    name: "a symlink in the project leads to nothing that is not granted",
    guards: "a write through a link that the agent made (CVE-2026-39861)",
    setup: `ln -s "$HOME/.ssh/id_rsa" key; ln -s "$HOME" home
      ln -s "$HOME/.bashrc" rc; ln -s ../project-evil evil`,
    refused: (w) => [
      ["read", w.at("project/key")],
      ["write", w.at("project/rc")],
      ["create", w.at("project/home/new")],
      ["read", w.at("project/evil/file")],
      ["create", w.at("project/evil/new")],
    ],
  },
  {
    name: "a hard link does not bring in a file from outside",
    guards: "a second name for the key, inside the project",
    refused: (w) => [
      ["link", w.at("home/.ssh/id_rsa"), w.at("project/key")],
      ["link", w.at("home/.bashrc"), w.at("project/rc")],
    ],
  },
  {
    name: "nothing is moved into the project, or out of it",
    guards: "a directory that takes its contents along",
    refused: (w) => [
      ["rename", w.at("home/.ssh"), w.at("project/ssh")],
      ["rename", w.at("home/.ssh/id_rsa"), w.at("project/key")],
      ["rename", w.at("project/file"), w.at("home/out")],
      ["swap", w.at("project/file"), w.at("home/.bashrc")],
    ],
  },
  {
    name: "a clone of a file is not made without reading it",
    guards: "clonefile(2), which copies without read(2)",
    isMacOnly: true,
    refused: (w) => [
      ["clone", w.at("home/.ssh/id_rsa"), w.at("project/key")],
      ["clone", w.at("home/.ssh"), w.at("project/ssh")],
    ],
  },
  ...[true, false].map((isThere): Case => ({
    name: `what runs outside is not ${
      isThere ? "changed, replaced or removed" : "made"
    } in the project`,
    guards: isThere
      ? "a hook, a server or a task that somebody runs later"
      : "settings that are made where there were none (CVE-2026-25725)",
    setup: isThere ? MAKE_ALL : "rm -rf .git/hooks; rm -f .git/config",
    refused: (w) =>
      RUN_OUTSIDE.flatMap((name): Attempt[] => {
        const path = w.at(`project/${name}`);
        const [top] = name.split("/") as [string];
        const dir = w.at(`project/${name.slice(0, name.lastIndexOf("/"))}`);
        const isNested = name.includes("/");
        if (isThere) {
          return [
            ["write", path],
            ["truncate", path],
            ["unlink", path],
            ["chmod", path, "777"],
            ["rename", w.at("project/file"), path],
            ...(isNested
              ? [["rename", w.at(`project/${top}`), w.at("project/moved")]]
              : []),
          ];
        }
        // The directory of git is there; that of another tool is what may not be made.
        if (isNested && top !== ".git") return [["mkdir", dir]];
        if (name.startsWith(".git/hooks/")) return [["mkdir", dir]];
        return [
          ["create", path],
          ["symlink", "file", path],
          ["rename", w.at("project/file"), path],
          ["link", w.at("project/file"), path],
        ];
      }),
  })),
  {
    name: "what is protected is not made in other letters",
    guards: "a volume that takes .MCP.json for .mcp.json (CVE-2025-59944)",
    refused: (w) => [
      ["create", w.at("project/.MCP.json")],
      ["rename", w.at("project/file"), w.at("project/.Mcp.Json")],
      ["mkdir", w.at("project/.Claude")],
      ["mkdir", w.at("project/.VSCODE")],
      ["symlink", "file", w.at("project/AENV.toml")],
    ],
    allowed: (w) => [["mkdir", w.at("project/Hooks")]],
  },
  {
    name: "the project itself is not moved away, and nothing put in its place",
    guards: "rules about paths that lead somewhere else afterwards",
    refused: (w) => [
      ["rename", w.at("project"), w.at("home/away")],
      ["rename", w.at("project"), w.at("project-moved")],
    ],
  },
  {
    name: "the env's manifest and the journal of aenv are not written",
    guards: "an agent that changes what it may do next time",
    refused: (w) => [
      ["write", w.at("home/.aenv/envs/e/aenv.toml")],
      ["unlink", w.at("home/.aenv/envs/e/aenv.toml")],
      ["create", w.at("home/.aenv/envs/e/aenv.lock")],
      ["create", w.at("home/.aenv/new")],
      ["create", w.at("home/.aenv/envs/e/new")],
    ],
  },
  {
    name: "a directory granted for reading is not written",
    guards: "a library that the agent changes for others",
    options: () => ({ wishes: { paths: [{ path: "~/data", access: "ro" }] } }),
    allowed: (
      w,
    ) => [["read", w.at("home/data/book")], ["list", w.at("home/data")]],
    refused: (w) => [
      ["write", w.at("home/data/book")],
      ["create", w.at("home/data/new")],
      ["rename", w.at("project/file"), w.at("home/data/new")],
      ["read", w.at("home/shared/note")],
    ],
  },
  {
    name:
      "a directory granted for writing is written, and what runs outside is not made there",
    guards: "a grant that opens more than it says",
    options: () => ({
      wishes: { paths: [{ path: "~/shared", access: "rw" }] },
    }),
    allowed: (w) => [
      ["write", w.at("home/shared/note")],
      ["create", w.at("home/shared/new")],
    ],
    refused: (w) => [
      ["create", w.at("home/shared/.envrc")],
      ["mkdir", w.at("home/shared/.vscode")],
      ["rename", w.at("home/shared"), w.at("home/moved")],
      ["read", w.at("home/data/book")],
    ],
  },
  {
    name: "a file that the manifest protects stays as it is, existing or not",
    guards: "protect = […] that holds only for what is there",
    setup: "echo x > .env",
    options: () => ({ wishes: { protect: [".env", "secrets"] } }),
    allowed: (w) => [["read", w.at("project/.env")]],
    refused: (w) => [
      ["write", w.at("project/.env")],
      ["unlink", w.at("project/.env")],
      ["rename", w.at("project/file"), w.at("project/.env")],
      ["mkdir", w.at("project/secrets")],
      ["create", w.at("project/secrets")],
    ],
  },
  {
    name: "directories of programs are not written",
    guards: "a program that is planted where others look for it",
    isMacOnly: true,
    refused: () => [[
      "create",
      `${firstWritable()}/aenv-attempt-${crypto.randomUUID()}`,
    ]],
  },
  {
    name: "the system's files are not written, as root either",
    guards: "a sandbox that ends where permissions begin",
    isMacOnly: true,
    asRoot: true,
    refused: () => {
      const name = `aenv-attempt-${crypto.randomUUID()}`;
      return [
        ["create", `/private/etc/${name}`],
        ["create", `/Library/LaunchDaemons/${name}.plist`],
        ["create", `/private/var/at/tabs/${name}`],
        ["create", `/usr/local/${name}`],
      ];
    },
  },
];

/** A directory of programs that this user may write: of the package manager, on either kind of machine. */
function firstWritable(): string {
  const [dir] = ["/opt/homebrew/bin", "/usr/local/bin"].filter((path) => {
    try {
      return Deno.statSync(path).uid === Deno.uid();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
  if (dir === undefined) {
    throw new Error("No package manager's directory is this user's");
  }
  return dir;
}

const PROCESS_CASES: readonly Case[] = [
  {
    name: "no signal reaches a process outside",
    guards: "an agent that ends its supervisor",
    refused: (w) => [
      ["kill", `${w.victim()}`, "0"],
      ["kill", `${w.victim()}`, "15"],
      ["kill", `${w.victim()}`, "9"],
    ],
  },
  {
    name: "nothing is typed into the terminal",
    guards: "a command that the user's shell reads afterwards (CVE-2017-5226)",
    isMacOnly: true,
    inTerminal: true,
    refused: () => [["type", "-"]],
  },
  {
    name: "programs that run as their owner are not started",
    guards: "at, crontab, sudo, su: they would act outside, as somebody else",
    isMacOnly: true,
    refused: () =>
      ["/usr/bin/at", "/usr/bin/crontab", "/usr/bin/sudo", "/usr/bin/su"]
        .map((path) => ["start", path]),
    allowed:
      () => [["start", "/bin/ls"], ["start", "/usr/bin/git", "--version"]],
  },
  {
    name:
      "programs outside of the system's places and the project are not started",
    guards: "what the user keeps in the home, with the user's rights",
    setup: `cp /bin/ls "$HOME/tool"; cp /bin/ls own`,
    refused: (w) => [["start", w.at("home/tool")]],
    allowed: (w) => [["start", w.at("project/own")]],
  },
];

/** All claims. */
export const CASES: readonly Case[] = [
  ...FILE_CASES,
  ...NETWORK_CASES,
  ...PROCESS_CASES,
];
