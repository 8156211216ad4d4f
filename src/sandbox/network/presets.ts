/** The presets of `network.allow` and the hosts they stand for. The only file with names of hosts. */
import { didYouMean, listWords } from "../../base/text.ts";
import { entryError } from "./entry_error.ts";

/** Hosts that agents talk to: their API, and where a login is refreshed. No telemetry, no updates. */
const AGENT_HOSTS = {
  claude: [
    "api.anthropic.com",
    "mcp-proxy.anthropic.com",
    "platform.claude.com",
    "console.anthropic.com",
  ],
  codex: ["api.openai.com", "auth.openai.com", "chatgpt.com"],
  none: [],
} as const;

/** git over https and ssh, the API, archives and releases. Whoever may write there with a login may also send things out. */
const GITHUB_HOSTS = [
  "github.com",
  "github.com:22",
  "ssh.github.com:443",
  "api.github.com",
  "codeload.github.com",
  "uploads.github.com",
  "raw.githubusercontent.com",
  "media.githubusercontent.com",
  "objects.githubusercontent.com",
  "release-assets.githubusercontent.com",
] as const;

/** What the presets depend on. All of it comes from the user's own settings: a repository, and what runs in it, can change its own. */
export interface PresetHosts {
  readonly agent: keyof typeof AGENT_HOSTS;
  /** Addresses that take the place of the agent's own API, such as `ANTHROPIC_BASE_URL`. Where there are some, they are added. */
  readonly agentUrls: readonly string[];
  /** Addresses that the package managers' own configuration names; undefined or none: nothing is known. */
  readonly packages: Readonly<
    Partial<Record<PackagePreset, readonly string[]>>
  >;
}

/** A preset whose hosts are in the configuration of a package manager, because mirrors differ. */
export type PackagePreset = "@npm" | "@pypi" | "@crates" | "@go";

/** How the user finds out, or sets, what a package preset stands for. */
const ASK: Readonly<Record<PackagePreset, string>> = {
  "@npm": "npm config get registry",
  "@pypi": "pip config list",
  "@crates": "cargo fetch in a project outside the sandbox",
  "@go": "go env GOPROXY",
};

/** All presets, in the order of the documentation. */
export const PRESETS = [
  "@agent",
  "@npm",
  "@pypi",
  "@crates",
  "@go",
  "@github",
] as const;

/** Whether an entry means a preset, known or not: no host starts with `@`. */
export function isPreset(entry: string): boolean {
  return entry.startsWith("@");
}

/** Which package managers these entries ask about. */
export function packagePresets(entries: readonly string[]): PackagePreset[] {
  const known = Object.keys(ASK) as PackagePreset[];
  return known.filter((preset) => entries.includes(preset));
}

/** The entries that a preset stands for. Throws `NETWORK_RULE_INVALID` for one that does not exist, or that nothing is known about. */
export function presetHosts(entry: string, hosts: PresetHosts): string[] {
  if (entry === "@agent") {
    return [...AGENT_HOSTS[hosts.agent], ...hosts.agentUrls.map(hostOfUrl)];
  }
  if (entry === "@github") return [...GITHUB_HOSTS];
  if (!(entry in ASK)) {
    const near = didYouMean(entry, PRESETS);
    throw entryError(entry, "there is no such preset", {
      hint: near === undefined
        ? `The presets are ${listWords(PRESETS)}`
        : `Did you mean ${near}?`,
    });
  }
  const preset = entry as PackagePreset;
  const urls = hosts.packages[preset] ?? [];
  if (urls.length > 0) return [...new Set(urls.map(hostOfUrl))];
  throw entryError(
    entry,
    "the package manager's own configuration does not say which hosts it uses",
    { hint: `List the hosts by name; to see them: ${ASK[preset]}` },
  );
}

/** The host of an address with the port that it means. */
function hostOfUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw entryError(text, "it is no http or https address", {
      hint: "Correct the setting",
    });
  }
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return `${url.hostname}:${port}`;
}
