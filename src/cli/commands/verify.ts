import { AppError, asRefusal, ExitCode } from "../../base/errors.ts";
import { activeEnv, type OpenEnv } from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import { renderReport, type Report, verifyEnv } from "../../verify/mod.ts";
import { type StartedServer, tellClosed } from "../closed_servers.ts";
import { type Command, textOption } from "../command.ts";

/** `aenv verify`. */
export const command: Command = {
  words: {
    options: [{
      flags: "--full",
      summary: "Also read one request that the agent would send to the model",
    }],
    env: true,
    examples: [
      "aenv verify",
      "aenv verify -E review --full",
      "aenv verify --json",
    ],
  },
  async run(input, host) {
    const full = input.options["full"] === true;
    const report = await verify(host, textOption(input, "env"), full);
    return {
      data: report,
      text: () => renderReport(report, host.home()),
      exitCode: report.ok ? ExitCode.ok : ExitCode.failed,
    };
  },
};

async function verify(
  host: Host,
  option: string | undefined,
  full: boolean,
): Promise<Report> {
  try {
    const { env, dirs } = activeEnv(host, option);
    if (env.kind === "global") {
      throw new AppError(
        "USAGE",
        'Cannot verify "global": it is your own configuration and declares nothing',
        { hint: "Name an environment: aenv verify -E NAME" },
      );
    }
    await tellClosed(startedServers(env), env, { host, option });
    return await verifyEnv(env, { host, dirs }, { full });
  } catch (error) {
    throw asRefusal(error);
  }
}

/** Those that run in the agent's sandbox. */
function startedServers({ manifest }: OpenEnv): StartedServer[] {
  return Object.entries(manifest.mcp).flatMap(([name, server]) =>
    server.type === "stdio" && !server.disabled && server.sandbox === undefined
      ? [{ name, words: server.args, cwd: server.cwd }]
      : []
  );
}
