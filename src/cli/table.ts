/** Every command, one row each. */
import type { TableRow } from "./command.ts";

/** The command table, in the order of the help. */
export const TABLE: readonly TableRow[] = [
  {
    name: "init",
    group: "start",
    summary: "Make the aenv home and its shims, or a project env here",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "new",
    group: "start",
    summary: "Make an environment",
    load: () => import("./commands/new.ts"),
  },
  {
    name: "list",
    group: "start",
    summary: "List the environments",
    load: () => import("./commands/list.ts"),
  },
  {
    name: "use",
    group: "start",
    summary: "Pin an environment to this directory, or make it the default",
    load: () => import("./commands/use.ts"),
  },
  {
    name: "quit",
    aliases: ["deactivate"],
    group: "start",
    summary: "Leave the environment in this shell",
    load: () => import("./commands/quit.ts"),
  },
  {
    name: "current",
    group: "start",
    summary: "Say which environment is active, and why",
    load: () => import("./commands/current.ts"),
  },
  {
    name: "status",
    group: "start",
    summary: "Show what the active environment declares and where it lives",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "remove",
    group: "start",
    summary: "Remove an environment",
    load: () => import("./commands/remove.ts"),
  },
  {
    name: "rename",
    group: "start",
    summary: "Rename an environment",
    load: () => import("./commands/rename.ts"),
  },
  {
    name: "which",
    group: "start",
    summary: "Print the path of the home, the shim, an agent or an environment",
    load: () => import("./commands/which.ts"),
  },
  {
    name: "shell-init",
    group: "start",
    summary: "Print the script that a shell evaluates at its start",
    load: () => import("./commands/shell_init.ts"),
  },
  {
    name: "add",
    group: "declare",
    summary: "Add a plugin or skill to the manifest, and install it",
    load: () => import("./commands/add.ts"),
  },
  {
    name: "add mcp",
    group: "declare",
    summary: "Add MCP servers, as `claude mcp add` does, or import them",
    load: () => import("./commands/add_mcp.ts"),
  },
  {
    name: "rm",
    group: "declare",
    summary: "Take a plugin or skill out of the manifest",
    load: () => import("./commands/rm.ts"),
  },
  {
    name: "rm mcp",
    group: "declare",
    summary: "Take an MCP server out of the manifest",
    load: () => import("./commands/rm_mcp.ts"),
  },
  {
    name: "install",
    group: "declare",
    summary: "Get what the lock pins, and pin what it lacks",
    load: () => import("./commands/install.ts"),
  },
  {
    name: "update",
    group: "declare",
    summary: "Move pins to what the sources are now",
    load: () => import("./commands/update.ts"),
  },
  {
    name: "outdated",
    group: "declare",
    summary: "List what an update could move",
    load: () => import("./commands/outdated.ts"),
  },
  {
    name: "sync",
    group: "declare",
    summary: "Make the disk match the lock",
    load: () => import("./commands/sync.ts"),
  },
  {
    name: "diff",
    group: "declare",
    summary: "Compare manifest, lock and disk",
    load: () => import("./commands/diff.ts"),
  },
  {
    name: "lock",
    group: "declare",
    summary: "Write the lock, or check that it agrees with the manifest",
    load: () => import("./commands/lock.ts"),
  },
  {
    name: "trust",
    group: "declare",
    summary: "Show what a repository's aenv.toml would run, and trust it",
    load: () => import("./commands/trust.ts"),
  },
  {
    name: "run",
    group: "run",
    summary: "Start the agent in the active environment",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "exec",
    group: "run",
    summary: "Run a command with the environment's variables",
    load: () => import("./commands/exec.ts"),
  },
  {
    name: "verify",
    group: "run",
    summary:
      "Run the real agent once and compare what it sees with what is declared",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "secrets add",
    group: "secrets",
    summary: "Keep a value that is typed unseen or piped in",
    load: async () => ({
      command: (await import("./commands/secrets.ts")).add,
    }),
  },
  {
    name: "secrets list",
    group: "secrets",
    summary: "List secrets, where they are kept and what uses them",
    load: async () => ({
      command: (await import("./commands/secrets.ts")).list,
    }),
  },
  {
    name: "secrets rotate",
    group: "secrets",
    summary: "Give a secret another value",
    load: async () => ({
      command: (await import("./commands/secrets.ts")).rotate,
    }),
  },
  {
    name: "secrets rm",
    group: "secrets",
    summary: "Remove a secret's value",
    load: async () => ({ command: (await import("./commands/secrets.ts")).rm }),
  },
  {
    name: "rollback",
    group: "history",
    summary: "Take back the last change, or another one",
    load: () => import("./commands/rollback.ts"),
  },
  {
    name: "history",
    group: "history",
    summary: "List what was changed, and what became of it",
    load: () => import("./commands/history.ts"),
  },
  {
    name: "prune",
    group: "history",
    summary: "Forget old changes, and free what they keep",
    load: () => import("./commands/prune.ts"),
  },
  {
    name: "store",
    group: "care",
    summary: "Say how much the store of plugins and skills holds",
    load: () => import("./commands/store.ts"),
  },
  {
    name: "store size",
    group: "care",
    hidden: true,
    summary: "Say how much the store of plugins and skills holds",
    load: async () => ({ command: (await import("./commands/store.ts")).size }),
  },
  {
    name: "store verify",
    group: "care",
    summary: "Read all of the store and compare it with its hashes",
    load: async () => ({
      command: (await import("./commands/store.ts")).verify,
    }),
  },
  {
    name: "store gc",
    group: "care",
    summary: "Remove from the store what nothing needs",
    load: async () => ({ command: (await import("./commands/store.ts")).gc }),
  },
  {
    name: "migrate-auth",
    group: "care",
    summary: "Move the login to where confined environments can share it",
    load: () => import("./commands/migrate_auth.ts"),
  },
  {
    name: "version",
    group: "care",
    summary: "Print version, commit, Deno and target",
    load: () => import("./commands/version.ts"),
  },
  {
    name: "__use-target",
    group: "internal",
    hidden: true,
    summary:
      "Print the name that these arguments of `use` switch this shell to",
    load: () => import("./commands/use_target.ts"),
  },
];
