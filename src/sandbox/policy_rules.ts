/** What no grant may cover, and why. */
import { type AbsPath, join } from "../base/paths.ts";
import { isIn } from "./path_text.ts";
import type { Match, Wish } from "./policy_input.ts";
import type { Access, ReasonSource, SealedPath } from "./types.ts";

/** Places below HOME whose contents run, or are believed, outside of the sandbox. */
const RUN_OUTSIDE: readonly string[] = [
  ".bashrc",
  ".bash_profile",
  ".bash_login",
  ".bash_logout",
  ".bash_aliases",
  ".profile",
  ".zshrc",
  ".zshenv",
  ".zprofile",
  ".zlogin",
  ".zlogout",
  ".kshrc",
  ".inputrc",
  ".config/fish",
  ".config/zsh",
  ".config/environment.d",
  ".config/autostart",
  ".config/systemd",
  ".config/git",
  ".config/direnv",
  ".config/nvim",
  ".config/Code",
  ".local/share/systemd",
  ".local/share/applications",
  ".local/bin",
  "bin",
  ".ssh",
  ".gnupg",
  ".gitconfig",
  ".npmrc",
  ".netrc",
  ".git-credentials",
  ".aws",
  ".kube",
  ".docker",
  ".config/gcloud",
  ".config/gh",
  ".password-store",
  ".local/share/keyrings",
  ".claude",
  ".claude.json",
  ".codex",
  ".agents",
  ".vimrc",
  ".vim",
  ".emacs",
  ".emacs.d",
  ".vscode",
  ".tmux.conf",
  ".xprofile",
  ".xsessionrc",
  ".pam_environment",
  ".hushlogin",
  "Library/LaunchAgents",
  "Library/Keychains",
  "Library/Application Support/Code",
  "Library/Application Support/Claude",
];

/** Directories of the system: nothing in them becomes writable. */
const SYSTEM_PLACES: readonly string[] = [
  "/bin",
  "/boot",
  "/etc",
  "/lib",
  "/lib32",
  "/lib64",
  "/nix",
  "/proc",
  "/root/.ssh",
  "/sbin",
  "/snap",
  "/sys",
  "/usr",
  "/var/lib",
  "/var/run",
  "/var/spool",
  "/System",
  "/Library",
  "/private/etc",
  "/private/var/db",
];

/** Directories in which other programs keep sockets, locks and temporary files: a directory inside may be granted. */
const SHARED_PLACES: readonly string[] = [
  "/dev",
  "/dev/shm",
  "/run",
  "/tmp",
  "/var/tmp",
  "/private/tmp",
  "/private/var/tmp",
  "/private/var/run",
  "/private/var/folders",
];

/** What the launch itself names; it may lie in our home. */
const OURS: ReadonlySet<ReasonSource> = new Set([
  "agent",
  "login",
  "run",
  "slot",
  "tmp",
]);

const isWriting: ReadonlySet<Access> = new Set([
  "write",
  "create",
  "folders",
]);

/** Facts that the rules are about. */
export interface RuleFacts {
  readonly home: AbsPath | undefined;
  readonly aenvHome: AbsPath;
  readonly searchPath: readonly AbsPath[];
  readonly projectRoot: AbsPath;
}

/** Why `match` may not be granted for `wish`; undefined when it may. */
export function refusalOf(
  match: Match,
  wish: Wish,
  facts: RuleFacts,
): string | undefined {
  const { path } = match;
  if (match.problem !== undefined) return match.problem;
  if (path === "/") return "it is the whole disk";
  if (facts.home !== undefined && isIn(facts.home, path)) {
    return path === facts.home
      ? "it is your home directory"
      : "your home directory is in it";
  }
  const isOurs = OURS.has(wish.why.source);
  if (isIn(facts.aenvHome, path)) return "the home of aenv is in it";
  if (!isOurs && isIn(path, facts.aenvHome)) {
    return "it is in the home of aenv";
  }
  if (wish.toConnect) return socketRefusal(match);
  if (!isWriting.has(wish.access) || isOurs || wish.why.source === "device") {
    return undefined;
  }
  return writeRefusal(path, facts);
}

function socketRefusal({ path, kind }: Match): string | undefined {
  if (kind !== "directory") return undefined;
  const isShared = SHARED_PLACES.some((place) => isIn(place, path)) ||
    /^\/run\/user(\/\d+)?$/.test(path);
  return isShared ? "sockets of all programs are there: name one" : undefined;
}

function writeRefusal(path: AbsPath, facts: RuleFacts): string | undefined {
  const shared = SHARED_PLACES.find((place) => isIn(place, path));
  if (shared !== undefined) {
    return "other programs keep their sockets and temporary files there";
  }
  const system = isInHome(path, facts)
    ? undefined
    : SYSTEM_PLACES.find((place) => overlaps(path, place));
  if (system !== undefined) return `${system} belongs to the system`;
  const outside = runOutside(facts.home).find((place) => overlaps(path, place));
  if (outside !== undefined) {
    return `what is in ${outside} is run or believed outside of the sandbox`;
  }
  // A directory of PATH inside the project is guarded instead.
  const onPath = facts.searchPath.find((dir) =>
    isIn(path, dir) || (isIn(dir, path) && !isInProject(dir, facts))
  );
  return onPath === undefined
    ? undefined
    : `${onPath} is on your PATH: programs put there would run outside of the sandbox`;
}

function isInHome(path: AbsPath, { home }: RuleFacts): boolean {
  return home !== undefined && isIn(path, home);
}

function isInProject(dir: AbsPath, { projectRoot }: RuleFacts): boolean {
  return isIn(dir, projectRoot);
}

function runOutside(home: AbsPath | undefined): AbsPath[] {
  return home === undefined ? [] : RUN_OUTSIDE.map((name) => join(home, name));
}

function overlaps(a: AbsPath, b: string): boolean {
  return isIn(a, b) || isIn(b, a);
}

/** The places that no grant makes writable, for `explain` and as last word of a profile. */
export function sealedPlaces(
  facts: RuleFacts,
  writable: readonly AbsPath[],
): SealedPath[] {
  const except = writable.filter((path) => isIn(path, facts.aenvHome));
  return [
    {
      path: facts.aenvHome,
      except,
      why: {
        source: "builtin",
        text: "the home of aenv: manifests, lock, store, audit log, trust",
      },
    },
    ...runOutside(facts.home).filter((path) =>
      !writable.some((grant) => isIn(path, grant) || isIn(grant, path))
    ).map((path): SealedPath => ({
      path,
      except: [],
      why: {
        source: "builtin",
        text: "it is run or believed outside of the sandbox",
      },
    })),
  ];
}

/** Whether a symlink on the way to `match` could have been made from inside: it lies in a writable place. */
export function plantedLink(
  match: Match,
  writable: readonly AbsPath[],
): AbsPath | undefined {
  return match.links.find((dir) => writable.some((grant) => isIn(dir, grant)));
}
