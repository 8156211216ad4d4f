/** Other sandboxes to measure beside ours, as they would be set up for the same work: the project writable, the home hidden. */

import { dirname, join } from "node:path";
import { prepareSandboxRuntime } from "../prepare_tests.ts";
import { capture, say, stream } from "../support/script.ts";

/** Turns a command into one that is confined. */
export interface Rival {
  readonly name: string;
  /** Whether it lets the network be reached. */
  readonly network: "open" | "hosts";
  /** Where its commands work. Some make files there, which would be changes to us. */
  readonly project: string;
  wrap(command: readonly string[]): string[];
}

/** Where the confined command works. */
export interface RivalPlace {
  readonly home: string;
  readonly project: string;
  /** Set: what is missing is installed. */
  readonly install: boolean;
}

/** Debian's packages, by program. */
const PACKAGES: Readonly<Record<string, string>> = {
  bwrap: "bubblewrap",
  socat: "socat",
  rg: "ripgrep",
};

/** The ones that are there, or can be made so; says which are not. */
export async function findRivals(place: RivalPlace): Promise<Rival[]> {
  if (Deno.build.os !== "linux") return [];
  await obtainPackages(place);
  if (!await hasProgram("bwrap")) return [];
  const rivals = [bubblewrap(place)];
  const runtime = await prepareSandboxRuntime();
  if (runtime !== undefined && await hasProgram("socat")) {
    rivals.push(await sandboxRuntime(runtime, place));
  }
  return rivals;
}

async function obtainPackages({ install }: RivalPlace): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(PACKAGES)) {
    if (!await hasProgram(program)) missing.push(name);
  }
  if (missing.length === 0) return;
  const command = ["apt-get", "install", "-y", "-q", ...missing];
  if (!install) {
    say(`Left out, for want of ${missing.join(", ")}: --install gets them`);
    return;
  }
  await stream(command[0]!, command.slice(1));
}

async function hasProgram(name: string): Promise<boolean> {
  return (await capture("sh", ["-c", `command -v ${name}`])).success;
}

/** Bubblewrap: the system read-only, an empty home, the project in it, processes and IPC of its own. */
function bubblewrap({ home, project }: RivalPlace): Rival {
  const links = ["bin", "lib", "lib64", "sbin"].flatMap((name) => [
    "--symlink",
    `usr/${name}`,
    `/${name}`,
  ]);
  const mounts = [
    ...["--ro-bind", "/usr", "/usr", ...links, "--ro-bind", "/etc", "/etc"],
    ...["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"],
    ...["--tmpfs", home, "--bind", project, project, "--chdir", project],
  ];
  const rest = ["--unshare-all", "--share-net", "--die-with-parent"];
  return {
    name: "bwrap",
    network: "open",
    project,
    wrap: (command) => ["bwrap", ...mounts, ...rest, "--", ...command],
  };
}

/** Anthropic's sandbox runtime, with the same idea of files and no host listed. */
async function sandboxRuntime(
  program: string,
  { home, project }: RivalPlace,
): Promise<Rival> {
  const settings = join(dirname(home), "srt.json");
  await Deno.writeTextFile(
    settings,
    JSON.stringify({
      network: { allowedDomains: [], deniedDomains: [] },
      filesystem: {
        denyRead: [home],
        allowRead: [project],
        allowWrite: [project],
        denyWrite: [],
      },
    }),
  );
  return {
    name: "sandbox-runtime",
    network: "hosts",
    project,
    wrap: (command) => [program, "--settings", settings, ...command],
  };
}
