/** Everything that a policy would grant, before anybody looked whether it exists and whether it may be granted. */
import { AppError, ExitCode } from "../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  join,
  parseAbsPath,
  resolveFrom,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type {
  GitPlaces,
  PolicyInput,
  SandboxWishes,
  SocketWish,
  Wish,
} from "./policy_input.ts";
import type { Access, Reason } from "./types.ts";

/** Wishes of the launch and of the manifest. Throws (exit 3) on a path of the manifest that cannot be understood. */
export function envWishes(
  input: PolicyInput,
  git: readonly GitPlaces[],
): Wish[] {
  return [
    ...projectWishes(input, git),
    ...input.places.map(({ optional, ...place }): Wish => ({
      ...place,
      need: optional ? "may" : "must",
    })),
    ownDirectory(input.tmpDir, {
      source: "tmp",
      text: "private temporary directory",
    }),
    ownDirectory(input.cacheDir, {
      source: "slot",
      text: "caches of this environment",
    }),
    ...manifestWishes(input),
  ];
}

function projectWishes(
  { project = "write", projectRoot }: PolicyInput,
  git: readonly GitPlaces[],
): Wish[] {
  if (project === "none") return [];
  const access = project === "write" ? "write" : "exec";
  const why = { source: "project", text: "the project" } as const;
  return [
    { path: projectRoot, access, need: "must", why },
    ...git.flatMap((places) => gitWishes(places, access)),
  ];
}

function gitWishes(git: GitPlaces, access: Access): Wish[] {
  return git.dirs.map((path) => ({
    path,
    access,
    need: "may",
    why: {
      source: "git",
      text: "the repository that this worktree belongs to",
    },
  }));
}

function ownDirectory(path: AbsPath, why: Reason): Wish {
  return { path, access: "write", need: "must", why, make: true };
}

function manifestWishes(input: PolicyInput): Wish[] {
  const { paths, pathDirs, cacheDirs, unixSockets } = input.wishes;
  return [
    ...paths.map(({ path, access }) =>
      manifestWish(input, path, {
        access: access === "rw" ? "write" : "read",
        line: wishLine(input.wishes, "paths", `${path}:${access}`),
      })
    ),
    ...pathDirs.map((path) =>
      manifestWish(input, path, {
        access: "exec",
        line: wishLine(input.wishes, "path_dirs", path),
      })
    ),
    ...cacheDirs.map((path) =>
      manifestWish(input, path, {
        access: "write",
        line: wishLine(input.wishes, "cache_dirs", path),
        make: true,
      })
    ),
    ...unixSockets.flatMap((socket) => socketWish(input, socket)),
  ];
}

function socketWish(
  input: PolicyInput,
  { text, path }: SocketWish,
): Wish[] {
  if (path === undefined) return [];
  const line = wishLine(input.wishes, "unix_sockets", text);
  const wish = {
    ...manifestWish(input, path, { access: "read", line }),
    toConnect: true,
  };
  // Our own directory, which may not be there yet.
  if (text !== "$TMPDIR") return [wish];
  return [{ ...wish, make: true, why: { source: "tmp", text: line } }];
}

/** How a line of the manifest is called: `sandbox.paths: ~/data:ro`. */
export function wishLine(
  { tables }: Pick<SandboxWishes, "tables">,
  key: string,
  text: string,
): string {
  return `${tables?.[key] ?? "sandbox"}.${key}: ${text}`;
}

function manifestWish(
  input: PolicyInput,
  text: string,
  { access, line, make }: {
    readonly access: Access;
    readonly line: string;
    readonly make?: boolean;
  },
): Wish {
  const path = manifestPath(input, text, line);
  return {
    path,
    access,
    need: "asked",
    why: { source: "manifest", text: line },
    glob: /[*?]/.test(text),
    ...(make ? { make } : {}),
  };
}

/** A path of the manifest, `~` expanded. Throws `SANDBOX_REFUSED`. */
export function manifestPath(
  { home, baseDir }: Pick<PolicyInput, "home" | "baseDir">,
  text: string,
  line: string,
): AbsPath {
  if (text.split("/").includes("**")) {
    throw refused(line, 'it has "**" in it', "Write * for one name at a time");
  }
  if (text !== "~" && !text.startsWith("~/")) {
    // ~user would need the user database, and is nobody's habit.
    if (text.startsWith("~")) {
      throw refused(line, "~ stands for your own home only");
    }
    return isAbsolutePath(text)
      ? parseAbsPath(text, line)
      : resolveFrom(baseDir, text);
  }
  if (home === undefined) throw refused(line, "HOME is not set");
  return join(home, text.slice(1));
}

/** A line of the manifest that is not granted: the agent is not started. */
export function refused(line: string, state: string, hint?: string): AppError {
  return new AppError(
    "SANDBOX_REFUSED",
    `Cannot grant ${quote(line)}: ${state}`,
    {
      hint: hint ??
        "Take the line out of the manifest, or name a smaller place",
      exitCode: ExitCode.refused,
    },
  );
}
