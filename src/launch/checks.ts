/** What this version refuses to start, because it could not keep what the manifest says. */
import { AppError, ExitCode } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { OpenEnv } from "../env/mod.ts";
import { findReferences, type McpServer } from "../manifest/mod.ts";

/** Throws (exit 3) when the env asks for something that is not enforced yet, or for a variable that is not set. */
export function checkLaunchable(
  env: OpenEnv,
  variables: Readonly<Record<string, string>>,
): void {
  const { manifest } = env;
  const [secret] = Object.keys(manifest.secrets.tools);
  if (secret !== undefined) {
    throw refusal("NOT_SUPPORTED", env, {
      state: `it hands the secret ${
        quote(secret)
      } to tools, which this version cannot do`,
      hint: `Take [secrets.${secret}] out of the manifest`,
    });
  }
  checkServers(env, (name) => Object.hasOwn(variables, name));
}

/** Throws (exit 3) when a server needs a variable that the sandbox keeps out. */
export function checkPassing(
  env: OpenEnv,
  passing: Readonly<Record<string, string>>,
): void {
  const has = (name: string) => Object.hasOwn(passing, name);
  checkServers(env, has, (name) => ({
    state: "which the sandbox keeps out",
    hint: `See why: aenv sandbox explain --vars; to let it in: env_host = [${
      JSON.stringify(name)
    }] under [sandbox]`,
  }));
}

/** Why a variable is not there, and what to do about it. */
interface Lack {
  readonly state: string;
  readonly hint: string;
}

function notSet(name: string): Lack {
  return { state: "which is not set", hint: `Set it: export ${name}=…` };
}

function checkServers(
  env: OpenEnv,
  has: (name: string) => boolean,
  lackOf: (name: string) => Lack = notSet,
): void {
  for (const [name, server] of Object.entries(env.manifest.mcp)) {
    if (server.disabled) continue;
    for (const reference of serverTexts(server).flatMap(findReferences)) {
      if (reference.kind !== "env" || reference.optional) continue;
      if (has(reference.name)) continue;
      const { state, hint } = lackOf(reference.name);
      // The agent would pass the text on as it stands and start the server with it.
      throw refusal("VARIABLE_MISSING", env, {
        state: `MCP server ${
          quote(name)
        } needs the variable ${reference.name}, ${state}`,
        hint,
      });
    }
  }
}

function serverTexts(server: McpServer): string[] {
  return server.type === "stdio"
    ? [server.command, ...server.args, ...Object.values(server.env)]
    : [server.url, ...Object.values(server.headers)];
}

function refusal(
  code: "NOT_SUPPORTED" | "VARIABLE_MISSING",
  env: OpenEnv,
  { state, hint }: { state: string; hint: string },
): AppError {
  return new AppError(
    code,
    `Cannot start environment ${quote(env.label)}: ${state}`,
    {
      hint,
      exitCode: ExitCode.refused,
    },
  );
}
