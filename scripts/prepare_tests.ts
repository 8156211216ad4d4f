/** Checks that the programs the tests drive are there, and fetches the real agents, a real npm registry and a real MCP server into `.cache/`. */

import { join } from "node:path";
import {
  capture,
  type Finished,
  repositoryRoot,
  runScript,
  say,
  ScriptError,
  warn,
} from "./support/script.ts";

/** Programs on PATH that the tests need, with the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  bash: "bash",
  curl: "curl",
  "dbus-daemon": "dbus",
  fish: "fish",
  gcc: "gcc",
  git: "git",
  "gnome-keyring-daemon": "gnome-keyring",
  ip: "iproute2",
  less: "less",
  make: "make",
  npm: "npm",
  openssl: "openssl",
  perl: "perl-base",
  ps: "procps",
  python3: "python3",
  script: "bsdutils",
  "secret-tool": "libsecret-tools",
  setpriv: "util-linux",
  ssh: "openssh-client",
  strace: "strace",
  tmux: "tmux",
  unshare: "util-linux",
  vi: "vim-tiny",
  zip: "zip",
  zsh: "zsh",
};

/** Those that only Linux has, for tests that only Linux has. */
const ONLY_LINUX = [
  "dbus-daemon",
  "gnome-keyring-daemon",
  "ip",
  "secret-tool",
  "setpriv",
  "strace",
  "unshare",
];

const INSTALL = Deno.build.os === "darwin"
  ? "brew install"
  : "apt-get install -y";

const AGENT_PACKAGE = "@anthropic-ai/claude-code";

/** The agents under test: directory below `.cache/agents/` and npm version. */
const AGENTS: Readonly<Record<string, string>> = {
  "claude-newest": "latest",
  "claude-2.1.197": "2.1.197",
};

/** A program of npm's, and where it goes below `.cache/`. */
interface Tool {
  readonly directory: string;
  readonly name: string;
  readonly version: string;
  readonly overrides?: Readonly<Record<string, string>>;
}

const TOOLS: readonly Tool[] = [
  {
    // The other agent; its facts were measured on this version.
    directory: "agents/codex",
    name: "@openai/codex",
    version: "0.169.0",
  },
  {
    // The registry that the tests of npm sources start.
    directory: "registry",
    name: "verdaccio",
    version: "6.2.4",
    // It asks for this package by a tag that mirrors do not have.
    overrides: { "node-fetch": "2.7.0" },
  },
  {
    directory: "servers",
    name: "@modelcontextprotocol/server-everything",
    version: "2026.8.31",
  },
];

/** Another sandbox, which the benchmark measures beside ours. */
const SANDBOX_RUNTIME: Tool = {
  directory: "sandbox-runtime",
  name: "@anthropic-ai/sandbox-runtime",
  version: "0.0.78",
};

const REFRESH_AFTER_MS = 24 * 60 * 60 * 1000;

async function isOnPath(program: string): Promise<boolean> {
  // Not all users look among the programs for root.
  for (
    const directory of [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"]
  ) {
    if (directory !== "" && await exists(join(directory, program))) return true;
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  return await modifiedAt(path) !== undefined;
}

/** When the file was last written, or undefined when there is none. */
async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function checkPrograms(): Promise<void> {
  const missing: string[] = [];
  for (const program of Object.keys(PROGRAMS)) {
    const isElsewhere = Deno.build.os !== "linux" &&
      ONLY_LINUX.includes(program);
    if (!isElsewhere && !await isOnPath(program)) missing.push(program);
  }
  if (missing.length === 0) return;
  const packages = missing.map((program) => PROGRAMS[program]).join(" ");
  throw new ScriptError(
    `Cannot run the tests: ${missing.join(", ")} not found\n` +
      `hint: ${INSTALL} ${packages}`,
  );
}

/** Installs one agent unless it is there; the newest is looked up again once a day. */
async function prepareAgent(
  directory: string,
  version: string,
): Promise<void> {
  const stamp = join(directory, ".looked-up");
  const lookedUp = await modifiedAt(stamp);
  const isFresh = lookedUp !== undefined &&
    (version !== "latest" || Date.now() - lookedUp < REFRESH_AFTER_MS);
  if (isFresh) return;
  await Deno.mkdir(directory, { recursive: true });
  const install = await npmInstall(directory, `${AGENT_PACKAGE}@${version}`);
  if (!install.success) {
    if (lookedUp === undefined) {
      throw new ScriptError(
        `Cannot install "${AGENT_PACKAGE}@${version}": ${install.stderr.trim()}`,
      );
    }
    warn(`Cannot look for a newer ${AGENT_PACKAGE}; going on with the old one`);
    return;
  }
  await Deno.writeTextFile(stamp, "");
}

/** Installs one package below `directory`. */
function npmInstall(directory: string, what: string): Promise<Finished> {
  return capture("npm", [
    "install",
    "--prefix",
    directory,
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    what,
  ], { cwd: directory });
}

/** Installs a program that tests start unless it is there. */
async function prepareTool(tool: Tool): Promise<void> {
  const directory = join(repositoryRoot(), ".cache", tool.directory);
  const { name, version } = tool;
  const stamp = join(directory, `.${name.replaceAll("/", "-")}-${version}`);
  if (await exists(stamp)) return;
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(
    join(directory, "package.json"),
    JSON.stringify({ private: true, overrides: tool.overrides ?? {} }),
  );
  const install = await npmInstall(directory, `${name}@${version}`);
  if (!install.success) {
    throw new ScriptError(
      `Cannot install "${name}@${version}": ${install.stderr.trim()}`,
    );
  }
  await Deno.writeTextFile(stamp, "");
}

/** Where {@link prepareAgent} puts an agent. */
function agentDirectory(name: string): string {
  return join(repositoryRoot(), ".cache", "agents", name);
}

/** Installs the newest Claude Code unless it is there; returns the directory of its program. */
export async function prepareNewestClaude(): Promise<string> {
  const directory = agentDirectory("claude-newest");
  await prepareAgent(directory, "latest");
  return join(directory, "node_modules", ".bin");
}

/** Installs Anthropic's sandbox runtime unless it is there; returns its program, or undefined, with a warning, when that fails. */
export async function prepareSandboxRuntime(): Promise<string | undefined> {
  try {
    await prepareTool(SANDBOX_RUNTIME);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    warn(error.message);
    return undefined;
  }
  const { directory } = SANDBOX_RUNTIME;
  return join(repositoryRoot(), ".cache", directory, "node_modules/.bin/srt");
}

async function installedVersion(directory: string): Promise<string> {
  const path = join(directory, "node_modules", AGENT_PACKAGE, "package.json");
  return String(JSON.parse(await Deno.readTextFile(path)).version);
}

async function main(): Promise<number> {
  await checkPrograms();
  // Mostly they wait for the network.
  const lines = await Promise.all([
    ...Object.entries(AGENTS).map(async ([name, version]) => {
      const directory = agentDirectory(name);
      await prepareAgent(directory, version);
      const installed = await installedVersion(directory);
      return `${name}: ${installed} (${directory}/node_modules/.bin/claude)`;
    }),
    ...TOOLS.map(async (tool) => {
      await prepareTool(tool);
      return `${tool.name}: ${tool.version}`;
    }),
  ]);
  lines.forEach(say);
  return 0;
}

if (import.meta.main) await runScript(main);
