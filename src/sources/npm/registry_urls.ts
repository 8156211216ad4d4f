/** Which registries npm uses here, for those who only want to know that. */
import npmDefaults from "npm-registry-fetch/lib/default-opts.js";
import { type SourceContext, sourceContext } from "../source.ts";
import { readNpmConfig } from "./config.ts";

/** Addresses of npm's registry and of those of scopes, by the settings of the user and the machine: a project's own do not count. Throws `IO`. */
export function npmRegistryUrls(host: SourceContext["host"]): string[] {
  const home = host.home();
  const context = sourceContext({ host, manifestDir: home, temp: home });
  const { values } = readNpmConfig(context);
  const scoped = Object.entries(values)
    .filter(([name]) => /^@[^:]+:registry$/.test(name))
    .map(([, url]) => url);
  const own = values["registry"] ?? npmDefaults.registry as string;
  return [...new Set([own, ...scoped])];
}
