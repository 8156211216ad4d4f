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
  if (manifest.sandbox?.enabled) {
    throw refusal("NOT_SUPPORTED", env, {
      state: "it asks for the sandbox, which this version does not have",
      hint: "To start it unconfined, write enabled = false under [sandbox]",
    });
  }
  const [secret] = Object.keys(manifest.secrets.tools);
  if (secret !== undefined) {
    throw refusal("NOT_SUPPORTED", env, {
      state: `it hands the secret ${
        quote(secret)
      } to tools, which this version cannot do`,
      hint: `Take [secrets.${secret}] out of the manifest`,
    });
  }
  for (const [name, server] of Object.entries(manifest.mcp)) {
    if (server.disabled) continue;
    checkServer(name, server, { env, variables });
  }
}

function checkServer(
  name: string,
  server: McpServer,
  { env, variables }: {
    env: OpenEnv;
    variables: Readonly<Record<string, string>>;
  },
): void {
  for (const reference of serverTexts(server).flatMap(findReferences)) {
    if (reference.kind !== "env" || reference.optional) continue;
    if (Object.hasOwn(variables, reference.name)) continue;
    // The agent would pass the text on as it stands and start the server with it.
    throw refusal("VARIABLE_MISSING", env, {
      state: `MCP server ${
        quote(name)
      } needs the variable ${reference.name}, which is not set`,
      hint: `Set it: export ${reference.name}=…`,
    });
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
