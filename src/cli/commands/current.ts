import { tilde } from "../../base/paths.ts";
import { activeEnv, type Resolution } from "../../env/mod.ts";
import type { Command } from "../command.ts";

/** `aenv current`. */
export const command: Command = {
  words: {
    options: [{
      flags: "--explain",
      summary: "Print every place that was looked at",
    }],
    examples: ["aenv current", "aenv current --explain"],
  },
  run(input, host) {
    const { env, resolution } = activeEnv(host);
    const data = {
      env: env.label,
      source: resolution.source,
      file: resolution.file ?? null,
      steps: resolution.steps,
    };
    const home = host.env["HOME"] ?? "";
    return {
      data: input.options["explain"]
        ? data
        : { env: data.env, source: data.source, file: data.file },
      text: () =>
        input.options["explain"]
          ? explain(env.label, resolution, home)
          : env.label,
    };
  },
};

function explain(label: string, resolution: Resolution, home: string): string {
  const lines = resolution.steps.map((step) =>
    `${step.matched ? "*" : " "} ${step.source.padEnd(16)}  ${
      tilde(step.looked, home)
    }: ${step.result}`
  );
  if (resolution.source === "none") {
    lines.push("* nothing matched: your own configuration is used");
  }
  return [`env: ${label}`, ...lines].join("\n");
}
