import { AppError, asRefusal, ExitCode } from "../../base/errors.ts";
import type { Dirs } from "../../base/dirs.ts";
import { quote } from "../../base/text.ts";
import { activeEnv, type OpenEnv } from "../../env/mod.ts";
import { findClaude, findCodex, INSTALL_CLAUDE } from "../../launch/mod.ts";
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
    requireClaude(env, host, dirs);
    await tellClosed(startedServers(env), env, { host, option });
    return await verifyEnv(env, { host, dirs }, { full });
  } catch (error) {
    throw asRefusal(error);
  }
}

/** Codex reports neither what it has loaded nor from where: there is nothing of it to compare. */
function requireClaude(env: OpenEnv, host: Host, dirs: Dirs): void {
  try {
    findClaude(host, dirs);
  } catch (error) {
    const isMissing = error instanceof AppError &&
      error.code === "AGENT_NOT_FOUND";
    if (!isMissing || !hasCodex(host, dirs)) throw error;
    throw new AppError(
      "AGENT_NOT_FOUND",
      `Cannot verify environment ${
        quote(env.label)
      }: only Claude Code can be asked what it has loaded, and only Codex is here`,
      {
        hint:
          `What Codex may do: aenv sandbox explain --agent codex; else: ${INSTALL_CLAUDE}`,
        cause: error,
      },
    );
  }
}

function hasCodex(host: Host, dirs: Dirs): boolean {
  try {
    findCodex(host, dirs);
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return false;
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
