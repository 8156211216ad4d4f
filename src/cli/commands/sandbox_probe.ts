import { ExitCode } from "../../base/errors.ts";
import { escapeControl } from "../../base/text.ts";
import { activeEnv, requireNamed } from "../../env/mod.ts";
import {
  type ProbeReport,
  probeSandbox,
  protectionLines,
} from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";
import { agentOrSelf } from "./sandbox_explain.ts";

/** `aenv sandbox probe`. */
export const command: Command = {
  words: {
    env: true,
    examples: ["aenv sandbox probe", "aenv sandbox probe --json"],
  },
  async run(input, host) {
    const { env, dirs } = activeEnv(host, textOption(input, "env"));
    const named = requireNamed(env, "probe the sandbox of");
    const request = { env: named, program: agentOrSelf(host, dirs) };
    const report = await probeSandbox(request, host, dirs);
    const isHeld = report.trial.every(({ ok }) => ok);
    return {
      data: report,
      text: () => lines(report).map(escapeControl).join("\n"),
      exitCode: isHeld ? ExitCode.ok : ExitCode.failed,
    };
  },
};

function lines(report: ProbeReport): string[] {
  const { kernel, supervised, protections, trial } = report;
  const failed = trial.filter(({ ok }) => !ok);
  return [
    `Linux ${kernel.release}, Landlock ${kernel.landlockAbi}; ${
      supervised === undefined
        ? "aenv becomes the agent"
        : `aenv stays beside the agent: ${supervised}`
    }`,
    "",
    ...protectionLines(protections),
    "",
    failed.length === 0
      ? `tried ${trial.length} things that must fail: all did`
      : `tried ${trial.length} things that must fail; these did not:`,
    ...failed.map(({ attempt, found }) => `  ${attempt} (${found})`),
    ...auditLines(report),
  ];
}

/** What of all that somebody can look up later. */
function auditLines({ supervised, auditsKernel }: ProbeReport): string[] {
  const decided = supervised === undefined
    ? []
    : ["hosts, addresses and sockets that are refused"];
  const kernel = auditsKernel
    ? "what Landlock refuses"
    : "files, ports and signals that the kernel refuses only as far as the agent itself writes it down";
  const all = ["starts", "ends", "changed files", ...decided, kernel];
  return [`audit log: ${all.join("; ")}`];
}
